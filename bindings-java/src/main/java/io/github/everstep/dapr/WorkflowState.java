package io.github.everstep.dapr;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** The state of an instance. Payloads are text, as they are stored, until they are read. */
public interface WorkflowState {
    /**
     * The workflow's registered name.
     *
     * @return the name
     */
    String getName();

    /**
     * The instance ID.
     *
     * @return the ID
     */
    String getWorkflowId();

    /**
     * Where it stands.
     *
     * @return the status
     */
    WorkflowRuntimeStatus getRuntimeStatus();

    /**
     * When it was created.
     *
     * @return the time
     */
    Instant getCreatedAt();

    /**
     * When it changed last.
     *
     * @return the time
     */
    Instant getLastUpdatedAt();

    /**
     * The input's text.
     *
     * @return the text; null if there is none, or payloads were not asked for
     */
    @Nullable String getSerializedInput();

    /**
     * The output's text.
     *
     * @return the text; null if there is none, or payloads were not asked for
     */
    @Nullable String getSerializedOutput();

    /**
     * What it failed with.
     *
     * @return the failure; null if there is none
     */
    @Nullable WorkflowFailureDetails getFailureDetails();

    /**
     * Whether it runs.
     *
     * @return {@code true} if it does
     */
    boolean isRunning();

    /**
     * Whether nothing can happen to it any more.
     *
     * @return {@code true} if it has ended, in whatever way
     */
    boolean isCompleted();

    /**
     * The input as a value.
     *
     * @param <T> its type
     * @param type its class
     * @return the value; null if there is none, or payloads were not asked for
     */
    <T> @Nullable T readInputAs(Class<T> type);

    /**
     * The output as a value.
     *
     * @param <T> its type
     * @param type its class
     * @return the value; null if there is none, or payloads were not asked for
     */
    <T> @Nullable T readOutputAs(Class<T> type);
}
