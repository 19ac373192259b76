package io.github.everstep;

import java.lang.reflect.Type;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * An instance, whose methods give futures. One that a start gave means the run that was started. See {@link AsyncClient}.
 *
 * @param <O> its output
 */
public final class AsyncWorkflowHandle<O extends @Nullable Object> {
    private final AsyncClient client;
    private final String instanceId;
    private final @Nullable String executionId;
    private final Type output;

    AsyncWorkflowHandle(AsyncClient client, String instanceId, @Nullable String executionId, Type output) {
        this.client = client;
        this.instanceId = Arguments.present(instanceId, "instanceId");
        this.executionId = executionId;
        this.output = output;
    }

    /**
     * The instance ID.
     *
     * @return the ID
     */
    public String instanceId() {
        return instanceId;
    }

    /**
     * Which run of the instance is meant.
     *
     * @return its execution ID; null where the component gives none, or whichever is the present one is meant
     */
    public @Nullable String executionId() {
        return executionId;
    }

    /**
     * The same instance, whose methods wait.
     *
     * @return the other form
     */
    public WorkflowHandle<O> blocking() {
        return new WorkflowHandle<>(client.blocking(), instanceId, executionId, output);
    }

    /**
     * Waits for the output, as long as it takes.
     *
     * @return the output; null if the workflow gave none
     */
    public CompletableFuture<O> result() {
        return result(null);
    }

    /**
     * Waits for the output.
     *
     * @param timeout how long it waits at most; null for as long as it takes
     * @return the output; null if the workflow gave none
     */
    public CompletableFuture<O> result(@Nullable Duration timeout) {
        return client.begin(
                () -> client.operations().result(instanceId, executionId, timeout).then(this::decoded));
    }

    @SuppressWarnings("unchecked")
    private O decoded(@Nullable Payload payload) {
        return payload == null ? null : (O) payload.as(TypeRef.of(output));
    }

    /**
     * Gives its state. See {@link Client#getWorkflow(String)}.
     *
     * @return the state
     */
    public CompletableFuture<WorkflowState> state() {
        return client.getWorkflow(instanceId);
    }

    /**
     * Waits until its first turn has run. See {@link Client#waitForWorkflowStart(String, Duration)}.
     *
     * @param timeout how long it waits at most; null for as long as it takes
     * @return its state then
     */
    public CompletableFuture<WorkflowState> waitForStart(@Nullable Duration timeout) {
        return client.waitForWorkflowStart(instanceId, timeout);
    }

    /**
     * Waits until it has ended, in whatever way. See {@link Client#waitForWorkflowCompletion(String, Duration)}.
     *
     * @param timeout how long it waits at most; null for as long as it takes
     * @return its state then
     */
    public CompletableFuture<WorkflowState> waitForCompletion(@Nullable Duration timeout) {
        return client.waitForWorkflowCompletion(instanceId, timeout);
    }

    /**
     * Reads its history. See {@link Client#getWorkflowHistory(String)}.
     *
     * @return the history, as it is now
     */
    public CompletableFuture<History> history() {
        return client.getWorkflowHistory(instanceId);
    }

    /**
     * Reads its history and those of its children. See {@link Client#getWorkflowHistory(String, int)}.
     *
     * @param expand how many levels of children are read with it
     * @return the history, as it is now
     */
    public CompletableFuture<History> history(int expand) {
        return client.getWorkflowHistory(instanceId, expand);
    }

    /**
     * Pauses it. See {@link Client#pauseWorkflow(String)}.
     *
     * @return ends when the request is durable
     */
    public CompletableFuture<@Nullable Void> pause() {
        return client.pauseWorkflow(instanceId);
    }

    /**
     * Pauses it, and says why. See {@link Client#pauseWorkflow(String, String)}.
     *
     * @param reason why
     * @return ends when the request is durable
     */
    public CompletableFuture<@Nullable Void> pause(String reason) {
        return client.pauseWorkflow(instanceId, reason);
    }

    /**
     * Lets it go on. See {@link Client#resumeWorkflow(String)}.
     *
     * @return ends when the request is durable
     */
    public CompletableFuture<@Nullable Void> resume() {
        return client.resumeWorkflow(instanceId);
    }

    /**
     * Lets it go on, and says why. See {@link Client#resumeWorkflow(String, String)}.
     *
     * @param reason why
     * @return ends when the request is durable
     */
    public CompletableFuture<@Nullable Void> resume(String reason) {
        return client.resumeWorkflow(instanceId, reason);
    }

    /**
     * Raises an event to it. See {@link Client#raiseWorkflowEvent(String, String)}.
     *
     * @param eventName the name of the event
     * @return ends when the request is durable
     */
    public CompletableFuture<@Nullable Void> raiseEvent(String eventName) {
        return client.raiseWorkflowEvent(instanceId, eventName);
    }

    /**
     * Raises an event to it. See {@link Client#raiseWorkflowEvent(String, String, Object)}.
     *
     * @param eventName the name of the event
     * @param eventData what comes with it; null for nothing
     * @return ends when the request is durable
     */
    public CompletableFuture<@Nullable Void> raiseEvent(String eventName, @Nullable Object eventData) {
        return client.raiseWorkflowEvent(instanceId, eventName, eventData);
    }

    /**
     * Ends it, and its children. See {@link Client#terminateWorkflow(String)}.
     *
     * @return ends when the request is durable
     */
    public CompletableFuture<@Nullable Void> terminate() {
        return client.terminateWorkflow(instanceId);
    }

    /**
     * Ends it. See {@link Client#terminateWorkflow(String, TerminateOptions)}.
     *
     * @param options its output, and whether its children end too
     * @return ends when the request is durable
     */
    public CompletableFuture<@Nullable Void> terminate(TerminateOptions options) {
        return client.terminateWorkflow(instanceId, options);
    }

    /**
     * Deletes it, and its children. See {@link Client#purgeWorkflow(String)}.
     *
     * @return how many were deleted
     */
    public CompletableFuture<Long> purge() {
        return client.purgeWorkflow(instanceId);
    }

    /**
     * Deletes it. See {@link Client#purgeWorkflow(String, boolean)}.
     *
     * @param recursive whether its children are deleted, too
     * @return how many were deleted
     */
    public CompletableFuture<Long> purge(boolean recursive) {
        return client.purgeWorkflow(instanceId, recursive);
    }

    /**
     * Goes on from an event of it in a new instance. See {@link AsyncClient#rerunWorkflow}.
     *
     * @param fromEvent the ID of the event
     * @param options the ID of the new instance and the like
     * @return a handle of the new instance
     */
    public CompletableFuture<AsyncWorkflowHandle<O>> rerun(int fromEvent, RerunOptions options) {
        return client.rerun(instanceId, fromEvent, output, options);
    }

    /**
     * Watches this run and no other. See {@link AsyncClient#watchWorkflow(String)}.
     *
     * @return the states
     */
    public AsyncWatch watch() {
        return client.watchWorkflow(instanceId, executionId, true);
    }

    @Override
    public String toString() {
        return "AsyncWorkflowHandle[" + instanceId + "]";
    }
}
