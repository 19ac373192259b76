import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Executors;

/** What everstep does when it has nothing to do: wake-ups of all its threads beside 1,000 waiting instances. */
public final class Quiet {
    private Quiet() {}

    public static void main(String[] arguments) throws Exception {
        var given = Given.of(arguments, Map.of("waiting", 1000.0, "seconds", 10.0));
        var figures = new LinkedHashMap<String, Number>();
        try (var client = Subject.openClient(Subject.database(given.dir(), "quiet"));
                var worker = Subject.startWorker(client)) {
            try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
                for (int number = 0; number < given.count("waiting"); number++) {
                    threads.submit(() -> client.startWorkflow(Subject.EVENT_WAITER, 1).waitForStart(Duration.ofMinutes(1)));
                }
            }
            Thread.sleep(3000); // the work that waits for quiet, such as a checkpoint, is done by then
            var before = switches();
            Thread.sleep((long) (given.number("seconds") * 1000));
            var after = switches();
            long wakeUps = 0;
            for (var thread : after.entrySet()) {
                long woken = thread.getValue() - before.getOrDefault(thread.getKey(), 0L);
                if (woken > 0) System.err.println(thread.getKey() + " woke " + woken + " times");
                wakeUps += woken;
            }
            figures.put("wake_ups", wakeUps);
            figures.put("threads", after.size());
        }
        Given.report(figures);
    }

    /**
     * How often each thread has given up the processor of its own will, by thread id and name: those of everstep, and those that
     * carry virtual threads or wake them. The others are the JVM's, which collects garbage and compiles when it likes.
     */
    private static Map<String, Long> switches() throws IOException {
        var counts = new LinkedHashMap<String, Long>();
        try (var tasks = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
            for (var task : tasks) {
                var status = Files.readString(task.resolve("status"));
                var name = field(status, "Name");
                if (name.startsWith("everstep") || name.startsWith("ForkJoinPool") || name.startsWith("VirtualThread")) {
                    counts.put(task.getFileName() + " " + name, Long.valueOf(field(status, "voluntary_ctxt_switches")));
                }
            }
        }
        return counts;
    }

    private static String field(String status, String name) {
        var head = name + ":\t";
        return status.lines().filter(line -> line.startsWith(head)).findFirst().orElseThrow().substring(head.length());
    }
}
