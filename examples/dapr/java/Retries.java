import io.github.everstep.dapr.DaprWorkflowClient;
import io.github.everstep.dapr.TaskFailedException;
import io.github.everstep.dapr.Workflow;
import io.github.everstep.dapr.WorkflowActivity;
import io.github.everstep.dapr.WorkflowRuntimeBuilder;
import io.github.everstep.dapr.WorkflowStub;
import io.github.everstep.dapr.WorkflowTaskOptions;
import io.github.everstep.dapr.WorkflowTaskRetryContext;
import io.github.everstep.dapr.WorkflowTaskRetryHandler;
import io.github.everstep.dapr.WorkflowTaskRetryPolicy;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Trying again: by a policy, and by a handler that decides each time. */
public class Retries {
    private static final Map<String, Integer> ATTEMPTS = new ConcurrentHashMap<>();

    public static class Policy implements Workflow {
        @Override
        public WorkflowStub create() {
            return ctx -> {
                WorkflowTaskRetryPolicy.Builder builder = WorkflowTaskRetryPolicy.newBuilder();
                WorkflowTaskRetryPolicy policy = builder
                        .setMaxNumberOfAttempts(4)
                        .setFirstRetryInterval(Duration.ofMillis(20))
                        .setBackoffCoefficient(1.5)
                        .setMaxRetryInterval(Duration.ofSeconds(1))
                        .setRetryTimeout(Duration.ofSeconds(20))
                        .build();
                var options = new WorkflowTaskOptions(policy);
                var value = ctx.callActivity("flaky", "policy", options, String.class).await();
                try {
                    ctx.callActivity("hopeless", "hopeless", options).await();
                } catch (TaskFailedException error) {
                    ctx.complete(List.of(value, error.getErrorDetails().getErrorMessage(), policy.getMaxNumberOfAttempts(),
                            policy.getFirstRetryInterval().toMillis(), policy.getBackoffCoefficient(),
                            policy.getMaxRetryInterval().toMillis(), policy.getRetryTimeout().toMillis(),
                            options.getRetryPolicy() == policy, options.getRetryHandler() == null, options.getAppId() == null));
                }
            };
        }
    }

    public static class Handler implements Workflow {
        @Override
        public WorkflowStub create() {
            return ctx -> {
                WorkflowTaskRetryHandler handler = new WorkflowTaskRetryHandler() {
                    @Override
                    public boolean handle(WorkflowTaskRetryContext context) {
                        if (context.getLastAttemptNumber() >= 3 || context.getTotalRetryTime().toMinutes() > 5) {
                            return false;
                        }
                        context.getWorkflowContext().createTimer(Duration.ofMillis(20)).await();
                        return context.getLastFailure().getErrorMessage().startsWith("not yet");
                    }
                };
                var options = new WorkflowTaskOptions(handler);
                var value = ctx.callActivity("flaky", "handler", options, String.class).await();
                try {
                    ctx.callActivity("hopeless", "handled", options).await();
                } catch (TaskFailedException error) {
                    ctx.complete(List.of(value, error.getErrorDetails().getErrorMessage()));
                }
            };
        }
    }

    public static void main(String[] args) throws Exception {
        var builder = new WorkflowRuntimeBuilder().registerWorkflow(Policy.class).registerWorkflow(Handler.class);
        builder.registerActivity("flaky", (WorkflowActivity) ctx -> {
            var attempt = ATTEMPTS.merge(ctx.getInput(String.class), 1, Integer::sum);
            if (attempt < 3) {
                throw new IllegalStateException("not yet: " + attempt);
            }
            return "done at attempt " + attempt;
        });
        builder.registerActivity("hopeless", (WorkflowActivity) ctx -> {
            ATTEMPTS.merge(ctx.getInput(String.class), 1, Integer::sum);
            throw new IllegalStateException("it never works");
        });
        try (var runtime = builder.build(); var client = new DaprWorkflowClient()) {
            runtime.start(false);
            for (var workflow : List.of(Policy.class, Handler.class)) {
                var id = client.scheduleNewWorkflow(workflow);
                var state = client.waitForWorkflowCompletion(id, Duration.ofSeconds(30), true);
                System.out.println(state.getRuntimeStatus() + " " + state.getSerializedOutput());
            }
            System.out.println(ATTEMPTS.get("hopeless") + " attempts by the policy, " + ATTEMPTS.get("handled") + " by the handler");
            // The official runtime takes a minute to close.
            System.exit(0);
        }
    }
}
