import io.github.everstep.dapr.DaprWorkflowClient;
import io.github.everstep.dapr.Properties;
import io.github.everstep.dapr.Property;
import io.github.everstep.dapr.Workflow;
import io.github.everstep.dapr.WorkflowActivity;
import io.github.everstep.dapr.WorkflowContext;
import io.github.everstep.dapr.WorkflowRuntime;
import io.github.everstep.dapr.WorkflowRuntimeBuilder;
import io.github.everstep.dapr.WorkflowStub;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** What contexts know, where activities run, and what a client and a runtime may be told. */
public class Contexts {
    public static class Knowing implements Workflow {
        @Override
        public WorkflowStub create() {
            return this::know;
        }

        private void know(WorkflowContext ctx) {
            var uuids = List.of(ctx.newUuid(), ctx.newUuid());
            var near = Duration.between(ctx.getCurrentInstant(), Instant.now()).abs().toMinutes() < 5;
            var activity = ctx.callActivity("about", "something", List.class).await();
            ctx.getLogger().info("replaying: {}", ctx.isReplaying());
            ctx.complete(List.of(ctx.getName(), ctx.getInstanceId(), near, uuids.get(0).equals(uuids.get(1)), activity));
        }
    }

    public static void main(String[] args) throws Exception {
        ExecutorService executor = Executors.newFixedThreadPool(2, task -> new Thread(task, "mine"));
        var properties = new Properties(Map.of("dapr.api.token", "nobody-asks-for-it"));
        System.out.println(properties.getValue(Properties.API_TOKEN) + " " + new Properties().getValue(Properties.SIDECAR_IP));
        List<Property<?>> known = List.of(
                Properties.SIDECAR_IP, Properties.GRPC_PORT, Properties.GRPC_ENDPOINT, Properties.API_TOKEN,
                Properties.GRPC_TLS_CERT_PATH, Properties.GRPC_TLS_KEY_PATH, Properties.GRPC_TLS_CA_PATH);
        known.forEach(property -> System.out.println(property.getName() + " " + property.getEnvName()));
        var builder = new WorkflowRuntimeBuilder(properties).withExecutorService(executor).registerWorkflow(new Knowing());
        builder.registerActivity("about", (WorkflowActivity) ctx -> List.of(
                ctx.getName(), ctx.getInput(String.class), !ctx.getTaskExecutionId().isEmpty(),
                Thread.currentThread().getName(), ctx.getTraceParent() instanceof String));
        try (WorkflowRuntime runtime = builder.build(); var client = new DaprWorkflowClient(properties)) {
            runtime.start(false);
            var id = client.scheduleNewWorkflow(Knowing.class, null, "contexts-1");
            System.out.println(client.waitForWorkflowCompletion(id, Duration.ofSeconds(30), true).getSerializedOutput());
            // The official runtime takes a minute to close.
            System.exit(0);
        }
    }
}
