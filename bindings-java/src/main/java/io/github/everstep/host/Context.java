package io.github.everstep.host;

import io.github.everstep.Activity;
import io.github.everstep.CallOptions;
import io.github.everstep.ChildOptions;
import io.github.everstep.Definition;
import io.github.everstep.First;
import io.github.everstep.InvalidArgumentException;
import io.github.everstep.MapOptions;
import io.github.everstep.Outcome;
import io.github.everstep.Task;
import io.github.everstep.TypeRef;
import io.github.everstep.Workflow;
import io.github.everstep.WorkflowContext;
import java.lang.reflect.Type;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.random.RandomGenerator;

/** The context of one execution. */
final class Context implements WorkflowContext {
    private static final long MOST_SECONDS = (1L << 53) / 1000;

    private final Execution execution;
    private final String instanceId;
    private final String executionId;
    private final Job.Start start;
    private final Map<String, Boolean> patches = new HashMap<>(0);
    private @Nullable RandomGenerator random;
    private @Nullable NamedUuids uuids;
    private System.@Nullable Logger logger;

    Context(Execution execution, String instanceId, String executionId, Job.Start start) {
        this.execution = execution;
        this.instanceId = instanceId;
        this.executionId = executionId;
        this.start = start;
    }

    @Override
    public <O> Task<O> call(Class<? extends Definition<?, O>> definition) {
        return call(Registration.of(definition), null);
    }

    @Override
    public <I, O> Task<O> call(Class<? extends Definition<I, O>> definition, @Nullable I input) {
        return call(Registration.of(definition), input);
    }

    @Override
    public <I, O> Task<O> call(Class<? extends Activity<I, O>> activity, @Nullable I input, CallOptions options) {
        return activity(Registration.of(activity), input, options);
    }

    @Override
    public <I, O> Task<O> call(Class<? extends Workflow<I, O>> workflow, @Nullable I input, ChildOptions options) {
        return child(Registration.of(workflow), input, options);
    }

    @Override
    public <O> Task<O> call(Definition<?, O> definition) {
        return call(Registration.of(definition), null);
    }

    @Override
    public <I, O> Task<O> call(Definition<I, O> definition, @Nullable I input) {
        return call(Registration.of(definition), input);
    }

    @Override
    public <I, O> Task<O> call(Activity<I, O> activity, @Nullable I input, CallOptions options) {
        return activity(Registration.of(activity), input, options);
    }

    @Override
    public <I, O> Task<O> call(Workflow<I, O> workflow, @Nullable I input, ChildOptions options) {
        return child(Registration.of(workflow), input, options);
    }

    private <O> Task<O> call(Registration known, @Nullable Object input) {
        return known.isWorkflow()
                ? child(known, input, ChildOptions.none())
                : activity(known, input, CallOptions.none());
    }

    private <O> Task<O> activity(Registration known, @Nullable Object input, CallOptions options) {
        return activity(known.name(), input, known.output(), options);
    }

    private <O> Task<O> child(Registration known, @Nullable Object input, ChildOptions options) {
        var chosen = options.version() == null && known.version() != null ? options.withVersion(known.version()) : options;
        return child(known.name(), input, known.output(), chosen);
    }

    @Override
    public <O> Task<O> callActivity(String name, @Nullable Object input, TypeRef<O> output, CallOptions options) {
        return activity(name, input, output.type(), options);
    }

    @Override
    public <O> Task<O> callChild(String name, @Nullable Object input, TypeRef<O> output, ChildOptions options) {
        return child(name, input, output.type(), options);
    }

    private <O> Asked<O> activity(String name, @Nullable Object input, Type output, CallOptions options) {
        execution.check();
        named(name, "name");
        var payload = execution.encode(input, "input");
        execution
                .numbered("activity")
                .text("name", name)
                .payload("input", payload)
                .retry(options.retry())
                .millis("timeout_ms", options.timeout())
                .text("app", options.appId())
                .end();
        return execution.asked("activity", name, output);
    }

    private <O> Asked<O> child(String name, @Nullable Object input, Type output, ChildOptions options) {
        execution.check();
        childCommand(name, input, options).retry(options.retry()).text("app", options.appId()).end();
        return execution.asked("child", name, output);
    }

