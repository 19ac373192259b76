package io.github.everstep.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.everstep.EverstepException;
import io.github.everstep.NotFoundException;
import io.github.everstep.RerunOptions;
import io.github.everstep.Reuse;
import io.github.everstep.StartOptions;
import io.github.everstep.TerminateOptions;
import io.github.everstep.TypeRef;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;

/** Takes the steps of a case. A step that there is not is an error, as is a key that a step does not know. */
final class Steps {
    private static final Map<String, List<String>> KEYS = Map.ofEntries(
            Map.entry("start", List.of(
                    "workflow", "id", "version", "input", "start_in_ms", "options", "tags", "reuse", "component", "as", "expect")),
            Map.entry("rerun", List.of("id", "from", "new_id", "input", "as", "expect")),
            Map.entry("wait_for_start", List.of("id", "timeout_ms", "expect")),
            Map.entry("wait_for_completion", List.of("id", "timeout_ms", "expect")),
            Map.entry("await", List.of("id", "expect")),
            Map.entry("result", List.of("id", "run", "timeout_ms", "expect")),
            Map.entry("get", List.of("id", "component", "payloads", "expect")),
            Map.entry("pause", List.of("id", "reason")),
            Map.entry("resume", List.of("id", "reason")),
            Map.entry("raise_event", List.of("id", "event", "data")),
            Map.entry("terminate", List.of("id", "output", "recursive")),
            Map.entry("purge", List.of("id", "recursive", "expect")),
            Map.entry("bulk", List.of("action", "filter", "output", "recursive", "reason", "expect")),
            Map.entry("count", List.of("filter", "expect")),
            Map.entry("list", List.of("filter", "limit", "payloads", "expect")),
            Map.entry("history", List.of("id", "expect")),
            Map.entry("watch", List.of("id", "until", "as", "expect")),
            Map.entry("deploy", List.of("fixtures")),
            Map.entry("open_worker", List.of("name", "fixtures")),
            Map.entry("close_worker", List.of("name")),
            Map.entry("restart", List.of()),
            Map.entry("close", List.of()));

    private final World world;
    private final Looks looks;

    Steps(World world) {
        this.world = world;
        this.looks = new Looks(world);
    }

    /** Takes a step, which must succeed, or fail as it says. */
    void take(Map<String, Object> given) throws Exception {
        var all = Step.of(given, world.names, world.patience);
        var step = all.without("do", "error");
        String kind = all.text("do");
        if (!KEYS.containsKey(kind)) throw new IllegalArgumentException("unknown step " + kind);
        Json.only(step.fields(), KEYS.get(kind));
        if (!all.has("error")) {
            take(kind, step);
            return;
        }
        var expected = Json.object(all.get("error"));
        Json.only(expected, List.of("code", "failure"));
        var error = assertThrows(EverstepException.class, () -> take(kind, step));
        assertEquals(expected.get("code"), error.code(), error.getMessage());
        if (expected.containsKey("failure")) States.failure(error.failure(), Json.object(expected.get("failure")));
    }

    private void take(String kind, Step step) throws Exception {
        var client = world.client();
        switch (kind) {
            case "start" -> start(step);
            case "rerun" -> rerun(step);
            case "wait_for_start" -> States.check(client.waitForWorkflowStart(step.id(), step.timeout()), step.expected());
            case "wait_for_completion" ->
                States.check(client.waitForWorkflowCompletion(step.id(), step.timeout()), step.expected());
            case "await" -> await(step);
            case "result" -> result(step);
            case "get" -> get(step);
            case "pause" -> client.pauseWorkflow(step.id(), step.text("reason"));
            case "resume" -> client.resumeWorkflow(step.id(), step.text("reason"));
            case "raise_event" -> raiseEvent(step);
            case "terminate" -> terminate(step);
            case "purge" -> purge(step);
            case "bulk" -> looks.bulk(step);
            case "count" -> looks.count(step);
            case "list" -> looks.list(step);
            case "history" -> looks.history(step);
            case "watch" -> looks.watch(step);
            case "deploy" -> world.deploy(Json.texts(step.get("fixtures")));
            case "open_worker" -> world.openWorker(step.text("name"), Json.texts(step.get("fixtures")));
            case "close_worker" -> world.closeWorker(step.text("name"));
            case "restart" -> world.restart();
            case "close" -> world.closeClient();
            default -> throw new IllegalArgumentException("unknown step " + kind);
        }
    }

