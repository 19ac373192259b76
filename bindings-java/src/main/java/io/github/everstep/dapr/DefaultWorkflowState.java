package io.github.everstep.dapr;

import io.github.everstep.Payload;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** A state by both of its names. */
record DefaultWorkflowState(io.github.everstep.WorkflowState state) implements WorkflowState, WorkflowInstanceStatus {
    @Override
    public String getName() {
        return state.name();
    }

    @Override
    public String getWorkflowId() {
        return state.instanceId();
    }

    @Override
    public String getInstanceId() {
        return state.instanceId();
    }

    @Override
    public WorkflowRuntimeStatus getRuntimeStatus() {
        return WorkflowRuntimeStatus.of(state.runtimeStatus());
    }

    @Override
    public Instant getCreatedAt() {
        return state.createdAt();
    }

    @Override
    public Instant getLastUpdatedAt() {
        return state.lastUpdatedAt();
    }

    @Override
    public @Nullable String getSerializedInput() {
        return text(state.input());
    }

    @Override
    public @Nullable String getSerializedOutput() {
        return text(state.output());
    }

    @Override
    public @Nullable WorkflowFailureDetails getFailureDetails() {
        return state.failure() == null ? null : new FailureDetails(state.failure());
    }

    @Override
    public boolean isRunning() {
        return getRuntimeStatus() == WorkflowRuntimeStatus.RUNNING;
    }

    @Override
    public boolean isCompleted() {
        return state.runtimeStatus().isTerminal();
    }

    @Override
    public <T> @Nullable T readInputAs(Class<T> type) {
        return read(state.input(), type);
    }

    @Override
    public <T> @Nullable T readOutputAs(Class<T> type) {
        return read(state.output(), type);
    }

    /** A null is no payload in Dapr's SDK. */
    private static @Nullable String text(@Nullable Payload payload) {
        return payload == null || payload.text().isEmpty() || payload.text().equals("null") ? null : payload.text();
    }

    private static <T> @Nullable T read(@Nullable Payload payload, Class<T> type) {
        var text = text(payload);
        return text == null ? null : PayloadCodec.read(new PayloadCodec.Given(text), type);
    }
}
