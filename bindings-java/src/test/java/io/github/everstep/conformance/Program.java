package io.github.everstep.conformance;

import io.github.everstep.ApplicationException;
import io.github.everstep.CallOptions;
import io.github.everstep.ChildOptions;
import io.github.everstep.MapOptions;
import io.github.everstep.NamedWorkflow;
import io.github.everstep.Outcome;
import io.github.everstep.Retry;
import io.github.everstep.Task;
import io.github.everstep.TypeRef;
import io.github.everstep.Workflow;
import io.github.everstep.WorkflowContext;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;

/** Runs a program of {@code conformance/fixtures.json} as an ordinary workflow; {@code fixtures.md} is the language. */
public final class Program {
    private static final Set<String> KEYS = Set.of("name", "body", "activities", "variant", "version", "about");
    /** What a block gives that did not end the program. */
    private static final Object WENT_ON = new Object();

    private final WorkflowContext context;
    private final Expressions values;

    private Program(WorkflowContext context, Object input) {
        this.context = context;
        this.values = new Expressions(context);
        values.set("input", input);
    }

    /** The workflow of a fixture. */
    public static NamedWorkflow<Object, Object> of(Map<String, Object> fixture) {
        Json.only(fixture, KEYS);
        var body = Json.objects(fixture.get("body"));
        var version = (String) fixture.get("version");
        var workflow = Workflow.of((String) fixture.get("name"), Object.class, Object.class, (context, input) -> {
            Object output = new Program(context, input).block(body);
            return output == WENT_ON ? null : output;
        });
        return version == null ? workflow : workflow.withVersion(version);
    }

    private Object block(Object operations) throws Exception {
        for (var operation : Json.objects(operations)) {
            Object output = operation(operation);
            if (output != WENT_ON) return output;
        }
        return WENT_ON;
    }

    /** Does one operation; gives the program's output if that ended it. */
    private Object operation(Map<String, Object> operation) throws Exception {
        String kind = operation.keySet().iterator().next();
        Object main = operation.get(kind);
        switch (kind) {
            case "activity", "child", "timer", "timer_at", "event" -> {
                var asked = ask(operation);
                keep(operation, asked == null ? null : asked.await());
            }
            case "begin" -> keep(operation, ask(Json.object(main)));
            case "await" -> keep(operation, task(main).await());
            case "all" -> keep(operation, together(operation, tasks(main)));
            case "each" -> keep(operation, together(operation, each(operation, main)));
            case "map" -> keep(operation, map(operation));
            case "any" -> keep(operation, any(operation, main));
            case "cancel" -> task(main).cancel();
            case "send" -> send(operation, main);
            case "status" -> context.setCustomStatus(values.compute(main));
            case "patch" -> keep(operation, context.isPatched(values.text(main)));
            case "set" -> values.set((String) main, values.compute(operation.get("to")));
            case "if" -> {
                return block(operation.getOrDefault(Expressions.isTrue(values.compute(main)) ? "then" : "else", List.of()));
            }
            case "while" -> {
                while (Expressions.isTrue(values.compute(main))) {
                    Object output = block(operation.get("do"));
                    if (output != WENT_ON) return output;
                }
            }
            case "for" -> {
                for (var item : Json.array(values.compute(operation.get("in")))) {
                    values.set((String) main, item);
                    Object output = block(operation.get("do"));
                    if (output != WENT_ON) return output;
                }
            }
            case "try" -> {
                try {
                    return block(main);
                } catch (Exception error) {
                    keep(operation, Failures.described(error));
                    return block(operation.get("catch"));
                }
            }
            case "raise" -> throw new ApplicationException(values.text(main), values.text(operation.get("message")));
            case "return" -> {
                return values.compute(main);
            }
            case "continue_as_new" ->
                context.continueAsNew(Json.present(values.compute(main)), operation.get("keep_events") != Boolean.FALSE);
            case "non_durable" -> new CountDownLatch(1).await();
            default -> throw new AssertionError("unknown operation " + kind);
        }
        return WENT_ON;
    }

    private void keep(Map<String, Object> operation, Object value) {
        if (operation.get("as") instanceof String name) values.set(name, value);
    }

    /** A task that a variable holds, or that is asked for now. */
    private Task<?> task(Object item) {
        Object name = item instanceof Map<?, ?> object ? object.get("$") : item;
        return name instanceof String variable ? (Task<?>) values.get(variable) : ask(Json.object(item));
    }

    private List<Task<?>> tasks(Object items) {
        var tasks = new ArrayList<Task<?>>();
        for (var item : Json.array(items)) tasks.add(task(item));
        return tasks;
    }

    private List<Task<?>> each(Map<String, Object> operation, Object array) {
        var tasks = new ArrayList<Task<?>>();
        for (var item : Json.array(values.compute(array))) {
            values.set((String) operation.get("item"), item);
            tasks.add(task(operation.get("do")));
        }
        return tasks;
    }

