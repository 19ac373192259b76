package io.github.everstep;

import io.github.everstep.bridge.Ask;
import io.github.everstep.bridge.Operation;
import io.github.everstep.bridge.Payloads;
import io.github.everstep.ffi.NativeAnswer;
import io.github.everstep.ffi.NativeBulk;
import io.github.everstep.ffi.NativeFilter;
import io.github.everstep.ffi.NativeStart;
import io.github.everstep.ffi.NativeStarted;
import io.github.everstep.ffi.NativeStep;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What can be asked of the core: how each operation's arguments become a request, and its answer a value. {@link Client} and
 * {@link AsyncClient} only wait for it, each in its way.
 *
 * @param component the component that is asked; null for the default one
 */
record Operations(Payloads payloads, @Nullable String component) {
    Operation<NativeStarted> start(String name, @Nullable String version, @Nullable Object input, StartOptions options) {
        NativeStart start = new NativeStart(
                component,
                text(name, "workflow"),
                payloads.optional(input, "input"),
                options.instanceId(),
                options.options(),
                Times.micros(options.startAt(), "startAt"),
                version,
                options.tags(),
                options.reuse().name().toLowerCase(Locale.ROOT));
        return asking((client, key) -> client.start(key, start), Operations::started);
    }

    Operation<NativeStarted> rerun(String instanceId, int fromEvent, RerunOptions options) {
        String id = text(instanceId, "instanceId");
        String input = payloads.optional(options.input(), "input");
        return asking(
                (client, key) -> client.rerun(key, component, id, fromEvent, options.newInstanceId(), input), Operations::started);
    }

    Operation<WorkflowState> get(String instanceId, boolean withPayloads) {
        String id = text(instanceId, "instanceId");
        return asking((client, key) -> client.get(key, component, id, withPayloads), this::state);
    }

    Operation<WorkflowState> waitForStart(String instanceId, @Nullable Duration timeout, boolean withPayloads) {
        String id = text(instanceId, "instanceId");
        Long millis = Times.millis(timeout, "timeout");
        return asking((client, key) -> client.waitForStart(key, component, id, millis, withPayloads), this::state);
    }

    Operation<WorkflowState> waitForCompletion(String instanceId, @Nullable Duration timeout, boolean withPayloads) {
        String id = text(instanceId, "instanceId");
        Long millis = Times.millis(timeout, "timeout");
        return asking((client, key) -> client.waitForCompletion(key, component, id, millis, withPayloads), this::state);
    }

    /** The state after a change, and what the next change is asked for with; null after the last one. */
    Operation<@Nullable Change> nextChange(
            String instanceId, @Nullable String executionId, @Nullable String seen, boolean withPayloads) {
        String id = text(instanceId, "instanceId");
        return asking((client, key) -> client.nextChange(key, component, id, executionId, seen, withPayloads), answer -> {
            var change = ((NativeAnswer.Change) answer).change();
            return change == null ? null : new Change(WorkflowState.of(change.state(), payloads), change.seen());
        });
    }

    Operation<@Nullable Payload> result(String instanceId, @Nullable String executionId, @Nullable Duration timeout) {
        String id = text(instanceId, "instanceId");
        Long millis = Times.millis(timeout, "timeout");
        return asking(
                (client, key) -> client.result(key, component, id, executionId, millis),
                answer -> Payload.of(((NativeAnswer.Text) answer).text(), payloads));
    }

    Operation<Page> list(Filter filter, ListOptions options, @Nullable String cursor) {
        if (options.pageSize() < 1 || options.pageSize() > 1000) {
            throw new InvalidArgumentException("pageSize must be from 1 to 1000");
        }
        NativeFilter wanted = filter.toNative();
        return asking(
                (client, key) -> client.list(key, component, wanted, cursor, options.pageSize(), options.payloads()), answer -> {
                    var page = ((NativeAnswer.Page) answer).page();
                    return new Page(
                            page.states().stream().map(state -> WorkflowState.of(state, payloads)).toList(), page.cursor());
                });
    }

    Operation<Map<RuntimeStatus, Long>> count(Filter filter) {
        NativeFilter wanted = filter.toNative();
        return asking((client, key) -> client.count(key, component, wanted), answer -> {
            Map<RuntimeStatus, Long> counts = new EnumMap<>(RuntimeStatus.class);
            ((NativeAnswer.Counts) answer).counts().forEach(
                    one -> counts.merge(RuntimeStatus.of(one.status()), one.count(), Long::sum));
            return counts;
        });
    }

    Operation<History> history(String instanceId, int expand) {
        String id = text(instanceId, "instanceId");
        if (expand < 0) {
            throw new InvalidArgumentException("expand must be at least 0");
        }
        return asking(
                (client, key) -> client.history(key, component, id, expand),
                answer -> new History(((NativeAnswer.History) answer).history(), expand, payloads));
    }

    Operation<@Nullable Void> pause(String instanceId, @Nullable String reason) {
        String id = text(instanceId, "instanceId");
        return asking((client, key) -> client.pause(key, component, id, reason), Operations::nothing);
    }

    Operation<@Nullable Void> resume(String instanceId, @Nullable String reason) {
        String id = text(instanceId, "instanceId");
        return asking((client, key) -> client.resume(key, component, id, reason), Operations::nothing);
    }

    Operation<@Nullable Void> raiseEvent(String instanceId, String eventName, @Nullable Object eventData) {
        String id = text(instanceId, "instanceId");
        String name = text(eventName, "eventName");
        String data = payloads.optional(eventData, "eventData");
        return asking((client, key) -> client.raiseEvent(key, component, id, name, data), Operations::nothing);
    }

    Operation<@Nullable Void> terminate(String instanceId, TerminateOptions options) {
        String id = text(instanceId, "instanceId");
        String output = payloads.optional(options.output(), "output");
        return asking((client, key) -> client.terminate(key, component, id, output, options.recursive()), Operations::nothing);
    }

    Operation<Long> purge(String instanceId, boolean recursive) {
        String id = text(instanceId, "instanceId");
        return asking(
                (client, key) -> client.purge(key, component, id, recursive), answer -> ((NativeAnswer.Number) answer).number());
    }

    /** The slices of an operation on many: one is made from the cursor of that before it. */
    Function<@Nullable String, Operation<NativeStep>> bulk(String action, Filter filter, BulkOptions options) {
        NativeFilter wanted = filter.toNative();
        String output = payloads.optional(options.output(), "output");
        return cursor -> {
            NativeBulk bulk =
                    new NativeBulk(component, action, wanted, cursor, output, options.recursive(), options.reason());
            return asking((client, key) -> client.bulk(key, bulk), answer -> ((NativeAnswer.Step) answer).step());
        };
    }

    /** A state, and what the change after it is asked for with. */
    record Change(WorkflowState state, String seen) {}

    private static <T extends @Nullable Object> Operation<T> asking(Ask ask, Function<NativeAnswer, T> read) {
        return new Operation<>(ask, read);
    }

    private static @Nullable Void nothing(NativeAnswer answer) {
        return null;
    }

    private static NativeStarted started(NativeAnswer answer) {
        return ((NativeAnswer.Started) answer).started();
    }

    private WorkflowState state(NativeAnswer answer) {
        return WorkflowState.of(((NativeAnswer.State) answer).state(), payloads);
    }

    private static String text(@Nullable String value, String name) {
        if (value == null) {
            throw new InvalidArgumentException(name + " must not be null");
        }
        return value;
    }
}
