import io.github.everstep.dapr.DaprWorkflowClient;
import io.github.everstep.dapr.FailureDetails;
import io.github.everstep.dapr.TaskFailedException;
import io.github.everstep.dapr.Workflow;
import io.github.everstep.dapr.WorkflowActivity;
import io.github.everstep.dapr.WorkflowFailureDetails;
import io.github.everstep.dapr.WorkflowRuntimeBuilder;
import io.github.everstep.dapr.WorkflowStub;
import java.time.Duration;
import java.util.List;

/** What goes wrong, and how it shows: activities and workflows that throw, and what catches it. */
public class Failures {
    public static class OutOfStockException extends RuntimeException {
        public OutOfStockException(String message) {
            super(message);
        }
    }

    public static class Throws implements Workflow {
        @Override
        public WorkflowStub create() {
            return ctx -> {
                ctx.callActivity("fine").await();
                throw new IllegalStateException("cannot work with " + ctx.getInput(String.class));
            };
        }
    }

    public static class PassesOn implements Workflow {
        @Override
        public WorkflowStub create() {
            return ctx -> ctx.callActivity("reserve", ctx.getInput(String.class)).await();
        }
    }

    public static class Catches implements Workflow {
        @Override
        public WorkflowStub create() {
            return ctx -> {
                try {
                    ctx.callActivity("reserve", "mud", String.class).await();
                } catch (TaskFailedException error) {
                    FailureDetails details = error.getErrorDetails();
                    var said = List.of(
                            error.getTaskId(), error.getTaskName(), details.getErrorType(), details.getErrorMessage(),
                            details.isCausedBy(OutOfStockException.class), details.isCausedBy(RuntimeException.class),
                            details.isCausedBy(ArithmeticException.class), details.isNonRetriable(),
                            details.getStackTrace().contains("OutOfStock"));
                    ctx.complete(said + " " + ctx.callActivity("fine", String.class).await());
                }
            };
        }
    }

    /** What is caught in between does not swallow what the SDK needs. */
    public static class Swallows implements Workflow {
        @Override
        public WorkflowStub create() {
            return ctx -> {
                String said;
                try {
                    ctx.callActivity("reserve", "mud").await();
                    said = "reserved";
                } catch (TaskFailedException error) {
                    said = "not reserved";
                }
                ctx.complete(said);
            };
        }
    }

    public static void main(String[] args) throws Exception {
        var builder = new WorkflowRuntimeBuilder()
                .registerWorkflow(Throws.class)
                .registerWorkflow(PassesOn.class)
                .registerWorkflow(Catches.class)
                .registerWorkflow(Swallows.class);
        builder.registerActivity("fine", (WorkflowActivity) ctx -> "fine");
        builder.registerActivity("reserve", (WorkflowActivity) ctx -> {
            throw new OutOfStockException("there is no " + ctx.getInput(String.class));
        });
        try (var runtime = builder.build(); var client = new DaprWorkflowClient()) {
            runtime.start(false);
            for (var workflow : List.of(Throws.class, PassesOn.class, Catches.class, Swallows.class)) {
                var id = client.scheduleNewWorkflow(workflow, "mud");
                var state = client.waitForWorkflowCompletion(id, Duration.ofSeconds(30), true);
                System.out.println(state.getName() + " " + state.getRuntimeStatus() + " " + state.isCompleted());
                if (state.getRuntimeStatus().name().equals("COMPLETED")) {
                    System.out.println(state.readOutputAs(String.class));
                    continue;
                }
                WorkflowFailureDetails failure = state.getFailureDetails();
                var type = failure.getErrorType();
                System.out.println(type.substring(type.lastIndexOf('.') + 1) + ": " + failure.getErrorMessage());
                System.out.println(failure.getStackTrace().contains("at "));
            }
            // The official runtime takes a minute to close.
            System.exit(0);
        }
    }
}
