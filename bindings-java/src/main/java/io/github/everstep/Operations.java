package io.github.everstep;

import io.github.everstep.bridge.Answer;
import io.github.everstep.bridge.Operation;
import io.github.everstep.bridge.Payloads;
import io.github.everstep.bridge.Request;
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
    /** {@code instanceId} and {@code executionId} of what was started. */
    Operation<Answer> start(String name, @Nullable String version, @Nullable Object input, StartOptions options) {
        Request start = request("start")
                .with("name", Arguments.present(name, "workflow"))
                .payload("input", payloads.optional(input, "input"))
                .with("instanceId", options.instanceId())
                .with("options", options.options())
                .json("startAt", Times.micros(options.startAt(), "startAt"))
                .with("version", version)
                .with("tags", options.tags())
                .with("reuse", options.reuse().name().toLowerCase(Locale.ROOT));
        return Operation.of(start, answer -> answer);
    }

    Operation<Answer> rerun(String instanceId, int fromEvent, RerunOptions options) {
        Request rerun = about("rerun", instanceId)
                .json("fromEvent", fromEvent)
                .with("newInstanceId", options.newInstanceId())
                .payload("input", payloads.optional(options.input(), "input"));
        return Operation.of(rerun, answer -> answer);
    }

    Operation<WorkflowState> get(String instanceId, boolean withPayloads) {
        return Operation.of(about("get", instanceId).json("payloads", withPayloads), this::state);
    }

    Operation<WorkflowState> waitForStart(String instanceId, @Nullable Duration timeout, boolean withPayloads) {
        return Operation.of(waiting("waitForStart", instanceId, timeout).json("payloads", withPayloads), this::state);
    }

    Operation<WorkflowState> waitForCompletion(String instanceId, @Nullable Duration timeout, boolean withPayloads) {
        return Operation.of(waiting("waitForCompletion", instanceId, timeout).json("payloads", withPayloads), this::state);
    }

    /** The state after a change, and what the next change is asked for with; null after the last one. */
    Operation<@Nullable Change> nextChange(
            String instanceId, @Nullable String executionId, @Nullable String seen, boolean withPayloads) {
        Request next = about("nextChange", instanceId)
                .with("executionId", executionId)
                .with("seen", seen)
                .json("payloads", withPayloads);
        return Operation.of(next, answer -> {
            return answer.isNothing()
                    ? null
                    : new Change(WorkflowState.of(answer.inner("state"), payloads), answer.text("seen"));
        });
    }

    Operation<@Nullable Payload> result(String instanceId, @Nullable String executionId, @Nullable Duration timeout) {
        Request result = waiting("result", instanceId, timeout).with("executionId", executionId);
        return Operation.of(result, answer -> Payload.of(answer.payload(), payloads));
    }

    Operation<Page> list(Filter filter, ListOptions options, @Nullable String cursor) {
        if (options.pageSize() < 1 || options.pageSize() > 1000) {
            throw new InvalidArgumentException("pageSize must be from 1 to 1000");
        }
        Request list = request("list")
                .json("filter", filter.toRequest())
                .with("cursor", cursor)
                .json("pageSize", options.pageSize())
                .json("payloads", options.payloads());
        return Operation.of(list, answer -> {
            return new Page(
                    answer.each("states").map(state -> WorkflowState.of(state, payloads)).toList(), answer.text("cursor"));
        });
    }

    Operation<Map<RuntimeStatus, Long>> count(Filter filter) {
        return Operation.of(request("count").json("filter", filter.toRequest()), answer -> {
            Map<RuntimeStatus, Long> counts = new EnumMap<>(RuntimeStatus.class);
            answer.fields().forEach(
                    (status, count) -> counts.merge(RuntimeStatus.of((String) status), (Long) count, Long::sum));
            return counts;
        });
    }

    Operation<History> history(String instanceId, int expand) {
        Request history = about("history", instanceId).json("depth", Arguments.count(expand, "expand", 0));
        return Operation.of(history, answer -> History.of(answer, expand, payloads));
    }

    Operation<@Nullable Void> pause(String instanceId, @Nullable String reason) {
        return Operation.of(about("pause", instanceId).with("reason", reason), Operations::nothing);
    }

    Operation<@Nullable Void> resume(String instanceId, @Nullable String reason) {
        return Operation.of(about("resume", instanceId).with("reason", reason), Operations::nothing);
    }

    Operation<@Nullable Void> raiseEvent(String instanceId, String eventName, @Nullable Object eventData) {
        Request event = about("raiseEvent", instanceId)
                .with("eventName", Arguments.present(eventName, "eventName"))
                .payload("data", payloads.optional(eventData, "eventData"));
        return Operation.of(event, Operations::nothing);
    }

    Operation<@Nullable Void> terminate(String instanceId, TerminateOptions options) {
        Request terminate = about("terminate", instanceId)
                .payload("output", payloads.optional(options.output(), "output"))
                .json("recursive", options.recursive());
        return Operation.of(terminate, Operations::nothing);
    }

    Operation<Long> purge(String instanceId, boolean recursive) {
        return Operation.of(about("purge", instanceId).json("recursive", recursive), Answer::number);
    }

    /**
     * The slices of an operation on many: one is made from the cursor of that before it. They answer {@code done}, how many
     * there were, and {@code cursor}, absent after the last one.
     */
    Function<@Nullable String, Operation<Answer>> bulk(String action, Filter filter, BulkOptions options) {
        String wanted = filter.toRequest().toString();
        String output = payloads.optional(options.output(), "output");
        return cursor -> {
            Request bulk = request("bulk")
                    .with("action", action)
                    .json("filter", wanted)
                    .with("cursor", cursor)
                    .payload("output", output)
                    .json("recursive", options.recursive())
                    .with("reason", options.reason());
            return Operation.of(bulk, answer -> answer);
        };
    }

    /** A state, and what the change after it is asked for with. */
    record Change(WorkflowState state, String seen) {}

    private Request request(String operation) {
        return Request.of(operation).with("component", component);
    }

    private Request about(String operation, String instanceId) {
        return request(operation).with("instanceId", Arguments.present(instanceId, "instanceId"));
    }

    private Request waiting(String operation, String instanceId, @Nullable Duration timeout) {
        return about(operation, instanceId).json("timeoutMs", Times.millis(timeout, "timeout"));
    }

    private static @Nullable Void nothing(Answer answer) {
        return null;
    }

    private WorkflowState state(Answer answer) {
        return WorkflowState.of(answer, payloads);
    }
}
