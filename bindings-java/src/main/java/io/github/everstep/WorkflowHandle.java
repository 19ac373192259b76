package io.github.everstep;

import java.lang.reflect.Type;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * An instance. One that a start gave means the run that was started.
 *
 * @param <O> its output
 */
public final class WorkflowHandle<O extends @Nullable Object> {
    private final Client client;
    private final String instanceId;
    private final @Nullable String executionId;
    private final Type output;

    WorkflowHandle(Client client, String instanceId, @Nullable String executionId, Type output) {
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
     * The same instance, whose methods give futures.
     *
     * @return the other form
     */
    public AsyncWorkflowHandle<O> async() {
        return new AsyncWorkflowHandle<>(client.async(), instanceId, executionId, output);
    }

    /**
     * Waits for the output, as long as it takes.
     *
     * @return the output; null if the workflow gave none
     * @throws WorkflowFailedException if it failed, with the chain of failures
     * @throws WorkflowTerminatedException if it was terminated
     * @throws WorkflowStalledException if it cannot go on
     * @throws NotFoundException if it is gone, or another run has taken the instance ID over
     * @throws DecodeException if the output is not of the handle's type
     */
    public O result() {
        return result(null);
    }

    /**
     * Waits for the output.
     *
     * @param timeout how long it waits at most; null for as long as it takes
     * @return the output; null if the workflow gave none
     * @throws WorkflowFailedException if it failed, with the chain of failures
     * @throws WorkflowTerminatedException if it was terminated
     * @throws WorkflowStalledException if it cannot go on
     * @throws NotFoundException if it is gone, or another run has taken the instance ID over
     * @throws DecodeException if the output is not of the handle's type
     * @throws OperationTimeoutException if that takes too long
     */
    @SuppressWarnings("unchecked")
    public O result(@Nullable Duration timeout) {
        Payload payload = client.calls().await(client.operations().result(instanceId, executionId, timeout));
        return payload == null ? null : (O) payload.as(TypeRef.of(output));
    }

    /**
     * Gives its state. See {@link Client#getWorkflow(String)}.
     *
     * @return the state
     */
    public WorkflowState state() {
        return client.getWorkflow(instanceId);
    }

    /**
     * Waits until its first turn has run. See {@link Client#waitForWorkflowStart(String, Duration)}.
     *
     * @param timeout how long it waits at most; null for as long as it takes
     * @return its state then
     */
    public WorkflowState waitForStart(@Nullable Duration timeout) {
        return client.waitForWorkflowStart(instanceId, timeout);
    }

    /**
     * Waits until it has ended, in whatever way. See {@link Client#waitForWorkflowCompletion(String, Duration)}.
     *
     * @param timeout how long it waits at most; null for as long as it takes
     * @return its state then
     */
    public WorkflowState waitForCompletion(@Nullable Duration timeout) {
        return client.waitForWorkflowCompletion(instanceId, timeout);
    }

    /**
     * Reads its history. See {@link Client#getWorkflowHistory(String)}.
     *
     * @return the history, as it is now
     */
    public History history() {
        return client.getWorkflowHistory(instanceId);
    }

    /**
     * Reads its history and those of its children. See {@link Client#getWorkflowHistory(String, int)}.
     *
     * @param expand how many levels of children are read with it
     * @return the history, as it is now
     */
    public History history(int expand) {
        return client.getWorkflowHistory(instanceId, expand);
    }

    /**
     * Pauses it. See {@link Client#pauseWorkflow(String)}.
     */
    public void pause() {
        client.pauseWorkflow(instanceId);
    }

    /**
     * Pauses it, and says why. See {@link Client#pauseWorkflow(String, String)}.
     *
     * @param reason why
     */
    public void pause(String reason) {
        client.pauseWorkflow(instanceId, reason);
    }

    /**
     * Lets it go on. See {@link Client#resumeWorkflow(String)}.
     */
    public void resume() {
        client.resumeWorkflow(instanceId);
    }

    /**
     * Lets it go on, and says why. See {@link Client#resumeWorkflow(String, String)}.
     *
     * @param reason why
     */
    public void resume(String reason) {
        client.resumeWorkflow(instanceId, reason);
    }

    /**
     * Raises an event to it. See {@link Client#raiseWorkflowEvent(String, String)}.
     *
     * @param eventName the name of the event
     */
    public void raiseEvent(String eventName) {
        client.raiseWorkflowEvent(instanceId, eventName);
    }

    /**
     * Raises an event to it. See {@link Client#raiseWorkflowEvent(String, String, Object)}.
     *
     * @param eventName the name of the event
     * @param eventData what comes with it; null for nothing
     */
    public void raiseEvent(String eventName, @Nullable Object eventData) {
        client.raiseWorkflowEvent(instanceId, eventName, eventData);
    }

    /**
     * Ends it, and its children. See {@link Client#terminateWorkflow(String)}.
     */
    public void terminate() {
        client.terminateWorkflow(instanceId);
    }

    /**
     * Ends it. See {@link Client#terminateWorkflow(String, TerminateOptions)}.
     *
     * @param options its output, and whether its children end too
     */
    public void terminate(TerminateOptions options) {
        client.terminateWorkflow(instanceId, options);
    }

    /**
     * Deletes it, and its children. See {@link Client#purgeWorkflow(String)}.
     *
     * @return how many were deleted
     */
    public long purge() {
        return client.purgeWorkflow(instanceId);
    }

    /**
     * Deletes it. See {@link Client#purgeWorkflow(String, boolean)}.
     *
     * @param recursive whether its children are deleted, too
     * @return how many were deleted
     */
    public long purge(boolean recursive) {
        return client.purgeWorkflow(instanceId, recursive);
    }

    /**
     * Goes on from an event of it in a new instance. See {@link Client#rerunWorkflow}.
     *
     * @param fromEvent the ID of the event
     * @param options the ID of the new instance and the like
     * @return a handle of the new instance
     */
    public WorkflowHandle<O> rerun(int fromEvent, RerunOptions options) {
        return client.rerun(instanceId, fromEvent, output, options);
    }

    /**
     * Watches this run and no other. See {@link Client#watchWorkflow(String)}.
     *
     * @return the states
     */
    public Watch watch() {
        return client.watchWorkflow(instanceId, executionId, true);
    }

    @Override
    public String toString() {
        return "WorkflowHandle[" + instanceId + "]";
    }
}
