import io.github.everstep.dapr.DaprWorkflowClient;
import io.github.everstep.dapr.Task;
import io.github.everstep.dapr.Workflow;
import io.github.everstep.dapr.WorkflowActivity;
import io.github.everstep.dapr.WorkflowRuntimeBuilder;
import io.github.everstep.dapr.WorkflowStub;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** What a task tells before and after it was waited for, and what is made of it. */
public class Tasks {
    public static class Looking implements Workflow {
        @Override
        public WorkflowStub create() {
            return ctx -> {
                var seen = new ArrayList<Object>();
                Task<String> task = ctx.callActivity("echo", "fine", String.class);
                seen.add(task.isDone());
                Task<Integer> length = task.thenApply(String::length);
                Task<Void> noted = task.thenAccept(text -> seen.add("noted " + text));
                seen.add(length.await());
                noted.await();
                seen.add(task.isDone());
                seen.add(task.isCancelled());
                seen.add(task.await());
                ctx.complete(seen);
            };
        }
    }

    public static class Racing implements Workflow {
        @Override
        public WorkflowStub create() {
            return ctx -> {
                Task<Void> slow = ctx.createTimer(Duration.ofHours(1));
                Task<String> quick = ctx.callActivity("echo", "quick", String.class);
                List<Task<?>> tasks = List.of(slow, quick);
                Task<?> winner = ctx.anyOf(tasks).await();
                ctx.complete(List.of(winner == quick, slow.isDone(), winner.await()));
            };
        }
    }

    public static void main(String[] args) throws Exception {
        var builder = new WorkflowRuntimeBuilder().registerWorkflow(Looking.class).registerWorkflow(Racing.class);
        builder.registerActivity("echo", (WorkflowActivity) ctx -> ctx.getInput(String.class));
        try (var runtime = builder.build(); var client = new DaprWorkflowClient()) {
            runtime.start(false);
            for (var workflow : List.of(Looking.class, Racing.class)) {
                var id = client.scheduleNewWorkflow(workflow);
                var state = client.waitForWorkflowCompletion(id, Duration.ofSeconds(30), true);
                System.out.println(state.getRuntimeStatus() + " " + state.getSerializedOutput());
            }
            // The official runtime takes a minute to close.
            System.exit(0);
        }
    }
}
