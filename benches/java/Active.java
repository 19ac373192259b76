import io.github.everstep.Workflow;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** What ten thousand active instances take: each has run an activity and waits for an event, with its stack in memory. */
public final class Active {
    private static final Duration LONG = Duration.ofMinutes(2);
    private static final AtomicInteger active = new AtomicInteger();

    private Active() {}

    public static void main(String[] arguments) throws Exception {
        var given = Given.of(arguments, Map.of("count", 10_000.0));
        int count = given.count("count");
        var waiter = Workflow.of("waiter", Integer.class, Integer.class, (ctx, number) -> {
            int sum = ctx.call(Subject.ADD_ONE, number).await();
            active.incrementAndGet();
            try {
                return sum + ctx.waitForEvent("go", Integer.class).await();
            } finally {
                active.decrementAndGet();
            }
        });
        var figures = new LinkedHashMap<String, Number>();
        try (var client = Subject.openClient(Subject.database(given.dir(), "active"));
                var worker = Subject.startWorker(client, waiter)) {
            client.startWorkflow(Subject.FIVE_ACTIVITIES, 1).result(LONG);
            double empty = heapMb();
            try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
                for (int number = 1; number < count; number++) threads.submit(() -> client.startWorkflow(waiter, 1));
            }
            var last = client.startWorkflow(waiter, 1);
            var until = System.nanoTime() + LONG.toNanos();
            while (active.get() < count && System.nanoTime() < until) Thread.sleep(20);
            double full = heapMb();
            // What was evicted meanwhile would not have been measured.
            if (active.get() != count) throw new IllegalStateException(active.get() + " are active, of " + count);
            figures.put("heap_mb", full - empty);
            figures.put("heap_each_kb", (full - empty) * 1e3 / count);
            figures.put("rss_mb", Given.residentMb());
            last.raiseEvent("go", 1);
            if (last.result(LONG) != 3) throw new IllegalStateException("the last one gave something else");
        }
        Given.report(figures);
    }

    /** Megabytes of the heap that are in use when all garbage is gone. */
    private static double heapMb() {
        for (int round = 0; round < 3; round++) System.gc();
        return (Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory()) / 1e6;
    }
}