    /** Asks for something; a detached child gives nothing to wait for. */
    private Task<?> ask(Map<String, Object> asking) {
        String kind = asking.keySet().iterator().next();
        Object main = asking.get(kind);
        return switch (kind) {
            case "activity" -> context.callActivity(values.text(main), input(asking), Object.class, options(asking));
            case "child" -> child(asking, values.text(main));
            case "timer" -> context.timer(Duration.ofMillis(values.number(main)));
            case "timer_at" -> context.timer(Instant.ofEpochMilli(values.number(main)));
            case "event" -> context.waitForEvent(values.text(main), TypeRef.of(Object.class), timeout(asking));
            default -> throw new AssertionError("unknown operation " + kind);
        };
    }

    private Task<?> child(Map<String, Object> asking, String name) {
        var options = ChildOptions.none();
        if (asking.containsKey("id")) options = options.withInstanceId(values.text(asking.get("id")));
        if (asking.containsKey("version")) options = options.withVersion(values.text(asking.get("version")));
        if (asking.get("detached") == Boolean.TRUE) {
            context.startChild(name, input(asking), options);
            return null;
        }
        var retry = retry(asking);
        return context.callChild(name, input(asking), Object.class, retry == null ? options : options.withRetry(retry));
    }

    private Object input(Map<String, Object> asking) {
        return asking.containsKey("input") ? Json.present(values.compute(asking.get("input"))) : null;
    }

    private CallOptions options(Map<String, Object> asking) {
        var options = CallOptions.none();
        var retry = retry(asking);
        var timeout = timeout(asking);
        if (retry != null) options = options.withRetry(retry);
        return timeout == null ? options : options.withTimeout(timeout);
    }

    private Duration timeout(Map<String, Object> asking) {
        return asking.containsKey("timeout_ms") ? Duration.ofMillis(values.number(asking.get("timeout_ms"))) : null;
    }

    private Retry retry(Map<String, Object> asking) {
        if (!asking.containsKey("retry")) return null;
        var given = Json.object(values.compute(asking.get("retry")));
        var attempts = (Number) given.get("max_attempts");
        var retry = attempts == null ? Retry.unlimited() : Retry.maxAttempts(attempts.intValue());
        for (var said : given.entrySet()) {
            retry = switch (said.getKey()) {
                case "max_attempts" -> retry;
                case "first_interval_ms" -> retry.withFirstInterval(Duration.ofMillis(Json.number(said.getValue())));
                case "backoff" -> retry.withBackoff(((Number) said.getValue()).doubleValue());
                case "max_interval_ms" -> retry.withMaxInterval(Duration.ofMillis(Json.number(said.getValue())));
                case "total_timeout_ms" -> retry.withTotalTimeout(Duration.ofMillis(Json.number(said.getValue())));
                case "non_retryable" -> retry.withNonRetryable(Json.texts(said.getValue()).toArray(String[]::new));
                default -> throw new AssertionError("unknown key " + said.getKey());
            };
        }
        return retry;
    }

    private Object together(Map<String, Object> operation, List<Task<?>> tasks) {
        if (operation.get("return_exceptions") != Boolean.TRUE) return context.<Object>all(tasks).await();
        return outcomes(context.<Object>allSettled(tasks).await());
    }

    private Object map(Map<String, Object> operation) {
        var asking = Json.object(operation.get("do"));
        String kind = asking.keySet().iterator().next();
        String name = (String) asking.get(kind);
        var options = MapOptions.none();
        var retry = retry(asking);
        if (retry != null) options = options.withRetry(retry);
        if (values.compute(operation.get("max_concurrency")) instanceof Number limit) {
            options = options.withMaxConcurrency(limit.intValue());
        }
        var items = new ArrayList<>();
        for (var item : Json.array(values.compute(operation.get("map")))) {
            values.set((String) operation.get("item"), item);
            items.add(input(asking));
        }
        boolean settled = operation.get("return_exceptions") == Boolean.TRUE;
        if (kind.equals("child")) {
            var child = Workflow.of(name, Object.class, Object.class, (ctx, input) -> null);
            if (settled) return outcomes(context.mapSettled(child, items, options).await());
            return context.map(child, items, options).await();
        }
        var type = TypeRef.of(Object.class);
        if (settled) return outcomes(context.mapSettled(name, items, type, options).await());
        return context.map(name, items, type, options).await();
    }

    private Object any(Map<String, Object> operation, Object items) {
        var first = context.<Object>any(tasks(items), operation.get("keep") != Boolean.TRUE).await();
        var found = new LinkedHashMap<String, Object>();
        found.put("index", first.index());
        found.put("value", first.value());
        return found;
    }

    private void send(Map<String, Object> operation, Object name) {
        Object data = operation.containsKey("data") ? Json.present(values.compute(operation.get("data"))) : null;
        context.sendEvent(values.text(operation.get("to")), values.text(name), data);
    }

    private static List<Object> outcomes(List<Outcome<Object>> outcomes) {
        var found = new ArrayList<>();
        for (var outcome : outcomes) found.add(outcome.isFailed() ? Failures.described(outcome.error()) : outcome.value());
        return found;
    }
}
