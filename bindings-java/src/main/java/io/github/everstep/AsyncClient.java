package io.github.everstep;

import io.github.everstep.bridge.Calls;
import io.github.everstep.bridge.Operation;
import io.github.everstep.bridge.Payloads;
import io.github.everstep.host.Registration;
import java.lang.reflect.Type;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A {@link Client} whose methods give futures. A future that waits costs no thread. Cancelling it, or letting it time out, gives
 * the call up in the core, though what it asked for may still happen; cancelling what a program derives from it does not.
 *
 * <p>A future fails with the exceptions that the blocking method throws, bad arguments too. What is attached to it runs on {@link
 * ClientBuilder#executor}, by default a new virtual thread, and may block.
 */
public final class AsyncClient implements AutoCloseable {
    private final Calls calls;
    private final Operations operations;

    AsyncClient(Calls calls, Operations operations) {
        this.calls = calls;
        this.operations = operations;
    }

    /**
     * The endpoint of the default component.
     *
     * @return the endpoint, a file with its absolute path
     */
    public String endpoint() {
        return calls.endpoint();
    }

    /**
     * Whether the client is closed.
     *
     * @return {@code true} if it is
     */
    public boolean isClosed() {
        return calls.isClosed();
    }

    /**
     * The same client, whose methods wait.
     *
     * @return the other form; to close one is to close both
     */
    public Client blocking() {
        return new Client(calls, operations);
    }

    /**
     * The same client, whose methods ask another component.
     *
     * @param name one of the names that {@link ClientBuilder#component} was given
     * @return the other form; to close one is to close both
     */
    public AsyncClient component(String name) {
        return new AsyncClient(calls, new Operations(operations.payloads(), name));
    }

    /** Closes the client, and waits until it is. See {@link Client#close}. */
    @Override
    public void close() {
        calls.close();
    }

    // Starting.

    /**
     * Starts an instance of a workflow; returns when the start is durable.
     *
     * @param <I> the input
     * @param <O> the output
     * @param workflow the workflow, as a worker has it
     * @param input its input; null for none
     * @return a handle of the run
     */
    public <I extends @Nullable Object, O extends @Nullable Object>
            CompletableFuture<AsyncWorkflowHandle<O>> startWorkflow(
                    Workflow<I, O> workflow, @Nullable I input) {
        return startWorkflow(workflow, input, StartOptions.none());
    }

    /**
     * Starts an instance of a workflow; returns when the start is durable.
     *
     * @param <I> the input
     * @param <O> the output
     * @param workflow the workflow, as a worker has it
     * @param input its input; null for none
     * @param options its instance ID and the like
     * @return a handle of the run
     */
    public <I extends @Nullable Object, O extends @Nullable Object>
            CompletableFuture<AsyncWorkflowHandle<O>> startWorkflow(
                    Workflow<I, O> workflow, @Nullable I input, StartOptions options) {
        return start(Startable.of(Registration.of(workflow), options), input, options);
    }

    /**
     * Starts an instance of a workflow; returns when the start is durable.
     *
     * @param <I> the input
     * @param <O> the output
     * @param workflow its class
     * @param input its input; null for none
     * @return a handle of the run
     */
    public <I extends @Nullable Object, O extends @Nullable Object>
            CompletableFuture<AsyncWorkflowHandle<O>> startWorkflow(
                    Class<? extends Workflow<I, O>> workflow, @Nullable I input) {
        return startWorkflow(workflow, input, StartOptions.none());
    }

    /**
     * Starts an instance of a workflow; returns when the start is durable.
     *
     * @param <I> the input
     * @param <O> the output
     * @param workflow its class
     * @param input its input; null for none
     * @param options its instance ID and the like
     * @return a handle of the run
     */
    public <I extends @Nullable Object, O extends @Nullable Object>
            CompletableFuture<AsyncWorkflowHandle<O>> startWorkflow(
                    Class<? extends Workflow<I, O>> workflow, @Nullable I input, StartOptions options) {
        return start(Startable.of(Registration.of(workflow), options), input, options);
    }

    /**
     * Starts an instance of the workflow that is registered under a name; returns when the start is durable.
     *
     * @param workflow the name
     * @param input its input; null for none
     * @return a handle of the run
     */
    public CompletableFuture<AsyncWorkflowHandle<@Nullable Object>> startWorkflow(
            String workflow, @Nullable Object input) {
        return startWorkflow(workflow, input, Object.class, StartOptions.none());
    }

    /**
     * Starts an instance of the workflow that is registered under a name; returns when the start is durable.
     *
     * @param <O> the output
     * @param workflow the name
     * @param input its input; null for none
     * @param output the type of its output
     * @param options its instance ID and the like
     * @return a handle of the run
     */
    public <O> CompletableFuture<AsyncWorkflowHandle<O>> startWorkflow(
            String workflow, @Nullable Object input, Class<O> output, StartOptions options) {
        return startWorkflow(workflow, input, TypeRef.of(output), options);
    }

    /**
     * Starts an instance of the workflow that is registered under a name; returns when the start is durable.
     *
     * @param <O> the output
     * @param workflow the name
     * @param input its input; null for none
     * @param output the type of its output
     * @param options its instance ID and the like
     * @return a handle of the run
     */
    public <O extends @Nullable Object> CompletableFuture<AsyncWorkflowHandle<O>> startWorkflow(
            String workflow, @Nullable Object input, TypeRef<O> output, StartOptions options) {
        return start(new Startable(workflow, options.version(), output.type()), input, options);
    }

    /**
     * Starts an instance of a workflow without an input; returns when the start is durable.
     *
     * @param <O> the output
     * @param workflow the workflow, as a worker has it
     * @return a handle of the run
     */
    public <O extends @Nullable Object> CompletableFuture<AsyncWorkflowHandle<O>> startWorkflow(Workflow<?, O> workflow) {
        return start(Startable.of(Registration.of(workflow), StartOptions.none()), null, StartOptions.none());
    }

    /**
     * Starts an instance of a workflow without an input; returns when the start is durable.
     *
     * @param <O> the output
     * @param workflow its class
     * @return a handle of the run
     */
    public <O extends @Nullable Object> CompletableFuture<AsyncWorkflowHandle<O>> startWorkflow(
            Class<? extends Workflow<?, O>> workflow) {
        return start(Startable.of(Registration.of(workflow), StartOptions.none()), null, StartOptions.none());
    }

    /**
     * Starts an instance of the workflow that is registered under a name without an input; returns when the start is durable.
     *
     * @param workflow the name
     * @return a handle of the run
     */
    public CompletableFuture<AsyncWorkflowHandle<@Nullable Object>> startWorkflow(String workflow) {
        return startWorkflow(workflow, null);
    }

    /**
     * Goes on from an event of a finished instance, in a new one, with the same past and the code of now.
     *
     * @param <O> the output
     * @param instanceId the instance ID
     * @param fromEvent the {@linkplain HistoryEvent#eventId() ID} of a {@code TaskScheduled}, {@code TimerCreated} or
     *     {@code ChildWorkflowInstanceCreated}
     * @param output the type of its output
     * @param options the ID of the new instance and the like
     * @return a handle of the new instance
     */
    public <O> CompletableFuture<AsyncWorkflowHandle<O>> rerunWorkflow(
            String instanceId, int fromEvent, Class<O> output, RerunOptions options) {
        return rerun(instanceId, fromEvent, output, options);
    }

    /**
     * A handle of an instance that is there already. Asks nobody.
     *
     * @param <O> the output
     * @param instanceId the instance ID
     * @param output the type of its output
     * @return the handle
     */
    public <O> AsyncWorkflowHandle<O> getHandle(String instanceId, Class<O> output) {
        return getHandle(instanceId, null, TypeRef.of(output));
    }

    /**
     * A handle of an instance that is there already, or of one run of it. Asks nobody.
     *
     * @param <O> the output
     * @param instanceId the instance ID
     * @param executionId the execution ID of the run; null for whichever is the present one
     * @param output the type of its output
     * @return the handle
     */
    public <O extends @Nullable Object> AsyncWorkflowHandle<O> getHandle(
            String instanceId, @Nullable String executionId, TypeRef<O> output) {
        return new AsyncWorkflowHandle<>(this, instanceId, executionId, Arguments.output(output));
    }

    /**
     * A handle of an instance of this workflow that is there already. Asks nobody.
     *
     * @param <O> the output
     * @param instanceId the instance ID
     * @param workflow the workflow, as a worker has it
     * @return the handle
     */
    public <O extends @Nullable Object> AsyncWorkflowHandle<O> getHandle(String instanceId, Workflow<?, O> workflow) {
        return new AsyncWorkflowHandle<>(this, instanceId, null, Registration.of(workflow).output());
    }

    // Asking.

    /**
     * Gives the state of an instance.
     *
     * @param instanceId the instance ID
     * @return the state
     */
    public CompletableFuture<WorkflowState> getWorkflow(String instanceId) {
        return getWorkflow(instanceId, true);
    }

    /**
     * Gives the state of an instance.
     *
     * @param instanceId the instance ID
     * @param payloads whether input, output and the like come with it
     * @return the state
     */
    public CompletableFuture<WorkflowState> getWorkflow(String instanceId, boolean payloads) {
        return begin(() -> operations.get(instanceId, payloads));
    }

    /**
     * Waits until the first turn of an instance has run.
     *
     * @param instanceId the instance ID
     * @return its state then
     */
    public CompletableFuture<WorkflowState> waitForWorkflowStart(String instanceId) {
        return waitForWorkflowStart(instanceId, null, true);
    }

    /**
     * Waits until the first turn of an instance has run.
     *
     * @param instanceId the instance ID
     * @param timeout how long it waits at most; null for as long as it takes
     * @return its state then
     */
    public CompletableFuture<WorkflowState> waitForWorkflowStart(String instanceId, @Nullable Duration timeout) {
        return waitForWorkflowStart(instanceId, timeout, true);
    }

    /**
     * Waits until the first turn of an instance has run.
     *
     * @param instanceId the instance ID
     * @param timeout how long it waits at most; null for as long as it takes
     * @param payloads whether input, output and the like come with it
     * @return its state then
     */
    public CompletableFuture<WorkflowState> waitForWorkflowStart(
            String instanceId, @Nullable Duration timeout, boolean payloads) {
        return begin(() -> operations.waitForStart(instanceId, timeout, payloads));
    }

    /**
     * Waits until an instance has ended, in whatever way.
     *
     * @param instanceId the instance ID
     * @return its state then
     */
    public CompletableFuture<WorkflowState> waitForWorkflowCompletion(String instanceId) {
        return waitForWorkflowCompletion(instanceId, null, true);
    }

    /**
     * Waits until an instance has ended, in whatever way.
     *
     * @param instanceId the instance ID
     * @param timeout how long it waits at most; null for as long as it takes
     * @return its state then
     */
    public CompletableFuture<WorkflowState> waitForWorkflowCompletion(String instanceId, @Nullable Duration timeout) {
        return waitForWorkflowCompletion(instanceId, timeout, true);
    }

    /**
     * Waits until an instance has ended, in whatever way.
     *
     * @param instanceId the instance ID
     * @param timeout how long it waits at most; null for as long as it takes
     * @param payloads whether input, output and the like come with it
     * @return its state then
     */
    public CompletableFuture<WorkflowState> waitForWorkflowCompletion(
            String instanceId, @Nullable Duration timeout, boolean payloads) {
        return begin(() -> operations.waitForCompletion(instanceId, timeout, payloads));
    }

    /**
     * Watches an instance: gives its state now and after each change, to the final one. Nothing is polled; who is slow gets the
     * latest state.
     *
     * @param instanceId the instance ID
     * @return the states
     */
    public AsyncWatch watchWorkflow(String instanceId) {
        return watchWorkflow(instanceId, null, true);
    }

    /**
     * Watches an instance, or one run of it.
     *
     * @param instanceId the instance ID
     * @param executionId the execution ID of the run; null for whichever is the present one
     * @param payloads whether input, output and the like come with each state
     * @return the states
     */
    public AsyncWatch watchWorkflow(String instanceId, @Nullable String executionId, boolean payloads) {
        return new AsyncWatch(seen -> begin(() -> operations.nextChange(instanceId, executionId, seen, payloads)));
    }

    /**
     * Gives one page of the instances that match, newest first.
     *
     * @param filter which instances
     * @param options how much of each, and how many at a time
     * @param cursor where the page before has ended; null for the first
     * @return the page
     */
    public CompletableFuture<Page> listWorkflowsPage(Filter filter, ListOptions options, @Nullable String cursor) {
        return begin(() -> operations.list(filter, options, cursor));
    }

    /**
     * Counts the instances that match. Statuses without any are left out.
     *
     * @param filter which instances
     * @return how many have each status
     */
    public CompletableFuture<Map<RuntimeStatus, Long>> countWorkflows(Filter filter) {
        return begin(() -> operations.count(filter));
    }

    /**
     * Reads the history of an instance.
     *
     * @param instanceId the instance ID
     * @return the history, as it is now
     */
    public CompletableFuture<History> getWorkflowHistory(String instanceId) {
        return getWorkflowHistory(instanceId, 0);
    }

    /**
     * Reads the history of an instance.
     *
     * @param instanceId the instance ID
     * @param expand how many levels of children are read with it
     * @return the history, as it is now
     */
    public CompletableFuture<History> getWorkflowHistory(String instanceId, int expand) {
        return begin(() -> operations.history(instanceId, expand));
    }

    // Controlling.

    /**
     * Pauses an instance: it is not given to workers until it is resumed.
     *
     * @param instanceId the instance ID
     * @return ends when the request is durable
     */
    public CompletableFuture<@Nullable Void> pauseWorkflow(String instanceId) {
        return pauseWorkflow(instanceId, null);
    }

    /**
     * Pauses an instance: it is not given to workers until it is resumed.
     *
     * @param instanceId the instance ID
     * @param reason why, as its history says; null for no reason
     * @return ends when the request is durable
     */
    public CompletableFuture<@Nullable Void> pauseWorkflow(String instanceId, @Nullable String reason) {
        return begin(() -> operations.pause(instanceId, reason));
    }

    /**
     * Lets a paused instance go on, and tries a stalled one again.
     *
     * @param instanceId the instance ID
     * @return ends when the request is durable
     */
    public CompletableFuture<@Nullable Void> resumeWorkflow(String instanceId) {
        return resumeWorkflow(instanceId, null);
    }

    /**
     * Lets a paused instance go on, and tries a stalled one again.
     *
     * @param instanceId the instance ID
     * @param reason why, as its history says; null for no reason
     * @return ends when the request is durable
     */
    public CompletableFuture<@Nullable Void> resumeWorkflow(String instanceId, @Nullable String reason) {
        return begin(() -> operations.resume(instanceId, reason));
    }

    /**
     * Raises an event to an instance; one that nobody waits for yet is kept.
     *
     * @param instanceId the instance ID
     * @param eventName the name of the event
     * @return ends when the request is durable
     */
    public CompletableFuture<@Nullable Void> raiseWorkflowEvent(String instanceId, String eventName) {
        return raiseWorkflowEvent(instanceId, eventName, null);
    }

    /**
     * Raises an event to an instance; one that nobody waits for yet is kept.
     *
     * @param instanceId the instance ID
     * @param eventName the name of the event
     * @param eventData what comes with it; null for nothing
     * @return ends when the request is durable
     */
    public CompletableFuture<@Nullable Void> raiseWorkflowEvent(String instanceId, String eventName, @Nullable Object eventData) {
        return begin(() -> operations.raiseEvent(instanceId, eventName, eventData));
    }

    /**
     * Ends an instance, and its children. A finished one stays as it is.
     *
     * @param instanceId the instance ID
     * @return ends when the request is durable
     */
    public CompletableFuture<@Nullable Void> terminateWorkflow(String instanceId) {
        return terminateWorkflow(instanceId, TerminateOptions.none());
    }

    /**
     * Ends an instance, and its children. A finished one stays as it is.
     *
     * @param instanceId the instance ID
     * @param options its output, and whether its children end too
     * @return ends when the request is durable
     */
    public CompletableFuture<@Nullable Void> terminateWorkflow(String instanceId, TerminateOptions options) {
        return begin(() -> operations.terminate(instanceId, options));
    }

    /**
     * Deletes a finished instance, and its children.
     *
     * @param instanceId the instance ID
     * @return how many were deleted
     */
    public CompletableFuture<Long> purgeWorkflow(String instanceId) {
        return purgeWorkflow(instanceId, true);
    }

    /**
     * Deletes a finished instance, and its children.
     *
     * @param instanceId the instance ID
     * @param recursive whether its children go with it
     * @return how many were deleted
     */
    public CompletableFuture<Long> purgeWorkflow(String instanceId, boolean recursive) {
        return begin(() -> operations.purge(instanceId, recursive));
    }

    // Controlling many: in slices of a few milliseconds, between which the engine does what others ask. An error says in `done` how many
    // there were before it.

    /**
     * Deletes the finished instances that match. Children go if they match themselves.
     *
     * @param filter which instances
     * @return how many there were
     */
    public CompletableFuture<Long> purgeWorkflows(Filter filter) {
        return purgeWorkflows(filter, BulkOptions.none());
    }

    /**
     * Deletes the finished instances that match. Children go if they match themselves.
     *
     * @param filter which instances
     * @param options who is told how far it is, and what the action has
     * @return how many there were
     */
    public CompletableFuture<Long> purgeWorkflows(Filter filter, BulkOptions options) {
        return many("purge", filter, options);
    }

    /**
     * Ends the unfinished instances that match, parents before their children.
     *
     * @param filter which instances
     * @return how many there were
     */
    public CompletableFuture<Long> terminateWorkflows(Filter filter) {
        return terminateWorkflows(filter, BulkOptions.none());
    }

    /**
     * Ends the unfinished instances that match, parents before their children.
     *
     * @param filter which instances
     * @param options who is told how far it is, and what the action has
     * @return how many there were
     */
    public CompletableFuture<Long> terminateWorkflows(Filter filter, BulkOptions options) {
        return many("terminate", filter, options);
    }

    /**
     * Pauses the pending and running instances that match.
     *
     * @param filter which instances
     * @return how many there were
     */
    public CompletableFuture<Long> pauseWorkflows(Filter filter) {
        return pauseWorkflows(filter, BulkOptions.none());
    }

    /**
     * Pauses the pending and running instances that match.
     *
     * @param filter which instances
     * @param options who is told how far it is, and what the action has
     * @return how many there were
     */
    public CompletableFuture<Long> pauseWorkflows(Filter filter, BulkOptions options) {
        return many("pause", filter, options);
    }

    /**
     * Resumes the suspended instances that match, and tries stalled ones again.
     *
     * @param filter which instances
     * @return how many there were
     */
    public CompletableFuture<Long> resumeWorkflows(Filter filter) {
        return resumeWorkflows(filter, BulkOptions.none());
    }

    /**
     * Resumes the suspended instances that match, and tries stalled ones again.
     *
     * @param filter which instances
     * @param options who is told how far it is, and what the action has
     * @return how many there were
     */
    public CompletableFuture<Long> resumeWorkflows(Filter filter, BulkOptions options) {
        return many("resume", filter, options);
    }

    // Inside the package.

    Operations operations() {
        return operations;
    }

    Payloads payloads() {
        return operations.payloads();
    }

    <T extends @Nullable Object> CompletableFuture<T> begin(Supplier<Operation<T>> ask) {
        try {
            return calls.begin(ask.get());
        } catch (EverstepException error) {
            return CompletableFuture.failedFuture(error);
        }
    }

    private <O extends @Nullable Object> CompletableFuture<AsyncWorkflowHandle<O>> start(
            Startable workflow, @Nullable Object input, StartOptions options) {
        return begin(() -> operations.start(workflow.name(), workflow.version(), input, options)
                .then(started -> new AsyncWorkflowHandle<>(
                        this, started.text("instanceId"), started.text("executionId"), workflow.output())));
    }

    <O extends @Nullable Object> CompletableFuture<AsyncWorkflowHandle<O>> rerun(
            String instanceId, int fromEvent, Type output, RerunOptions options) {
        return begin(() -> operations.rerun(instanceId, fromEvent, options)
                .then(started -> new AsyncWorkflowHandle<>(this, started.text("instanceId"), started.text("executionId"), output)));
    }

    private CompletableFuture<Long> many(String action, Filter filter, BulkOptions options) {
        try {
            return new Slices(operations.bulk(action, filter, options), options.progress(), calls);
        } catch (EverstepException error) {
            return CompletableFuture.failedFuture(error);
        }
    }
}
