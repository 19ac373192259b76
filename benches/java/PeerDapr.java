import io.dapr.workflows.Workflow;
import io.dapr.workflows.WorkflowActivity;
import io.dapr.workflows.client.DaprWorkflowClient;
import io.dapr.workflows.runtime.WorkflowRuntimeBuilder;
import java.time.Duration;
import java.util.Map;
import java.util.logging.LogManager;

/**
 * The same five-activity workflow on Dapr's own Java SDK, in the same closed loop, on the sidecar that {@code DAPR_GRPC_PORT} names.
 * Everything is its default.
 */
public final class PeerDapr {
    private PeerDapr() {}

    public static void main(String[] arguments) throws Exception {
        var given = Given.of(arguments, Map.of("in-flight", 32.0, "seconds", 5.0, "warm-up", 500.0));
        // It logs every work item; nobody measures logging here, and the standard output is where the figures go.
        LogManager.getLogManager().reset();
        var out = System.out;
        System.setOut(System.err);
        var builder = new WorkflowRuntimeBuilder();
        builder.registerActivity("add_one", (WorkflowActivity) ctx -> ctx.getInput(Integer.class) + 1);
        Workflow five = () -> ctx -> {
            int number = ctx.getInput(Integer.class);
            for (int step = 0; step < 5; step++) {
                number = ctx.callActivity("add_one", number, Integer.class).await();
            }
            ctx.complete(number);
        };
        builder.registerWorkflow("five_activities", five, null, null);
        builder.build().start(false);
        try (var client = new DaprWorkflowClient()) {
            var figures = Loop.run(
                    () -> {
                        var id = client.scheduleNewWorkflow("five_activities", 1);
                        var state = client.waitForWorkflowCompletion(id, Duration.ofMinutes(1), true);
                        return state.readOutputAs(Integer.class);
                    },
                    given.count("in-flight"),
                    given.number("seconds"),
                    given.count("warm-up"),
                    Duration.ofSeconds(20));
            System.setOut(out);
            Given.report(figures);
        }
        System.exit(0);
    }
}
