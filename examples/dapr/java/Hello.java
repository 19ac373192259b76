import io.github.everstep.dapr.DaprWorkflowClient;
import io.github.everstep.dapr.Workflow;
import io.github.everstep.dapr.WorkflowActivity;
import io.github.everstep.dapr.WorkflowActivityContext;
import io.github.everstep.dapr.WorkflowRuntime;
import io.github.everstep.dapr.WorkflowRuntimeBuilder;
import io.github.everstep.dapr.WorkflowState;
import io.github.everstep.dapr.WorkflowStub;
import java.time.Duration;

/** The first workflow: two activities, one after the other, and an input that comes back changed. */
public class Hello {
    public static class HelloWorkflow implements Workflow {
        @Override
        public WorkflowStub create() {
            return ctx -> {
                ctx.getLogger().info("Starting Workflow: {}", ctx.getName());
                var name = ctx.getInput(String.class);
                var greeting = ctx.callActivity(Greet.class.getCanonicalName(), name, String.class).await();
                var length = ctx.callActivity("measure", greeting, Integer.class).await();
                ctx.complete(new Greeting(greeting, length));
            };
        }
    }

    public static class Greet implements WorkflowActivity {
        @Override
        public Object run(WorkflowActivityContext ctx) {
            return "Good morning, " + ctx.getInput(String.class);
        }
    }

    public static class Measure implements WorkflowActivity {
        @Override
        public Object run(WorkflowActivityContext ctx) {
            ctx.getLogger().debug("measuring");
            System.out.println("activity " + ctx.getName() + " measures " + ctx.getInput(String.class));
            return ctx.getInput(String.class).length();
        }
    }

    public record Greeting(String greeting, int length) {}

    public static void main(String[] args) throws Exception {
        WorkflowRuntimeBuilder builder = new WorkflowRuntimeBuilder().registerWorkflow(HelloWorkflow.class);
        builder.registerActivity(Greet.class);
        builder.registerActivity("measure", Measure.class);
        try (WorkflowRuntime runtime = builder.build(); DaprWorkflowClient client = new DaprWorkflowClient()) {
            runtime.start(false);
            String id = client.scheduleNewWorkflow(HelloWorkflow.class, "Ada", "hello-1");
            WorkflowState started = client.waitForWorkflowStart(id, Duration.ofSeconds(30), false);
            WorkflowState state = client.waitForWorkflowCompletion(id, Duration.ofSeconds(30), true);
            System.out.println(id + " has started as " + started.getName());
            System.out.println(state.getRuntimeStatus() + " " + state.getSerializedInput() + " " + state.getSerializedOutput());
            System.out.println(state.readInputAs(String.class) + ", " + state.readOutputAs(Greeting.class));
            System.out.println(state.isCompleted() + " " + state.isRunning() + " " + state.getWorkflowId());
            System.out.println(!state.getLastUpdatedAt().isBefore(state.getCreatedAt()));
            // The official runtime takes a minute to close.
            System.exit(0);
        }
    }
}
