import java.nio.file.Files;
import java.time.Duration;
import java.util.Map;

/** Five-activity workflows per second in a closed loop, what they cost in CPU, and what they leave on the disk. */
public final class Load {
    private static final Duration WARM_WITHIN = Duration.ofSeconds(40);

    private Load() {}

    public static void main(String[] arguments) throws Exception {
        var given = Given.of(arguments, Map.of("in-flight", 32.0, "seconds", 3.0, "warm-up", 20_000.0));
        var path = Subject.database(given.dir(), "load");
        Map<String, Number> figures;
        try (var client = Subject.openClient(path);
                var worker = Subject.startWorker(client)) {
            figures = Loop.run(
                    () -> client.startWorkflow(Subject.FIVE_ACTIVITIES, 1).result(Duration.ofMinutes(1)),
                    given.count("in-flight"),
                    given.number("seconds"),
                    given.count("warm-up"),
                    WARM_WITHIN);
        }
        figures.put("disk_kb", Files.size(path) / 1e3 / figures.get("workflows").longValue());
        Given.report(figures);
    }
}
