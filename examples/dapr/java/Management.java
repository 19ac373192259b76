import io.github.everstep.dapr.DaprWorkflowClient;
import io.github.everstep.dapr.NewWorkflowOptions;
import io.github.everstep.dapr.Workflow;
import io.github.everstep.dapr.WorkflowInstanceStatus;
import io.github.everstep.dapr.WorkflowRuntimeBuilder;
import io.github.everstep.dapr.WorkflowRuntimeStatus;
import io.github.everstep.dapr.WorkflowStub;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;

/** Managing instances: suspend, resume, terminate, purge, start later, by the newer and the older names. */
public class Management {
    public static class Patient implements Workflow {
        @Override
        public WorkflowStub create() {
            return ctx -> ctx.complete(ctx.waitForExternalEvent("go", String.class).await());
        }
    }

    public static class Echo implements Workflow {
        @Override
        public WorkflowStub create() {
            return ctx -> ctx.complete(ctx.getInput(String.class));
        }
    }

    private static void until(DaprWorkflowClient client, String id, WorkflowRuntimeStatus status) throws Exception {
        var deadline = Instant.now().plusSeconds(30);
        while (client.getWorkflowState(id, false).getRuntimeStatus() != status) {
            if (Instant.now().isAfter(deadline)) {
                throw new IllegalStateException(id + " does not become " + status);
            }
            Thread.sleep(20);
        }
    }

    public static void main(String[] args) throws Exception {
        var builder = new WorkflowRuntimeBuilder().registerWorkflow(Patient.class).registerWorkflow("echo", Echo.class);
        try (var runtime = builder.build(); var client = new DaprWorkflowClient()) {
            runtime.start(false);
            var wait = Duration.ofSeconds(30);

            var held = client.scheduleNewWorkflow(Patient.class, null, "manage-held");
            client.waitForWorkflowStart(held, wait, false);
            client.suspendWorkflow(held, "a break");
            until(client, held, WorkflowRuntimeStatus.SUSPENDED);
            client.raiseEvent(held, "go", "at last");
            System.out.println("suspended: " + client.getWorkflowState(held, false).getRuntimeStatus());
            client.resumeWorkflow(held, "the break is over");
            System.out.println("resumed: " + client.waitForWorkflowCompletion(held, wait, true).getSerializedOutput());

            var ended = client.scheduleNewWorkflow(Patient.class, null, "manage-ended");
            WorkflowInstanceStatus old = client.waitForInstanceStart(ended, wait, false);
            System.out.println(old.getInstanceId() + " " + old.getName() + " " + old.isRunning());
            client.terminateWorkflow(ended, Map.of("why", "closing time"));
            old = client.waitForInstanceCompletion(ended, wait, true);
            System.out.println(old.getRuntimeStatus() + " " + old.readOutputAs(Map.class) + " " + old.isCompleted());

            var later = Instant.now().plusMillis(300);
            var options = new NewWorkflowOptions().setInstanceId("manage-later").setInput("good morning").setStartTime(later).setVersion(null);
            System.out.println(options.getInstanceId() + " " + options.getInput() + " " + options.getStartTime().equals(later)
                    + " " + options.getVersion());
            var delayed = client.scheduleNewWorkflow("echo", options);
            var state = client.waitForWorkflowCompletion(delayed, wait, true);
            System.out.println("delayed: " + state.getSerializedOutput() + " " + !state.getLastUpdatedAt().isBefore(later));
            System.out.println(client.scheduleNewWorkflow("echo", "again", "manage-echo"));
            old = client.waitForInstanceCompletion("manage-echo", wait, true);
            System.out.println(old.getSerializedInput() + " " + old.getSerializedOutput() + " " + old.readInputAs(String.class));
            System.out.println(!old.getCreatedAt().isAfter(old.getLastUpdatedAt()));

            var waiting = client.scheduleNewWorkflow(Patient.class.getCanonicalName());
            client.waitForWorkflowStart(waiting, wait, false);
            try {
                client.waitForWorkflowCompletion(waiting, Duration.ofMillis(200), false);
            } catch (TimeoutException error) {
                System.out.println("it takes too long");
            }
            client.terminateWorkflow(waiting, null);
            System.out.println(client.waitForWorkflowCompletion(waiting, wait, true).getRuntimeStatus());

            System.out.println(List.of(
                    WorkflowRuntimeStatus.PENDING, WorkflowRuntimeStatus.RUNNING, WorkflowRuntimeStatus.CONTINUED_AS_NEW,
                    WorkflowRuntimeStatus.COMPLETED, WorkflowRuntimeStatus.FAILED, WorkflowRuntimeStatus.TERMINATED,
                    WorkflowRuntimeStatus.valueOf("CANCELED"), WorkflowRuntimeStatus.values().length > 7));

            System.out.println("purged: " + client.purgeWorkflow(held) + " " + client.purgeInstance(ended));
            System.out.println("the state after that: " + client.getInstanceState("manage-echo", true).getRuntimeStatus());
            // The official runtime takes a minute to close.
            System.exit(0);
        }
    }
}
