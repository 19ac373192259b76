import io.github.everstep.dapr.DaprWorkflowClient;
import io.github.everstep.dapr.Workflow;
import io.github.everstep.dapr.WorkflowActivity;
import io.github.everstep.dapr.WorkflowRuntimeBuilder;
import io.github.everstep.dapr.WorkflowStub;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** A workflow that never grows: it looks, sleeps, and begins anew. Events that nobody took go along. */
public class Monitor {
    private static final AtomicInteger HEALTH = new AtomicInteger(3);

    public record Job(String id, int looked) {}

    public static class Look implements Workflow {
        @Override
        public WorkflowStub create() {
            return ctx -> {
                var job = ctx.getInput(Job.class);
                ctx.setCustomStatus(job);
                if (ctx.callActivity("check", job.id(), Boolean.class).await()) {
                    ctx.complete(job);
                    return;
                }
                if (job.looked() == 0) {
                    ctx.createTimer(ctx.getCurrentInstant().plusMillis(50).atZone(ZoneOffset.UTC)).await();
                } else {
                    ctx.createTimer(Duration.ofMillis(50)).await();
                }
                ctx.continueAsNew(new Job(job.id(), job.looked() + 1), false);
            };
        }
    }

    public static class Collect implements Workflow {
        @Override
        public WorkflowStub create() {
            return ctx -> {
                List<Object> words = new ArrayList<>(List.of(ctx.getInput(Object[].class)));
                words.add(ctx.waitForExternalEvent("word", String.class).await());
                if (words.size() == 3) {
                    ctx.complete(words);
                } else {
                    ctx.continueAsNew(words);
                }
            };
        }
    }

    public static void main(String[] args) throws Exception {
        var builder = new WorkflowRuntimeBuilder().registerWorkflow(Look.class).registerWorkflow(Collect.class);
        builder.registerActivity("check", (WorkflowActivity) ctx -> HEALTH.decrementAndGet() <= 0);
        try (var runtime = builder.build(); var client = new DaprWorkflowClient()) {
            runtime.start(false);
            var watched = client.scheduleNewWorkflow(Look.class, new Job("job-1", 0));
            System.out.println(client.waitForWorkflowCompletion(watched, Duration.ofSeconds(30), true).getSerializedOutput());
            var collected = client.scheduleNewWorkflow(Collect.class, List.of());
            client.waitForWorkflowStart(collected, Duration.ofSeconds(30), false);
            for (var word : List.of("all", "of", "them")) {
                client.raiseEvent(collected, "word", word);
            }
            System.out.println(client.waitForWorkflowCompletion(collected, Duration.ofSeconds(30), true).getSerializedOutput());
            // The official runtime takes a minute to close.
            System.exit(0);
        }
    }
}
