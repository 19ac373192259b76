import io.github.everstep.dapr.DaprWorkflowClient;
import io.github.everstep.dapr.Task;
import io.github.everstep.dapr.TaskCanceledException;
import io.github.everstep.dapr.Workflow;
import io.github.everstep.dapr.WorkflowRuntimeBuilder;
import io.github.everstep.dapr.WorkflowStub;
import java.time.Duration;
import java.util.List;

/** A person decides, or the time is over: an event against a timer, and an event with a timeout. */
public class HumanApproval {
    public record Order(String item, int cost, boolean patient) {}

    public record Answer(boolean approved, String by) {}

    public static class Purchase implements Workflow {
        @Override
        public WorkflowStub create() {
            return ctx -> {
                var order = ctx.getInput(Order.class);
                if (order.cost() < 1000) {
                    ctx.complete("approved without asking");
                    return;
                }
                Task<Answer> approval = ctx.waitForExternalEvent("approval", Answer.class);
                Task<Void> tooLate = ctx.createTimer(order.patient() ? Duration.ofHours(24) : Duration.ofMillis(200));
                Task<?> winner = ctx.anyOf(approval, tooLate).await();
                if (winner == tooLate) {
                    ctx.complete("cancelled, since nobody answered");
                    return;
                }
                var answer = approval.await();
                ctx.complete((answer.approved() ? "approved by " : "refused by ") + answer.by());
            };
        }
    }

    public static class Survey implements Workflow {
        @Override
        public WorkflowStub create() {
            return ctx -> {
                var first = ctx.waitForExternalEvent("vote", Duration.ofHours(1), String.class).await();
                ctx.waitForExternalEvent("break").await();
                var second = ctx.waitForExternalEvent("vote", String.class).await();
                try {
                    ctx.waitForExternalEvent("vote", Duration.ofMillis(100)).await();
                } catch (TaskCanceledException error) {
                    ctx.complete(List.of(first, second, error.getTaskId() > 0, error.getTaskName(), "no more"));
                }
            };
        }
    }

    public static void main(String[] args) throws Exception {
        var builder = new WorkflowRuntimeBuilder().registerWorkflow(Purchase.class).registerWorkflow(Survey.class);
        try (var runtime = builder.build(); var client = new DaprWorkflowClient()) {
            runtime.start(false);
            var orders = List.of(
                    new Order("pencils", 20, true), new Order("a lathe", 4000, true),
                    new Order("a yacht", 90000, true), new Order("a harp", 2000, false));
            for (var order : orders) {
                var id = client.scheduleNewWorkflow(Purchase.class, order);
                client.waitForWorkflowStart(id, Duration.ofSeconds(30), false);
                if (order.cost() == 4000) {
                    client.raiseEvent(id, "approval", new Answer(true, "Grace"));
                } else if (order.cost() == 90000) {
                    client.raiseEvent(id, "approval", new Answer(false, "Edsger"));
                }
                var state = client.waitForWorkflowCompletion(id, Duration.ofSeconds(30), true);
                System.out.println(state.getRuntimeStatus() + " " + state.getSerializedOutput());
            }
            var id = client.scheduleNewWorkflow(Survey.class);
            client.waitForWorkflowStart(id, Duration.ofSeconds(30), false);
            client.raiseEvent(id, "vote", "yes");
            client.raiseEvent(id, "break", null);
            client.raiseEvent(id, "vote", "no");
            var state = client.waitForWorkflowCompletion(id, Duration.ofSeconds(30), true);
            System.out.println(state.getRuntimeStatus() + " " + state.getSerializedOutput());
            // The official runtime takes a minute to close.
            System.exit(0);
        }
    }
}
