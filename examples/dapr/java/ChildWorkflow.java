import io.github.everstep.dapr.DaprWorkflowClient;
import io.github.everstep.dapr.TaskFailedException;
import io.github.everstep.dapr.Workflow;
import io.github.everstep.dapr.WorkflowRuntimeBuilder;
import io.github.everstep.dapr.WorkflowStub;
import io.github.everstep.dapr.WorkflowTaskOptions;
import io.github.everstep.dapr.WorkflowTaskRetryPolicy;
import java.time.Duration;

/** Workflows that call workflows: with and without an input, an instance ID and a retry policy. */
public class ChildWorkflow {
    public static class Shopping implements Workflow {
        @Override
        public WorkflowStub create() {
            return ctx -> {
                var buy = Buy.class.getCanonicalName();
                var lamp = ctx.callChildWorkflow(buy, "lamp", String.class).await();
                var desk = ctx.callChildWorkflow(buy, "desk", "child-desk", String.class).await();
                var nothing = ctx.callChildWorkflow(buy).await();
                ctx.callChildWorkflow(buy, "chair").await();
                var policy = WorkflowTaskRetryPolicy.newBuilder().setMaxNumberOfAttempts(2)
                        .setFirstRetryInterval(Duration.ofMillis(10)).build();
                var options = new WorkflowTaskOptions(policy);
                ctx.callChildWorkflow(buy, "sofa", "child-sofa", options).await();
                var shelf = ctx.callChildWorkflow(buy, "shelf", "child-shelf", options, String.class).await();
                try {
                    ctx.callChildWorkflow(buy, "air", String.class).await();
                } catch (TaskFailedException error) {
                    ctx.complete(lamp + ", " + desk + ", " + nothing + ", " + shelf + ", no air: "
                            + error.getErrorDetails().getErrorMessage());
                }
            };
        }
    }

    public static class Buy implements Workflow {
        @Override
        public WorkflowStub create() {
            return ctx -> {
                var item = ctx.getInput(String.class);
                if ("air".equals(item)) {
                    throw new IllegalStateException("air costs nothing");
                }
                ctx.complete(item == null ? null : "a " + item);
            };
        }
    }

    public static void main(String[] args) throws Exception {
        var builder = new WorkflowRuntimeBuilder().registerWorkflow(Shopping.class).registerWorkflow(Buy.class);
        try (var runtime = builder.build(); var client = new DaprWorkflowClient()) {
            runtime.start(false);
            var id = client.scheduleNewWorkflow(Shopping.class, null, "shopping-1");
            var state = client.waitForWorkflowCompletion(id, Duration.ofSeconds(30), true);
            System.out.println(state.getSerializedOutput());
            for (var child : new String[] {"child-desk", "child-sofa", "child-shelf"}) {
                var found = client.getWorkflowState(child, true);
                System.out.println(child + " " + found.getName() + " " + found.getSerializedOutput());
            }
            // The official runtime takes a minute to close.
            System.exit(0);
        }
    }
}
