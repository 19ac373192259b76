import io.github.everstep.Client;
import io.github.everstep.StartOptions;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** One caller at a time: a one-activity workflow from start to result, a start alone, a state from memory and from disk. */
public final class Single {
    private static final Duration LONG = Duration.ofMinutes(1);
    private static final int WARM_UP = 2000;

    private Single() {}

    public static void main(String[] arguments) throws Exception {
        var given = Given.of(arguments, Map.of("count", 2000.0));
        int count = given.count("count");
        var path = Subject.database(given.dir(), "single");
        var figures = new LinkedHashMap<String, Double>();
        var ids = ids("one-", count);
        try (var client = Subject.openClient(path);
                var worker = Subject.startWorker(client)) {
            Consumer<String> whole = id -> client.startWorkflow(
                            Subject.ONE_ACTIVITY, 1, StartOptions.instanceId(id))
                    .result(LONG);
            timed(whole, ids("warm-", WARM_UP));
            var wholes = timed(whole, ids);
            figures.put("whole_p50_us", Given.percentile(wholes, 0.5));
            figures.put("whole_p99_us", Given.percentile(wholes, 0.99));
            var started = starts(client, count / 2);
            figures.put("start_p50_us", Given.percentile(started, 0.5));
            figures.put("start_p99_us", Given.percentile(started, 0.99));
            var waiting = client.startWorkflow(Subject.EVENT_WAITER, 1);
            waiting.waitForStart(LONG);
            var states = timed(client::getWorkflow, Collections.nCopies(count, waiting.instanceId()));
            figures.put("get_cached_p50_us", Given.percentile(states, 0.5));
        }
        try (var client = Subject.openClient(path)) {
            Collections.shuffle(ids, new Random(1));
            timed(client::getWorkflow, ids.subList(0, Math.min(100, count)));
            figures.put("get_finished_p50_us", Given.percentile(timed(client::getWorkflow, ids), 0.5));
        }
        Given.report(figures);
    }

    private static List<String> ids(String prefix, int count) {
        return IntStream.range(0, count).mapToObj(number -> prefix + number).collect(Collectors.toList());
    }

    /** The microseconds that each call took. */
    private static double[] timed(Consumer<String> call, List<String> items) {
        return items.stream()
                .mapToDouble(item -> {
                    var began = System.nanoTime();
                    call.accept(item);
                    return (System.nanoTime() - began) / 1e3;
                })
                .toArray();
    }

    /** The microseconds of each start, the engine having nothing else to do: the first turn of the one before is over. */
    private static double[] starts(Client client, int count) {
        var took = new double[count];
        for (int number = 0; number < count; number++) {
            var began = System.nanoTime();
            var handle = client.startWorkflow(Subject.EVENT_WAITER, 1);
            took[number] = (System.nanoTime() - began) / 1e3;
            handle.waitForStart(LONG);
        }
        return took;
    }
}
