import io.github.everstep.dapr.DaprWorkflowClient;
import io.github.everstep.dapr.Workflow;
import io.github.everstep.dapr.WorkflowRuntimeBuilder;
import io.github.everstep.dapr.WorkflowStub;
import java.time.Duration;

/** Several versions of one workflow, and a patch within one. */
public class Versions {
    public static class First implements Workflow {
        @Override
        public WorkflowStub create() {
            return ctx -> ctx.complete("the first");
        }
    }

    public static class Second implements Workflow {
        @Override
        public WorkflowStub create() {
            return ctx -> ctx.complete("the second, " + (ctx.isPatched("better") ? "better" : "as it was"));
        }
    }

    public static void main(String[] args) throws Exception {
        var builder = new WorkflowRuntimeBuilder()
                .registerWorkflow("greeting", First.class, "v1", false)
                .registerWorkflow("greeting", new Second(), "v2", true);
        try (var runtime = builder.build(); var client = new DaprWorkflowClient()) {
            runtime.start(false);
            var id = client.scheduleNewWorkflow("greeting");
            System.out.println(client.waitForWorkflowCompletion(id, Duration.ofSeconds(30), true).getSerializedOutput());
            // The official runtime takes a minute to close.
            System.exit(0);
        }
    }
}
