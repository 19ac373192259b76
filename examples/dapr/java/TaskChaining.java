import io.github.everstep.dapr.DaprWorkflowClient;
import io.github.everstep.dapr.Workflow;
import io.github.everstep.dapr.WorkflowActivity;
import io.github.everstep.dapr.WorkflowActivityContext;
import io.github.everstep.dapr.WorkflowRuntimeBuilder;
import io.github.everstep.dapr.WorkflowStub;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The output of one activity is the input of the next. */
public class TaskChaining {
    public static class DemoChainWorkflow implements Workflow {
        @Override
        public WorkflowStub create() {
            return ctx -> {
                var result = "";
                result += ctx.callActivity(ToUpperCaseActivity.class.getName(), "Tokyo", String.class).await() + ", ";
                result += ctx.callActivity(ToUpperCaseActivity.class.getName(), "London", String.class).await() + ", ";
                result += ctx.callActivity(ToUpperCaseActivity.class.getName(), "Seattle", String.class).await();
                ctx.complete(result);
            };
        }
    }

    public static class ToUpperCaseActivity implements WorkflowActivity {
        @Override
        public Object run(WorkflowActivityContext ctx) {
            return ctx.getInput(String.class).toUpperCase();
        }
    }

    public record Line(String item, int count) {}

    public static void main(String[] args) throws Exception {
        var builder = new WorkflowRuntimeBuilder();
        builder.registerWorkflow(DemoChainWorkflow.class);
        builder.registerWorkflow("doubling", DoublingWorkflow.class);
        builder.registerWorkflow(new LinesWorkflow());
        // Named by their classes' own names, which are not the canonical ones.
        builder.registerActivity(ToUpperCaseActivity.class.getName(), ToUpperCaseActivity.class);
        builder.registerActivity("twice", ctx -> ctx.getInput(Integer.class) * 2);
        builder.registerActivity("count", new CountActivity());
        try (var runtime = builder.build(); var client = new DaprWorkflowClient()) {
            runtime.start(false);
            var ids = new ArrayList<String>();
            ids.add(client.scheduleNewWorkflow(DemoChainWorkflow.class));
            ids.add(client.scheduleNewWorkflow("doubling", 3));
            ids.add(client.scheduleNewWorkflow(LinesWorkflow.class, List.of("lamp", "desk")));
            for (var id : ids) {
                var state = client.waitForWorkflowCompletion(id, Duration.ofSeconds(30), true);
                System.out.println(state.getName() + ": " + state.getSerializedOutput());
            }
            // The official runtime takes a minute to close.
            System.exit(0);
        }
    }

    public static class DoublingWorkflow implements Workflow {
        @Override
        public WorkflowStub create() {
            return ctx -> {
                int number = ctx.getInput(Integer.class);
                while (number < 1000) {
                    number = ctx.callActivity("twice", number, Integer.class).await();
                }
                ctx.complete(number);
            };
        }
    }

    public static class LinesWorkflow implements Workflow {
        @Override
        public WorkflowStub create() {
            return ctx -> {
                var lines = new ArrayList<Line>();
                for (var item : ctx.getInput(String[].class)) {
                    lines.add(ctx.callActivity("count", Map.of("item", item), Line.class).await());
                }
                ctx.complete(lines);
            };
        }
    }

    public static class CountActivity implements WorkflowActivity {
        @Override
        public Object run(WorkflowActivityContext ctx) {
            var item = (String) ctx.getInput(Map.class).get("item");
            return new Line(item, item.length());
        }
    }
}
