import io.github.everstep.Activity;
import io.github.everstep.Client;
import io.github.everstep.NamedActivity;
import io.github.everstep.NamedWorkflow;
import io.github.everstep.Worker;
import io.github.everstep.Workflow;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What is measured: the workflows and activities of all benches, on a worker in this process. */
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

    private Subject() {}

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

    static Worker startWorker(Client client, Workflow<?, ?>... more) {
        return Worker.builder(client)
                .workflows(ONE_ACTIVITY, FIVE_ACTIVITIES, EVENT_WAITER)
                .workflows(more)
                .activities(ADD_ONE)
                .start();
    }
}
