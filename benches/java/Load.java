import java.nio.file.Files;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;

/**
 * Five-activity workflows per second in a closed loop, what they cost in CPU, and what they leave on the disk. Each caller is a
 * virtual thread that starts one and waits for its result. What is measured is a warm program: the just-in-time compiler has
 * seen 20,000 workflows before anything counts.
 */
public final class Load {
    private static final Duration WARM_WITHIN = Duration.ofSeconds(40);

    private static volatile boolean open = true;

    private Load() {}

    public static void main(String[] arguments) throws Exception {
        var given = Subject.given(arguments, Map.of("in-flight", 32.0, "seconds", 3.0, "warm-up", 20_000.0));
        var path = Subject.database(given.dir(), "load");
        var finished = new AtomicLong();
        var figures = new LinkedHashMap<String, Number>();
        try (var client = Subject.openClient(path);
                var worker = Subject.startWorker(client);
                var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Callable<Void> caller = () -> {
                while (open) {
                    var handle = client.startWorkflow(Subject.FIVE_ACTIVITIES, 1);
                    var number = handle.result(Duration.ofMinutes(1));
                    if (number == null || number != 6) {
                        throw new IllegalStateException("a workflow gave " + number + " instead of 6");
                    }
                    finished.incrementAndGet();
                }
                return null;
            };
            var callers = IntStream.range(0, given.count("in-flight"))
                    .<Future<Void>>mapToObj(number -> threads.submit(caller))
                    .toList();
            var warm = System.nanoTime() + WARM_WITHIN.toNanos();
            while (finished.get() < given.number("warm-up") && System.nanoTime() < warm) Thread.sleep(50);
            var count = finished.get();
            var used = Subject.cpu();
            var began = System.nanoTime();
            Thread.sleep((long) (given.number("seconds") * 1000));
            var done = finished.get() - count;
            var took = (System.nanoTime() - began) / 1e9;
            figures.put("wf_per_s", done / took);
            figures.put("cpu_us", (Subject.cpu() - used) / done);
            open = false;
            for (var each : callers) each.get();
        }
        figures.put("workflows", finished.get());
        figures.put("disk_kb", Files.size(path) / 1e3 / finished.get());
        Subject.report(figures);
    }
}
