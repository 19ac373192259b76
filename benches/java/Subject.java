import com.sun.management.OperatingSystemMXBean;
import io.github.everstep.Activity;
import io.github.everstep.Client;
import io.github.everstep.NamedActivity;
import io.github.everstep.NamedWorkflow;
import io.github.everstep.Worker;
import io.github.everstep.Workflow;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/** What is measured: the workflows and activities of all benches, and the few ways in which they are measured. */
final class Subject {
    static final NamedActivity<Integer, Integer> ADD_ONE =
            Activity.of("add_one", Integer.class, Integer.class, (ctx, number) -> number + 1);

    static final NamedWorkflow<Integer, Integer> ONE_ACTIVITY = Workflow.of(
            "one_activity", Integer.class, Integer.class, (ctx, number) -> ctx.call(ADD_ONE, number).await());

    static final NamedWorkflow<Integer, Integer> FIVE_ACTIVITIES =
            Workflow.of("five_activities", Integer.class, Integer.class, (ctx, number) -> {
                for (int step = 0; step < 5; step++) number = ctx.call(ADD_ONE, number).await();
                return number;
            });

    static final NamedWorkflow<Integer, Object> EVENT_WAITER = Workflow.of(
            "event_waiter",
            Integer.class,
            Object.class,
            (ctx, number) -> ctx.waitForEvent("go", Object.class).await());

    private static final OperatingSystemMXBean SYSTEM =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    private Subject() {}

    /** The command line of a bench: {@code --dir} and what {@code usual} names, each with a number as its default. */
    record Given(Path dir, Map<String, Double> numbers) {
        int count(String name) {
            return numbers.get(name).intValue();
        }

        double number(String name) {
            return numbers.get(name);
        }
    }

    static Given given(String[] arguments, Map<String, Double> usual) throws IOException {
        var numbers = new LinkedHashMap<>(usual);
        Path dir = null;
        for (int at = 0; at + 1 < arguments.length; at += 2) {
            var name = arguments[at].substring(2);
            if (name.equals("dir")) dir = Path.of(arguments[at + 1]);
            else if (numbers.replace(name, Double.valueOf(arguments[at + 1])) == null)
                throw new IllegalArgumentException("unknown argument --" + name + "; known are dir, " + usual.keySet());
        }
        if (dir == null) throw new IllegalArgumentException("--dir must name a directory on the disk to be measured");
        Files.createDirectories(dir);
        return new Given(dir, numbers);
    }

    /** The path of a database that does not exist yet. */
    static Path database(Path dir, String name) throws IOException {
        for (var suffix : new String[] {"", "-wal", "-shm", ".lock"}) {
            Files.deleteIfExists(dir.resolve(name + ".db" + suffix));
        }
        return dir.resolve(name + ".db");
    }

    static Client openClient(Path path) {
        return Client.create("sqlite:" + path);
    }

    static Worker startWorker(Client client) {
        return Worker.builder(client)
                .workflows(ONE_ACTIVITY, FIVE_ACTIVITIES, EVENT_WAITER)
                .activities(ADD_ONE)
                .start();
    }

    /** Ends a bench: its figures as the one line of JSON that the driver reads. */
    static void report(Map<String, ? extends Number> figures) {
        var members = figures.entrySet().stream().map(each -> '"' + each.getKey() + "\": " + each.getValue());
        System.out.println(members.collect(Collectors.joining(", ", "{", "}")));
    }

    /** The smallest sample that at least {@code part} of all do not exceed. */
    static double percentile(double[] samples, double part) {
        var ordered = samples.clone();
        Arrays.sort(ordered);
        return ordered[Math.max(0, (int) Math.ceil(part * ordered.length) - 1)];
    }

    /** Microseconds of CPU of all threads, also of those that have ended. */
    static double cpu() {
        return SYSTEM.getProcessCpuTime() / 1e3;
    }
}
