package io.github.everstep;

import io.github.everstep.bridge.Answer;
import io.github.everstep.bridge.Errors;
import io.github.everstep.bridge.Payloads;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The state of an instance. What it does not have is null.
 *
 * @param instanceId the instance ID
 * @param executionId which run of it this is, where the component says so
 * @param name the name of the workflow
 * @param version its named version
 * @param runtimeStatus where it stands
 * @param createdAt when it was created
 * @param lastUpdatedAt when it changed last
 * @param startedAt when a worker began it
 * @param completedAt when it ended
 * @param startAt when it is to begin, if the start was delayed
 * @param input its input, if payloads were asked for
 * @param output its output, if payloads were asked for
 * @param customStatus what it says of itself, if payloads were asked for
 * @param failure what it failed with
 * @param reason why it does not move: no worker has its name, or what it stalled on
 * @param parentInstanceId who started it as a child
 * @param tags its labels
 */
public record WorkflowState(
        String instanceId,
        @Nullable String executionId,
        String name,
        @Nullable String version,
        RuntimeStatus runtimeStatus,
        Instant createdAt,
        Instant lastUpdatedAt,
        @Nullable Instant startedAt,
        @Nullable Instant completedAt,
        @Nullable Instant startAt,
        @Nullable Payload input,
        @Nullable Payload output,
        @Nullable Payload customStatus,
        @Nullable Failure failure,
        @Nullable String reason,
        @Nullable String parentInstanceId,
        Map<String, String> tags) {
    static WorkflowState of(Answer state, Payloads payloads) {
        return new WorkflowState(
                state.text("instanceId"),
                state.text("executionId"),
                state.text("name"),
                state.text("version"),
                RuntimeStatus.of(state.text("status")),
                Times.instant(state.number("createdAt")),
                Times.instant(state.number("lastUpdatedAt")),
                Times.optional(state.number("startedAt")),
                Times.optional(state.number("completedAt")),
                Times.optional(state.number("startAt")),
                Payload.of(state.payload("input"), payloads),
                Payload.of(state.payload("output"), payloads),
                Payload.of(state.payload("customStatus"), payloads),
                payloads.reveal(Errors.failure(state)),
                state.text("reason"),
                state.text("parentInstanceId"),
                state.map("tags"));
    }

    /**
     * The input as a value.
     *
     * @param <T> its type
     * @param type its class; {@code Object.class} where it is not known
     * @return the value; null if there is none
     * @throws DecodeException if it is none of this type
     */
    public <T> @Nullable T input(Class<T> type) {
        return input == null ? null : input.as(type);
    }

    /**
     * The output as a value.
     *
     * @param <T> its type
     * @param type its class; {@code Object.class} where it is not known
     * @return the value; null if there is none
     * @throws DecodeException if it is none of this type
     */
    public <T> @Nullable T output(Class<T> type) {
        return output == null ? null : output.as(type);
    }

    /**
     * The custom status as a value. Other SDKs write bare text: where a text is asked for, what is no payload is its text.
     *
     * @param <T> its type
     * @param type its class; {@code Object.class} where it is not known
     * @return the value; null if there is none
     * @throws DecodeException if it is none of this type
     */
    public <T> @Nullable T customStatus(Class<T> type) {
        if (customStatus == null) {
            return null;
        }
        try {
            return customStatus.as(type);
        } catch (DecodeException error) {
            if (type.isAssignableFrom(String.class)) {
                return type.cast(customStatus.text());
            }
            throw error;
        }
    }

    /**
     * Whether nothing can happen to it any more but a purge or a new start.
     *
     * @return {@code true} if it has ended
     */
    public boolean isTerminal() {
        return runtimeStatus.isTerminal();
    }

    /**
     * The properties map of Dapr's API.
     *
     * @return what there is of input, output, custom status and failure, under Dapr's keys
     */
    public Map<String, String> properties() {
        Map<String, String> properties = new LinkedHashMap<>();
        put(properties, "input", input == null ? null : input.text());
        put(properties, "output", output == null ? null : output.text());
        put(properties, "custom_status", customStatus == null ? null : customStatus.text());
        put(properties, "failure.error_type", failure == null ? null : failure.errorType());
        put(properties, "failure.error_message", failure == null ? null : failure.message());
        put(properties, "failure.stack_trace", failure == null ? null : failure.stackTrace());
        return properties;
    }

    private static void put(Map<String, String> properties, String key, @Nullable String value) {
        if (value != null) {
            properties.put("dapr.workflow." + key, value);
        }
    }
}