    private Command childCommand(String name, @Nullable Object input, ChildOptions options) {
        named(name, "name");
        var payload = execution.encode(input, "input");
        return execution
                .numbered("child")
                .text("name", name)
                .text("version", options.version())
                .payload("input", payload)
                .text("id", options.instanceId());
    }

    @Override
    public <I> void startChild(Class<? extends Workflow<I, ?>> workflow, @Nullable I input, ChildOptions options) {
        detached(Registration.of(workflow), input, options);
    }

    @Override
    public <I> void startChild(Workflow<I, ?> workflow, @Nullable I input, ChildOptions options) {
        detached(Registration.of(workflow), input, options);
    }

    @Override
    public void startChild(String name, @Nullable Object input, ChildOptions options) {
        detached(name, input, options);
    }

    private void detached(Registration known, @Nullable Object input, ChildOptions options) {
        var chosen = options.version() == null && known.version() != null ? options.withVersion(known.version()) : options;
        detached(known.name(), input, chosen);
    }

    private void detached(String name, @Nullable Object input, ChildOptions options) {
        execution.check();
        if (options.retry() != null) {
            throw new InvalidArgumentException("retry is for child workflows that somebody waits for");
        }
        childCommand(name, input, options).flag("detached", true).text("app", options.appId()).end();
    }

    @Override
    public Task<@Nullable Void> timer(Duration duration) {
        execution.check();
        span(duration, "duration");
        execution.numbered("timer").millis("after_ms", duration).end();
        return execution.asked("timer", "timer", Void.class);
    }

    @Override
    public Task<@Nullable Void> timer(Instant due) {
        execution.check();
        if (due == null || Math.abs(due.getEpochSecond()) >= MOST_SECONDS) {
            throw new InvalidArgumentException("due must be within 285,000 years of 1970");
        }
        execution.numbered("timer").instant("at_ms", due).end();
        return execution.asked("timer", "timer", Void.class);
    }

    @Override
    public <T> Task<T> waitForEvent(String name, TypeRef<T> type, @Nullable Duration timeout) {
        execution.check();
        named(name, "name");
        if (timeout != null) span(timeout, "timeout");
        execution.numbered("event").text("name", name).millis("timeout_ms", timeout).end();
        return execution.asked("event", name, type.type());
    }

    @Override
    public void sendEvent(String instanceId, String eventName, @Nullable Object data) {
        execution.check();
        named(instanceId, "instanceId");
        named(eventName, "eventName");
        var payload = execution.encode(data, "data");
        execution.command("send").text("id", instanceId).text("name", eventName).payload("data", payload).end();
    }

    @Override
    public void setCustomStatus(@Nullable Object status) {
        execution.check();
        var payload = execution.encodeOutput(status, "status");
        execution.command("status").payload("status", payload).end();
    }

    @Override
    public <T> T continueAsNew(@Nullable Object input, boolean keepEvents) {
        execution.check();
        throw execution.leave(execution.encode(input, "input"), keepEvents);
    }

    // Several at once.

    @Override
    public <T> Task<T> async(Callable<T> branch) {
        execution.check();
        return new Branch<>(execution, branch);
    }

    @Override
    public <T> Task<List<T>> all(Collection<? extends Task<? extends T>> tasks) {
        execution.check();
        return Group.all(execution, tasks);
    }

    @Override
    public <T> Task<List<Outcome<T>>> allSettled(Collection<? extends Task<? extends T>> tasks) {
        execution.check();
        return Group.allSettled(execution, tasks);
    }

    @Override
    public <T> Task<First<T>> any(Collection<? extends Task<? extends T>> tasks, boolean cancelRest) {
        execution.check();
        return Group.any(execution, tasks, cancelRest);
    }

    @Override
    public <I, O> Task<List<O>> map(
            Class<? extends Definition<I, O>> each, Iterable<? extends I> items, MapOptions options) {
        return values(asking(Registration.of(each), options), items, options);
    }

    @Override
    public <I, O> Task<List<O>> map(Definition<I, O> each, Iterable<? extends I> items, MapOptions options) {
        return values(asking(Registration.of(each), options), items, options);
    }

    @Override
    public <O> Task<List<O>> map(String activity, Iterable<?> items, TypeRef<O> output, MapOptions options) {
        return values(asking(activity, output.type(), options), items, options);
    }

