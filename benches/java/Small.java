import io.github.everstep.Activity;
import io.github.everstep.Client;
import io.github.everstep.Worker;
import io.github.everstep.Workflow;
import java.time.Duration;

/**
 * A small program, which {@code Package} runs as a process of its own: prints the milliseconds from its first line to an open
 * client, those to the first result, and the megabytes that the process then holds. Without an argument only the last.
 */
public final class Small {
    private Small() {}

    public static void main(String[] arguments) throws Exception {
        var began = System.nanoTime();
        if (arguments.length == 0) {
            System.out.println(Given.residentMb());
            return;
        }
        var addOne = Activity.of("add_one", Integer.class, Integer.class, (ctx, number) -> number + 1);
        var oneActivity = Workflow.of(
                "one_activity", Integer.class, Integer.class, (ctx, number) -> ctx.call(addOne, number).await());
        try (var client = Client.create("sqlite:" + arguments[0])) {
            var opened = (System.nanoTime() - began) / 1e6;
            try (var worker = Worker.builder(client).workflows(oneActivity).activities(addOne).start()) {
                int result = client.startWorkflow(oneActivity, 1).result(Duration.ofMinutes(1));
                if (result != 2) throw new IllegalStateException("one and one gave " + result);
                var ran = (System.nanoTime() - began) / 1e6;
                System.out.println(opened + " " + ran + " " + Given.residentMb());
            }
        }
    }
}
