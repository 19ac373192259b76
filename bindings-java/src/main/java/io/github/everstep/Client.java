package io.github.everstep;

import io.github.everstep.bridge.Calls;
import io.github.everstep.bridge.Inside;
import io.github.everstep.bridge.Payloads;
import io.github.everstep.host.Registration;
import java.lang.reflect.Type;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Starts, looks at and controls workflows of one endpoint; each method waits for its answer. See {@link #async()} for one that
 * does not.
 *
 * <p>The endpoint is {@code memory:}, {@code sqlite:PATH}, {@code http(s)://host:port}, {@code grpc(s)://host:port} or {@code
 * dapr:}; without one, that of {@code EVERSTEP_ENDPOINT} or Dapr's variables, else a file under {@code .everstep/}. Close it, or
 * write {@code try (var client = Client.create())}.
 *
 * <p>A client can be used by many threads at once, virtual ones too: a wait holds no carrier. A thread that is interrupted while
 * it waits gives its call up and gets an {@link OperationCancelledException}; it stays interrupted, and what it asked for may
 * still happen. Every call but a wait for a workflow ends as {@link OperationTimeoutException} after {@link
 * ClientBuilder#callTimeout}, and as {@link ClosedException} once the client is closed.
 */
public final class Client implements AutoCloseable {
    static {
        JavaVersion.require();
        Inside.by(client -> new Inside(client.calls, client.payloads(), client.operations.component()));
    }

    private final Calls calls;
    private final Operations operations;

    Client(Calls calls, Operations operations) {
        this.calls = calls;
        this.operations = operations;
    }

    /**
     * Opens a client of the endpoint that the environment names.
     *
     * @return a client
     * @throws EverstepException what opening the endpoint answers, for example {@link StoreLockedException}
     */
    public static Client create() {
        return builder().build();
    }

    /**
     * Opens a client of an endpoint.
     *
     * @param endpoint the endpoint
     * @return a client
     * @throws EverstepException what opening the endpoint answers, for example {@link InvalidArgumentException}
     */
    public static Client create(String endpoint) {
        return builder().endpoint(endpoint).build();
    }

    /**
     * Says more about a client before it is opened.
     *
     * @return a builder
     */
    public static ClientBuilder builder() {
        return new ClientBuilder();
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
     * The same client, whose methods give futures.
     *
     * @return the other form; to close one is to close both
     */
    public AsyncClient async() {
        return new AsyncClient(calls, operations);
    }

    /**
     * The same client, whose methods ask another component.
     *
     * @param name one of the names that {@link ClientBuilder#component} was given
     * @return the other form; to close one is to close both
     */
    public Client component(String name) {
        return new Client(calls, new Operations(operations.payloads(), name));
    }

    /**
     * Closes the client. Calls in flight and later ones throw {@link ClosedException}; workers of it go on until they are closed.
     * Twice is once.
     */
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
     * @throws AlreadyExistsException if an instance with the ID runs
     * @throws InvalidArgumentException if an argument breaks a rule, which it names
     * @throws PayloadTooLargeException if the input is too large
     */
    public <I extends @Nullable Object, O extends @Nullable Object> WorkflowHandle<O> startWorkflow(
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
     * @throws AlreadyExistsException if an instance with the ID runs
     * @throws InvalidArgumentException if an argument breaks a rule, which it names
     * @throws PayloadTooLargeException if the input is too large
     */
    public <I extends @Nullable Object, O extends @Nullable Object> WorkflowHandle<O> startWorkflow(
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
     * @throws AlreadyExistsException if an instance with the ID runs
     * @throws InvalidArgumentException if an argument breaks a rule, which it names
     * @throws PayloadTooLargeException if the input is too large
     */
    public <I extends @Nullable Object, O extends @Nullable Object> WorkflowHandle<O> startWorkflow(
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
     * @throws AlreadyExistsException if an instance with the ID runs
     * @throws InvalidArgumentException if an argument breaks a rule, which it names
     * @throws PayloadTooLargeException if the input is too large
     */
    public <I extends @Nullable Object, O extends @Nullable Object> WorkflowHandle<O> startWorkflow(
            Class<? extends Workflow<I, O>> workflow, @Nullable I input, StartOptions options) {
        return start(Startable.of(Registration.of(workflow), options), input, options);
    }

    /**
     * Starts an instance of the workflow that is registered under a name; returns when the start is durable.
     *
     * @param workflow the name
     * @param input its input; null for none
     * @return a handle of the run
     * @throws AlreadyExistsException if an instance with the ID runs
     * @throws InvalidArgumentException if an argument breaks a rule, which it names
     * @throws PayloadTooLargeException if the input is too large
     */
    public WorkflowHandle<@Nullable Object> startWorkflow(String workflow, @Nullable Object input) {
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
     * @throws AlreadyExistsException if an instance with the ID runs
     * @throws InvalidArgumentException if an argument breaks a rule, which it names
     * @throws PayloadTooLargeException if the input is too large
     */
    public <O> WorkflowHandle<O> startWorkflow(
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
     * @throws AlreadyExistsException if an instance with the ID runs
     * @throws InvalidArgumentException if an argument breaks a rule, which it names
     * @throws PayloadTooLargeException if the input is too large
     */
    public <O extends @Nullable Object> WorkflowHandle<O> startWorkflow(
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
    public <O extends @Nullable Object> WorkflowHandle<O> startWorkflow(Workflow<?, O> workflow) {
        return start(Startable.of(Registration.of(workflow), StartOptions.none()), null, StartOptions.none());
    }

    /**
     * Starts an instance of a workflow without an input; returns when the start is durable.
     *
     * @param <O> the output
     * @param workflow its class
     * @return a handle of the run
     */
    public <O extends @Nullable Object> WorkflowHandle<O> startWorkflow(
            Class<? extends Workflow<?, O>> workflow) {
        return start(Startable.of(Registration.of(workflow), StartOptions.none()), null, StartOptions.none());
    }

    /**
     * Starts an instance of the workflow that is registered under a name without an input; returns when the start is durable.
     *
     * @param workflow the name
     * @return a handle of the run
     */
    public WorkflowHandle<@Nullable Object> startWorkflow(String workflow) {
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
     * @throws NotFoundException if there is no such instance, or no such event
     * @throws FailedPreconditionException if it has not finished
     * @throws InvalidArgumentException if no rerun can begin with that event
     * @throws AlreadyExistsException if the new ID is in use
     */
    public <O> WorkflowHandle<O> rerunWorkflow(
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
    public <O> WorkflowHandle<O> getHandle(String instanceId, Class<O> output) {
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
    public <O extends @Nullable Object> WorkflowHandle<O> getHandle(
            String instanceId, @Nullable String executionId, TypeRef<O> output) {
        return new WorkflowHandle<>(this, instanceId, executionId, Arguments.output(output));
    }

    /**
     * A handle of an instance of this workflow that is there already. Asks nobody.
     *
     * @param <O> the output
     * @param instanceId the instance ID
     * @param workflow the workflow, as a worker has it
     * @return the handle
     */
    public <O extends @Nullable Object> WorkflowHandle<O> getHandle(String instanceId, Workflow<?, O> workflow) {
        return new WorkflowHandle<>(this, instanceId, null, Registration.of(workflow).output());
    }

    // Asking.

    /**
     * Gives the state of an instance.
     *
     * @param instanceId the instance ID
     * @return the state
     * @throws NotFoundException if there is none
     */
    public WorkflowState getWorkflow(String instanceId) {
        return getWorkflow(instanceId, true);
    }

    /**
     * Gives the state of an instance.
     *
     * @param instanceId the instance ID
     * @param payloads whether input, output and the like come with it
     * @return the state
     * @throws NotFoundException if there is none
     */
    public WorkflowState getWorkflow(String instanceId, boolean payloads) {
        return calls.await(operations.get(instanceId, payloads));
    }

    /**
     * Waits until the first turn of an instance has run.
     *
     * @param instanceId the instance ID
     * @return its state then
     * @throws NotFoundException if there is none
     * @throws OperationTimeoutException if that takes too long
     * @throws WorkflowStalledException if it cannot go on
     */
    public WorkflowState waitForWorkflowStart(String instanceId) {
        return waitForWorkflowStart(instanceId, null, true);
    }

    /**
     * Waits until the first turn of an instance has run.
     *
     * @param instanceId the instance ID
     * @param timeout how long it waits at most; null for as long as it takes
     * @return its state then
     * @throws NotFoundException if there is none
     * @throws OperationTimeoutException if that takes too long
     * @throws WorkflowStalledException if it cannot go on
     */
    public WorkflowState waitForWorkflowStart(String instanceId, @Nullable Duration timeout) {
        return waitForWorkflowStart(instanceId, timeout, true);
    }

    /**
     * Waits until the first turn of an instance has run.
     *
     * @param instanceId the instance ID
     * @param timeout how long it waits at most; null for as long as it takes
     * @param payloads whether input, output and the like come with it
     * @return its state then
     * @throws NotFoundException if there is none
     * @throws OperationTimeoutException if that takes too long
     * @throws WorkflowStalledException if it cannot go on
     */
    public WorkflowState waitForWorkflowStart(String instanceId, @Nullable Duration timeout, boolean payloads) {
        return calls.await(operations.waitForStart(instanceId, timeout, payloads));
    }

    /**
     * Waits until an instance has ended, in whatever way.
     *
     * @param instanceId the instance ID
     * @return its state then
     * @throws NotFoundException if there is none
     * @throws OperationTimeoutException if that takes too long
     * @throws WorkflowStalledException if it cannot go on
     */
    public WorkflowState waitForWorkflowCompletion(String instanceId) {
        return waitForWorkflowCompletion(instanceId, null, true);
    }

    /**
     * Waits until an instance has ended, in whatever way.
     *
     * @param instanceId the instance ID
     * @param timeout how long it waits at most; null for as long as it takes
     * @return its state then
     * @throws NotFoundException if there is none
     * @throws OperationTimeoutException if that takes too long
     * @throws WorkflowStalledException if it cannot go on
     */
    public WorkflowState waitForWorkflowCompletion(String instanceId, @Nullable Duration timeout) {
        return waitForWorkflowCompletion(instanceId, timeout, true);
    }

    /**
     * Waits until an instance has ended, in whatever way.
     *
     * @param instanceId the instance ID
     * @param timeout how long it waits at most; null for as long as it takes
     * @param payloads whether input, output and the like come with it
     * @return its state then
     * @throws NotFoundException if there is none
     * @throws OperationTimeoutException if that takes too long
     * @throws WorkflowStalledException if it cannot go on
     */
    public WorkflowState waitForWorkflowCompletion(String instanceId, @Nullable Duration timeout, boolean payloads) {
        return calls.await(operations.waitForCompletion(instanceId, timeout, payloads));
    }

    /**
     * Watches an instance: gives its state now and after each change, to the final one. Nothing is polled; who is slow gets the
     * latest state.
     *
     * @param instanceId the instance ID
     * @return the states; it throws {@link NotFoundException} at the first if there is no such instance
     */
    public Watch watchWorkflow(String instanceId) {
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
    public Watch watchWorkflow(String instanceId, @Nullable String executionId, boolean payloads) {
        return new Watch(seen -> calls.begin(operations.nextChange(instanceId, executionId, seen, payloads)));
    }

    /**
     * Gives the instances that match, newest first, page by page as they are read.
     *
     * @param filter which instances
     * @return their states, without payloads
     */
    public Stream<WorkflowState> listWorkflows(Filter filter) {
        return listWorkflows(filter, ListOptions.none());
    }

    /**
     * Gives the instances that match, newest first, page by page as they are read.
     *
     * @param filter which instances
     * @param options how much of each, and how many at a time
     * @return their states
     */
    public Stream<WorkflowState> listWorkflows(Filter filter, ListOptions options) {
        return Stream.iterate(
                        listWorkflowsPage(filter, options, null),
                        page -> page != null,
                        page -> page.cursor() == null ? null : listWorkflowsPage(filter, options, page.cursor()))
                .flatMap(page -> page.states().stream());
    }

    /**
     * Gives one page of the instances that match, newest first.
     *
     * @param filter which instances
     * @param options how much of each, and how many at a time
     * @param cursor where the page before has ended; null for the first
     * @return the page
     * @throws InvalidArgumentException if the cursor is none
     */
    public Page listWorkflowsPage(Filter filter, ListOptions options, @Nullable String cursor) {
        return calls.await(operations.list(filter, options, cursor));
    }

    /**
     * Counts the instances that match. Statuses without any are left out.
     *
     * @param filter which instances
     * @return how many have each status
     */
    public Map<RuntimeStatus, Long> countWorkflows(Filter filter) {
        return calls.await(operations.count(filter));
    }

    /**
     * Reads the history of an instance.
     *
     * @param instanceId the instance ID
     * @return the history, as it is now
     * @throws NotFoundException if there is no such instance
     */
    public History getWorkflowHistory(String instanceId) {
        return getWorkflowHistory(instanceId, 0);
    }

    /**
     * Reads the history of an instance.
     *
     * @param instanceId the instance ID
     * @param expand how many levels of children are read with it
     * @return the history, as it is now
     * @throws NotFoundException if there is no such instance
     */
    public History getWorkflowHistory(String instanceId, int expand) {
        return calls.await(operations.history(instanceId, expand));
    }

    // Controlling. Each returns when the request is durable.

    /**
     * Pauses an instance: it is not given to workers until it is resumed.
     *
     * @param instanceId the instance ID
     * @throws NotFoundException if there is none
     */
    public void pauseWorkflow(String instanceId) {
        pauseWorkflow(instanceId, null);
    }

    /**
     * Pauses an instance: it is not given to workers until it is resumed.
     *
     * @param instanceId the instance ID
     * @param reason why, as its history says; null for no reason
     * @throws NotFoundException if there is none
     */
    public void pauseWorkflow(String instanceId, @Nullable String reason) {
        calls.await(operations.pause(instanceId, reason));
    }

    /**
     * Lets a paused instance go on, and tries a stalled one again.
     *
     * @param instanceId the instance ID
     * @throws NotFoundException if there is none
     */
    public void resumeWorkflow(String instanceId) {
        resumeWorkflow(instanceId, null);
    }

    /**
     * Lets a paused instance go on, and tries a stalled one again.
     *
     * @param instanceId the instance ID
     * @param reason why, as its history says; null for no reason
     * @throws NotFoundException if there is none
     */
    public void resumeWorkflow(String instanceId, @Nullable String reason) {
        calls.await(operations.resume(instanceId, reason));
    }

    /**
     * Raises an event to an instance; one that nobody waits for yet is kept.
     *
     * @param instanceId the instance ID
     * @param eventName the name of the event
     * @throws NotFoundException if there is no such instance
     * @throws PayloadTooLargeException if the data is too large
     */
    public void raiseWorkflowEvent(String instanceId, String eventName) {
        raiseWorkflowEvent(instanceId, eventName, null);
    }

    /**
     * Raises an event to an instance; one that nobody waits for yet is kept.
     *
     * @param instanceId the instance ID
     * @param eventName the name of the event
     * @param eventData what comes with it; null for nothing
     * @throws NotFoundException if there is no such instance
     * @throws PayloadTooLargeException if the data is too large
     */
    public void raiseWorkflowEvent(String instanceId, String eventName, @Nullable Object eventData) {
        calls.await(operations.raiseEvent(instanceId, eventName, eventData));
    }

    /**
     * Ends an instance, and its children. A finished one stays as it is.
     *
     * @param instanceId the instance ID
     * @throws NotFoundException if there is none
     */
    public void terminateWorkflow(String instanceId) {
        terminateWorkflow(instanceId, TerminateOptions.none());
    }

    /**
     * Ends an instance, and its children. A finished one stays as it is.
     *
     * @param instanceId the instance ID
     * @param options its output, and whether its children end too
     * @throws NotFoundException if there is none
     */
    public void terminateWorkflow(String instanceId, TerminateOptions options) {
        calls.await(operations.terminate(instanceId, options));
    }

    /**
     * Deletes a finished instance, and its children.
     *
     * @param instanceId the instance ID
     * @return how many were deleted
     * @throws NotFoundException if there is none
     * @throws FailedPreconditionException while one of them is unfinished
     */
    public long purgeWorkflow(String instanceId) {
        return purgeWorkflow(instanceId, true);
    }

    /**
     * Deletes a finished instance, and its children.
     *
     * @param instanceId the instance ID
     * @param recursive whether its children go with it
     * @return how many were deleted
     * @throws NotFoundException if there is none
     * @throws FailedPreconditionException while one of them is unfinished
     */
    public long purgeWorkflow(String instanceId, boolean recursive) {
        return calls.await(operations.purge(instanceId, recursive));
    }

    // Controlling many: in slices of a few milliseconds, between which the engine does what others ask. An error says in `done` how many
    // there were before it.

    /**
     * Deletes the finished instances that match. Children go if they match themselves.
     *
     * @param filter which instances
     * @return how many there were
     * @throws InvalidArgumentException for a status that the action does not concern
     */
    public long purgeWorkflows(Filter filter) {
        return purgeWorkflows(filter, BulkOptions.none());
    }

    /**
     * Deletes the finished instances that match. Children go if they match themselves.
     *
     * @param filter which instances
     * @param options who is told how far it is, and what the action has
     * @return how many there were
     * @throws InvalidArgumentException for a status that the action does not concern
     */
    public long purgeWorkflows(Filter filter, BulkOptions options) {
        return many("purge", filter, options);
    }

    /**
     * Ends the unfinished instances that match, parents before their children.
     *
     * @param filter which instances
     * @return how many there were
     * @throws InvalidArgumentException for a status that the action does not concern
     */
    public long terminateWorkflows(Filter filter) {
        return terminateWorkflows(filter, BulkOptions.none());
    }

    /**
     * Ends the unfinished instances that match, parents before their children.
     *
     * @param filter which instances
     * @param options who is told how far it is, and what the action has
     * @return how many there were
     * @throws InvalidArgumentException for a status that the action does not concern
     */
    public long terminateWorkflows(Filter filter, BulkOptions options) {
        return many("terminate", filter, options);
    }

    /**
     * Pauses the pending and running instances that match.
     *
     * @param filter which instances
     * @return how many there were
     * @throws InvalidArgumentException for a status that the action does not concern
     */
    public long pauseWorkflows(Filter filter) {
        return pauseWorkflows(filter, BulkOptions.none());
    }

    /**
     * Pauses the pending and running instances that match.
     *
     * @param filter which instances
     * @param options who is told how far it is, and what the action has
     * @return how many there were
     * @throws InvalidArgumentException for a status that the action does not concern
     */
    public long pauseWorkflows(Filter filter, BulkOptions options) {
        return many("pause", filter, options);
    }

    /**
     * Resumes the suspended instances that match, and tries stalled ones again.
     *
     * @param filter which instances
     * @return how many there were
     * @throws InvalidArgumentException for a status that the action does not concern
     */
    public long resumeWorkflows(Filter filter) {
        return resumeWorkflows(filter, BulkOptions.none());
    }

    /**
     * Resumes the suspended instances that match, and tries stalled ones again.
     *
     * @param filter which instances
     * @param options who is told how far it is, and what the action has
     * @return how many there were
     * @throws InvalidArgumentException for a status that the action does not concern
     */
    public long resumeWorkflows(Filter filter, BulkOptions options) {
        return many("resume", filter, options);
    }

    // Inside the package.

    Calls calls() {
        return calls;
    }

    Operations operations() {
        return operations;
    }

    Payloads payloads() {
        return operations.payloads();
    }

    private <O extends @Nullable Object> WorkflowHandle<O> start(
            Startable workflow, @Nullable Object input, StartOptions options) {
        var started = calls.await(operations.start(workflow.name(), workflow.version(), input, options));
        return new WorkflowHandle<>(this, started.text("instanceId"), started.text("executionId"), workflow.output());
    }

    <O extends @Nullable Object> WorkflowHandle<O> rerun(
            String instanceId, int fromEvent, Type output, RerunOptions options) {
        var started = calls.await(operations.rerun(instanceId, fromEvent, options));
        return new WorkflowHandle<>(this, started.text("instanceId"), started.text("executionId"), output);
    }

    private long many(String action, Filter filter, BulkOptions options) {
        var slices = operations.bulk(action, filter, options);
        String cursor = null;
        for (;;) {
            var step = calls.await(slices.apply(cursor));
            long done = step.number("done");
            options.progress().accept(done);
            cursor = step.text("cursor");
            if (cursor == null) {
                return done;
            }
        }
    }
}
