import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.dapr.durabletask.Task;
import io.dapr.durabletask.TaskFailedException;
import io.dapr.workflows.Workflow;
import io.dapr.workflows.WorkflowActivity;
import io.dapr.workflows.WorkflowContext;
import io.dapr.workflows.WorkflowStub;
import io.dapr.workflows.client.DaprWorkflowClient;
import io.dapr.workflows.client.WorkflowState;
import io.dapr.workflows.runtime.WorkflowRuntimeBuilder;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** The official Java SDK's side of the crossing: {@code Program worker} or {@code Program client}. See ../README.md. */
public final class Program {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

  public record Address(String city, int zip) {}

  private static Workflow workflow(WorkflowStub stub) {
    return () -> stub;
  }

  private static void register(WorkflowRuntimeBuilder builder, String name, WorkflowStub stub) {
    builder.registerWorkflow(name, workflow(stub), null, null);
  }

  private static void worker() throws Exception {
    var builder = new WorkflowRuntimeBuilder();
    builder.registerActivity("plus_one", (WorkflowActivity) ctx -> ctx.getInput(Integer.class) + 1);
    builder.registerActivity("explode", (WorkflowActivity) ctx -> {
      throw new IllegalStateException(ctx.getInput(String.class), new IllegalArgumentException("deeper"));
    });
    builder.registerActivity("idle", (WorkflowActivity) ctx -> null);
    builder.registerActivity("locate", (WorkflowActivity) ctx -> new Address("Ghent", 9000));
    register(builder, "chain", ctx -> {
      int number = ctx.getInput(Integer.class);
      for (int i = 0; i < 3; i++) {
        number = plusOne(ctx, number).await();
      }
      ctx.complete(number);
    });
    register(builder, "fan_out", ctx -> {
      List<Task<Integer>> tasks = new ArrayList<>();
      for (int number : ctx.getInput(int[].class)) {
        tasks.add(plusOne(ctx, number));
      }
      ctx.complete(ctx.allOf(tasks).await().stream().mapToInt(Integer::intValue).sum());
    });
    register(builder, "timer", ctx -> {
      ctx.createTimer(Duration.ofMillis((long) (ctx.getInput(Double.class) * 1000))).await();
      ctx.complete("fired");
    });
    register(builder, "approval", ctx -> {
      ctx.setCustomStatus("waiting");
      ctx.complete(ctx.waitForExternalEvent("Approval", Object.class).await());
    });
    register(builder, "deploy", ctx -> {
      int number = plusOne(ctx, ctx.getInput(Integer.class)).await();
      ctx.waitForExternalEvent("deployed").await();
      number = plusOne(ctx, number).await();
      ctx.waitForExternalEvent("verified").await();
      ctx.complete(number);
    });
    register(builder, "changed", ctx -> {
      int number = plusOne(ctx, ctx.getInput(Integer.class)).await();
      ctx.waitForExternalEvent("deployed").await();
      ctx.complete(number);
    });
    register(builder, "family", ctx ->
        ctx.complete(ctx.callChildWorkflow("chain", ctx.getInput(Integer.class), Integer.class).await()));
    register(builder, "failing", ctx -> ctx.callActivity("explode", ctx.getInput(String.class)).await());
    register(builder, "bad_family", ctx -> ctx.callChildWorkflow("failing", ctx.getInput(String.class)).await());
    register(builder, "caught", ctx -> {
      try {
        ctx.callActivity("explode", ctx.getInput(String.class)).await();
      } catch (TaskFailedException error) {
        ctx.complete("caught");
      }
    });
    register(builder, "generations", ctx -> {
      int left = ctx.getInput(Integer.class);
      if (left > 0) {
        ctx.createTimer(Duration.ofMillis(10)).await();
        ctx.continueAsNew(left - 1, true);
        return;
      }
      ctx.complete(ctx.waitForExternalEvent("go", Object.class).await());
    });
    register(builder, "nothing", ctx -> {
      Object given = ctx.getInput(Object.class);
      Object result = ctx.callActivity("idle", Object.class).await();
      if (given != null || result != null) {
        throw new IllegalStateException("nothing became " + given + " and " + result);
      }
    });
    register(builder, "address", ctx -> ctx.complete(ctx.callActivity("locate", Address.class).await()));
    builder.build().start(false);
    OUT.println("ready");
    while (System.in.read() >= 0) {}
    System.exit(0);
  }

  private static Task<Integer> plusOne(WorkflowContext ctx, int number) {
    return ctx.callActivity("plus_one", number, Integer.class);
  }

  private static void client() throws Exception {
    var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    try (var client = new DaprWorkflowClient()) {
      for (String line; (line = lines.readLine()) != null; ) {
        ObjectNode answer = JSON.createObjectNode();
        try {
          answer.set("answer", JSON.valueToTree(obey(client, JSON.readTree(line))));
        } catch (Exception error) {
          answer.put("error", error.getClass().getSimpleName() + ": " + error.getMessage());
        }
        OUT.println(JSON.writeValueAsString(answer));
      }
    }
  }

  private static Object obey(DaprWorkflowClient client, JsonNode command) throws Exception {
    String id = command.get("id").asText();
    switch (command.get("do").asText()) {
      case "start":
        JsonNode record = command.get("record");
        Object input = record == null ? value(command, "input") : JSON.treeToValue(record, Address.class);
        return client.scheduleNewWorkflow(command.get("workflow").asText(), input, id);
      case "state":
        return shown(client.getWorkflowState(id, true));
      case "wait":
        return shown(client.waitForWorkflowCompletion(id, Duration.ofSeconds(command.get("timeout").asInt()), true));
      case "raise_event":
        client.raiseEvent(id, command.get("event").asText(), value(command, "data"));
        return null;
      case "pause":
        client.suspendWorkflow(id, null);
        return null;
      case "resume":
        client.resumeWorkflow(id, null);
        return null;
      case "terminate":
        client.terminateWorkflow(id, value(command, "output"));
        return null;
      case "purge":
        return client.purgeWorkflow(id);
      default:
        throw new IllegalArgumentException(command.toString());
    }
  }

  private static Object value(JsonNode command, String key) throws Exception {
    return command.has(key) ? JSON.treeToValue(command.get(key), Object.class) : null;
  }

  private static ObjectNode shown(WorkflowState state) {
    ObjectNode shown = JSON.createObjectNode();
    shown.put("name", state.getName());
    shown.put("status", state.getRuntimeStatus().name());
    shown.put("input", state.getSerializedInput());
    shown.put("output", state.getSerializedOutput());
    // The state of this SDK has no custom status, and its failure is there even when nothing failed.
    var failure = state.getFailureDetails();
    if (failure == null || failure.getErrorType() == null || failure.getErrorType().isEmpty()) {
      shown.putNull("failure");
    } else {
      shown.putArray("failure").add(failure.getErrorType()).add(failure.getErrorMessage());
    }
    return shown;
  }

  public static void main(String[] arguments) throws Exception {
    if (arguments[0].equals("worker")) {
      worker();
    } else {
      client();
    }
  }
}