    @Override
    public <I, O> Task<List<Outcome<O>>> mapSettled(
            Class<? extends Definition<I, O>> each, Iterable<? extends I> items, MapOptions options) {
        return outcomes(asking(Registration.of(each), options), items, options);
    }

    @Override
    public <I, O> Task<List<Outcome<O>>> mapSettled(
            Definition<I, O> each, Iterable<? extends I> items, MapOptions options) {
        return outcomes(asking(Registration.of(each), options), items, options);
    }

    @Override
    public <O> Task<List<Outcome<O>>> mapSettled(
            String activity, Iterable<?> items, TypeRef<O> output, MapOptions options) {
        return outcomes(asking(activity, output.type(), options), items, options);
    }

    private <O> Task<List<O>> values(Function<Object, Asked<O>> ask, Iterable<?> items, MapOptions options) {
        execution.check();
        return new Window<O, List<O>>(execution, ask, items.iterator(), options.maxConcurrency(), false, Group::values)
                .begin();
    }

    private <O> Task<List<Outcome<O>>> outcomes(
            Function<Object, Asked<O>> ask, Iterable<?> items, MapOptions options) {
        execution.check();
        return new Window<O, List<Outcome<O>>>(
                        execution, ask, items.iterator(), options.maxConcurrency(), true, Group::outcomes)
                .begin();
    }

    private <O> Function<Object, Asked<O>> asking(Registration each, MapOptions options) {
        if (!each.isWorkflow()) return asking(each.name(), each.output(), options);
        if (options.timeout() != null) {
            throw new InvalidArgumentException("timeout is for activities; for child workflows use ctx.any with ctx.timer");
        }
        var child = ChildOptions.none();
        if (each.version() != null) child = child.withVersion(each.version());
        if (options.retry() != null) child = child.withRetry(options.retry());
        if (options.appId() != null) child = child.withAppId(options.appId());
        var told = child;
        return item -> child(each.name(), item, each.output(), told);
    }

    private <O> Function<Object, Asked<O>> asking(String activity, Type output, MapOptions options) {
        var call = CallOptions.none();
        if (options.timeout() != null) call = call.withTimeout(options.timeout());
        if (options.retry() != null) call = call.withRetry(options.retry());
        if (options.appId() != null) call = call.withAppId(options.appId());
        var told = call;
        return item -> activity(activity, item, output, told);
    }

    // What the workflow may know.

    @Override
    public String workflowName() {
        return start.name();
    }

    @Override
    public String instanceId() {
        return instanceId;
    }

    @Override
    public String executionId() {
        return executionId;
    }

    @Override
    public @Nullable String version() {
        return start.version();
    }

    @Override
    public @Nullable String parentInstanceId() {
        return start.parent();
    }

    @Override
    public Map<String, String> tags() {
        return Map.copyOf(start.tags());
    }

    @Override
    public boolean isReplaying() {
        return execution.turn.replay();
    }

    @Override
    public Instant now() {
        execution.check();
        return Instant.ofEpochMilli(execution.turn.now());
    }

    @Override
    public RandomGenerator random() {
        if (random == null) random = new SplitMix64(start.seed(), execution::check);
        return random;
    }

    @Override
    public UUID uuid() {
        execution.check();
        if (uuids == null) uuids = new NamedUuids(executionId);
        return uuids.next();
    }

    @Override
    public System.Logger logger() {
        if (logger == null) logger = new WorkflowLogger(System.getLogger(start.name()), execution);
        return logger;
    }

    @Override
    public boolean isPatched(String name) {
        execution.check();
        return patches.computeIfAbsent(named(name, "name"), patch -> {
            boolean applies = execution.turn.patches().contains(patch) || !execution.turn.replay();
            if (applies) execution.command("patch").text("name", patch).end();
            return applies;
        });
    }

    private static void span(@Nullable Duration value, String what) {
        if (value == null || value.isNegative() || value.getSeconds() >= MOST_SECONDS) {
            throw new InvalidArgumentException(what + " must be between 0 and 285,000 years");
        }
    }

    private static String named(@Nullable String value, String what) {
        if (value == null || value.isEmpty()) throw new InvalidArgumentException(what + " must not be empty");
        return value;
    }
}