    private void start(Step step) {
        var options = StartOptions.none();
        if (step.has("id")) options = options.withInstanceId(step.id());
        if (step.has("version")) options = options.withVersion(step.text("version"));
        if (step.has("options")) options = options.withOptions(texts(step.get("options")));
        if (step.has("tags")) options = options.withTags(texts(step.get("tags")));
        if (step.has("reuse")) options = options.withReuse(Reuse.valueOf(step.text("reuse").toUpperCase(Locale.ROOT)));
        if (step.has("start_in_ms")) options = options.withDelay(Duration.ofMillis(Json.number(step.get("start_in_ms"))));
        Object input = step.has("input") ? Json.present(step.get("input")) : null;
        keep(client(step).startWorkflow(step.text("workflow"), input, Object.class, options), step);
    }

    private void rerun(Step step) {
        var options = RerunOptions.none();
        if (step.has("new_id")) options = options.withNewInstanceId(step.text("new_id"));
        if (step.has("input")) options = options.withInput(Json.present(step.get("input")));
        keep(world.client().rerunWorkflow(step.id(), (int) Json.number(step.get("from")), Object.class, options), step);
    }

    private void keep(Api.Handle handle, Step step) {
        if (step.has("as")) {
            world.names.put(step.text("as"), handle.instanceId());
            world.runs.put(step.text("as"), handle.executionId());
        }
        if (step.has("expect")) assertEquals(step.expected(), Map.of("uuid", UUID.fromString(handle.instanceId()).version()));
    }

    private void await(Step step) throws InterruptedException {
        long deadline = System.nanoTime() + step.timeout().toNanos();
        for (;; Thread.sleep(2)) {
            try {
                States.check(world.client().getWorkflow(step.id()), step.expected());
                return;
            } catch (AssertionError | NotFoundException early) {
                if (System.nanoTime() > deadline) throw early;
            }
        }
    }

    private void result(Step step) {
        var run = step.text("run");
        var handle = run == null
                ? world.client().getHandle(step.id(), Object.class)
                : world.client().getHandle(world.names.get(run), world.runs.get(run), TypeRef.of(Object.class));
        Object found = handle.result(step.timeout());
        if (step.expected() == null) return;
        Json.only(step.expected(), List.of("output"));
        States.same(found, step.expected().get("output"));
    }

    private void get(Step step) {
        States.check(client(step).getWorkflow(step.id(), step.flag("payloads", true)), step.expected());
    }

    private Api client(Step step) {
        return step.has("component") ? world.client().component(step.text("component")) : world.client();
    }

    private void raiseEvent(Step step) {
        Object data = step.has("data") ? Json.present(step.get("data")) : null;
        world.client().raiseWorkflowEvent(step.id(), step.text("event"), data);
    }

    private void terminate(Step step) {
        var options = TerminateOptions.recursive(step.flag("recursive", true));
        if (step.has("output")) options = options.withOutput(Json.present(step.get("output")));
        world.client().terminateWorkflow(step.id(), options);
    }

    private void purge(Step step) {
        long count = world.client().purgeWorkflow(step.id(), step.flag("recursive", true));
        if (step.has("expect")) States.same(Map.of("count", count), step.expected());
    }

    private static Map<String, String> texts(Object object) {
        var texts = new HashMap<String, String>();
        Json.object(object).forEach((key, value) -> texts.put(key, (String) value));
        return texts;
    }
}
