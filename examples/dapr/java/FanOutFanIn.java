import io.github.everstep.dapr.CompositeTaskFailedException;
import io.github.everstep.dapr.DaprWorkflowClient;
import io.github.everstep.dapr.Task;
import io.github.everstep.dapr.TaskFailedException;
import io.github.everstep.dapr.Workflow;
import io.github.everstep.dapr.WorkflowActivity;
import io.github.everstep.dapr.WorkflowRuntimeBuilder;
import io.github.everstep.dapr.WorkflowStub;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;

/** Many at once: allOf gives the results in the order of the tasks, whichever ends first. */
public class FanOutFanIn {
    public static class CountWords implements Workflow {
        @Override
        public WorkflowStub create() {
            return ctx -> {
                List<?> inputs = ctx.getInput(List.class);
                List<Task<Integer>> tasks =
                        inputs.stream().map(input -> ctx.callActivity("count", input, Integer.class)).collect(Collectors.toList());
                List<Integer> results = ctx.allOf(tasks).await();
                ctx.complete(results + " " + results.stream().mapToInt(Integer::intValue).sum());
            };
        }
    }

    public static class SomeFail implements Workflow {
        @Override
        public WorkflowStub create() {
            return ctx -> {
                var tasks = List.of(
                        ctx.callActivity("fail", "a", Integer.class),
                        ctx.callActivity("count", "two words", Integer.class),
                        ctx.callActivity("fail", "b", Integer.class));
                try {
                    ctx.allOf(tasks).await();
                } catch (CompositeTaskFailedException error) {
                    var messages = error.getExceptions().stream()
                            .map(each -> ((TaskFailedException) each).getErrorDetails().getErrorMessage())
                            .toList();
                    ctx.complete(messages + " " + tasks.get(1).isDone());
                }
            };
        }
    }

    public static void main(String[] args) throws Exception {
        var builder = new WorkflowRuntimeBuilder().registerWorkflow(CountWords.class).registerWorkflow(SomeFail.class);
        builder.registerActivity("count", (WorkflowActivity) ctx -> {
            var text = ctx.getInput(String.class);
            pause(60 - 10 * text.length() / 5);
            return text.split(" ").length;
        });
        builder.registerActivity("fail", (WorkflowActivity) ctx -> {
            throw new IllegalArgumentException(ctx.getInput(String.class) + " cannot be counted");
        });
        try (var runtime = builder.build(); var client = new DaprWorkflowClient()) {
            runtime.start(false);
            var lines = List.of("Hello, world!", "The quick brown fox", "jumps over the lazy dog.", "End");
            for (var id : List.of(
                    client.scheduleNewWorkflow(CountWords.class, lines), client.scheduleNewWorkflow(SomeFail.class))) {
                var state = client.waitForWorkflowCompletion(id, Duration.ofSeconds(30), true);
                System.out.println(state.getRuntimeStatus() + " " + state.getSerializedOutput());
            }
            // The official runtime takes a minute to close.
            System.exit(0);
        }
    }

    private static void pause(int milliseconds) {
        try {
            Thread.sleep(Math.max(milliseconds, 1));
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
