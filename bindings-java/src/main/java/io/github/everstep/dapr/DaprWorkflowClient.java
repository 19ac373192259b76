package io.github.everstep.dapr;

import io.github.everstep.Client;
import io.github.everstep.InvalidArgumentException;
import io.github.everstep.NotFoundException;
import io.github.everstep.OperationTimeoutException;
import io.github.everstep.StartOptions;
import io.github.everstep.TerminateOptions;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Starts workflows, controls them and asks about them. Threads may share one. Exceptions are everstep's, all of them an
 * {@link io.github.everstep.EverstepException}; a wait that takes too long throws the platform's {@link TimeoutException}.
 */
@SuppressWarnings("try") // Programs catch what close() throws in Dapr's SDK, and must go on compiling.
public class DaprWorkflowClient implements AutoCloseable {
    private static final Duration LONGEST_WAIT = Duration.ofMinutes(10);

    private final Client client;

    /** A client of where the environment says. */
    public DaprWorkflowClient() {
        this(new Properties());
    }

    /**
     * A client.
     *
     * @param properties where it connects to
     */
    public DaprWorkflowClient(Properties properties) {
        client = properties.connect();
    }

    /**
     * Starts a workflow that is registered by its class.
     *
     * @param <T> the class
     * @param clazz the class
     * @return the instance ID
     */
    public <T extends Workflow> String scheduleNewWorkflow(Class<T> clazz) {
        return start(nameOf(clazz), new NewWorkflowOptions());
    }

    /**
     * Starts a workflow by its registered name.
     *
     * @param <T> has no meaning
     * @param name the name
     * @return the instance ID
     */
    public <T extends Workflow> String scheduleNewWorkflow(String name) {
        return start(name, new NewWorkflowOptions());
    }

    /**
     * Starts a workflow that is registered by its class.
     *
     * @param <T> the class
     * @param clazz the class
     * @param input the input; null for none
     * @return the instance ID
     */
    public <T extends Workflow> String scheduleNewWorkflow(Class<T> clazz, @Nullable Object input) {
        return start(nameOf(clazz), new NewWorkflowOptions().setInput(input));
    }

    /**
     * Starts a workflow by its registered name.
     *
     * @param <T> has no meaning
     * @param name the name
     * @param input the input; null for none
     * @return the instance ID
     */
    public <T extends Workflow> String scheduleNewWorkflow(String name, @Nullable Object input) {
        return start(name, new NewWorkflowOptions().setInput(input));
    }

    /**
     * Starts a workflow that is registered by its class.
     *
     * @param <T> the class
     * @param clazz the class
     * @param input the input; null for none
     * @param instanceId the instance ID; null for one that is made up
     * @return the instance ID
     */
    public <T extends Workflow> String scheduleNewWorkflow(
            Class<T> clazz, @Nullable Object input, @Nullable String instanceId) {
        return start(nameOf(clazz), new NewWorkflowOptions().setInput(input).setInstanceId(instanceId));
    }

    /**
     * Starts a workflow by its registered name.
     *
     * @param <T> has no meaning
     * @param name the name
     * @param input the input; null for none
     * @param instanceId the instance ID; null for one that is made up
     * @return the instance ID
     */
    public <T extends Workflow> String scheduleNewWorkflow(
            String name, @Nullable Object input, @Nullable String instanceId) {
        return start(name, new NewWorkflowOptions().setInput(input).setInstanceId(instanceId));
    }

    /**
     * Starts a workflow that is registered by its class.
     *
     * @param <T> the class
     * @param clazz the class
     * @param options what the start is told
     * @return the instance ID
     */
    public <T extends Workflow> String scheduleNewWorkflow(Class<T> clazz, NewWorkflowOptions options) {
        return start(nameOf(clazz), options);
    }

    /**
     * Starts a workflow by its registered name.
     *
     * @param <T> has no meaning
     * @param name the name
     * @param options what the start is told
     * @return the instance ID
     */
    public <T extends Workflow> String scheduleNewWorkflow(String name, NewWorkflowOptions options) {
        return start(name, options);
    }

    private String start(String name, NewWorkflowOptions options) {
        var told = StartOptions.none();
        if (options.getInstanceId() != null) {
            told = told.withInstanceId(options.getInstanceId());
        }
        if (options.getStartTime() != null) {
            told = told.withStartAt(options.getStartTime());
        }
        if (options.getVersion() != null) {
            told = told.withVersion(options.getVersion());
        }
        return client.startWorkflow(name, options.getInput(), Object.class, told).instanceId();
    }

    static String nameOf(Class<?> type) {
        var name = type.getCanonicalName();
        if (name == null) {
            throw new InvalidArgumentException("a lambda or an anonymous class has no name; register it with one");
        }
        return name;
    }

    /**
     * Pauses an instance.
     *
     * @param workflowInstanceId the instance ID
     * @param reason why; null for no reason
     */
    public void suspendWorkflow(String workflowInstanceId, @Nullable String reason) {
        client.pauseWorkflow(workflowInstanceId, reason);
    }

    /**
     * Resumes a paused instance.
     *
     * @param workflowInstanceId the instance ID
     * @param reason why; null for no reason
     */
    public void resumeWorkflow(String workflowInstanceId, @Nullable String reason) {
        client.resumeWorkflow(workflowInstanceId, reason);
    }

    /**
     * Ends an instance; its children go on.
     *
     * @param workflowInstanceId the instance ID
     * @param output its output; null for none
     */
    public void terminateWorkflow(String workflowInstanceId, @Nullable Object output) {
        var options = TerminateOptions.recursive(false);
        client.terminateWorkflow(workflowInstanceId, output == null ? options : options.withOutput(output));
    }

    /**
     * The state of an instance.
     *
     * @param instanceId the instance ID
     * @param getInputsAndOutputs whether payloads come with it
     * @return the state; null if there is no such instance
     */
    public @Nullable WorkflowState getWorkflowState(String instanceId, boolean getInputsAndOutputs) {
        return state(instanceId, getInputsAndOutputs);
    }

    /**
     * The state of an instance, by its older name.
     *
     * @param instanceId the instance ID
     * @param getInputsAndOutputs whether payloads come with it
     * @return the state; null if there is no such instance
     */
    public @Nullable WorkflowInstanceStatus getInstanceState(String instanceId, boolean getInputsAndOutputs) {
        return state(instanceId, getInputsAndOutputs);
    }

    private @Nullable DefaultWorkflowState state(String instanceId, boolean payloads) {
        try {
            return new DefaultWorkflowState(client.getWorkflow(instanceId, payloads));
        } catch (NotFoundException none) {
            return null;
        }
    }

    /**
     * Waits until the first turn of an instance has run.
     *
     * @param instanceId the instance ID
     * @param timeout how long; null or zero for 10 minutes
     * @param getInputsAndOutputs whether payloads come with the state
     * @return the state
     * @throws TimeoutException if it takes longer
     */
    public WorkflowState waitForWorkflowStart(
            String instanceId, @Nullable Duration timeout, boolean getInputsAndOutputs) throws TimeoutException {
        return waited(timeout, wait -> client.waitForWorkflowStart(instanceId, wait, getInputsAndOutputs));
    }

    /**
     * Waits until the first turn of an instance has run, by its older name.
     *
     * @param instanceId the instance ID
     * @param timeout how long; null or zero for 10 minutes
     * @param getInputsAndOutputs whether payloads come with the state
     * @return the state
     * @throws TimeoutException if it takes longer
     */
    public WorkflowInstanceStatus waitForInstanceStart(
            String instanceId, @Nullable Duration timeout, boolean getInputsAndOutputs) throws TimeoutException {
        return waited(timeout, wait -> client.waitForWorkflowStart(instanceId, wait, getInputsAndOutputs));
    }

    /**
     * Waits until an instance has ended, in whatever way.
     *
     * @param instanceId the instance ID
     * @param timeout how long; null or zero for 10 minutes
     * @param getInputsAndOutputs whether payloads come with the state
     * @return the state
     * @throws TimeoutException if it takes longer
     */
    public WorkflowState waitForWorkflowCompletion(
            String instanceId, @Nullable Duration timeout, boolean getInputsAndOutputs) throws TimeoutException {
        return waited(timeout, wait -> client.waitForWorkflowCompletion(instanceId, wait, getInputsAndOutputs));
    }

    /**
     * Waits until an instance has ended, by its older name.
     *
     * @param instanceId the instance ID
     * @param timeout how long; null or zero for 10 minutes
     * @param getInputsAndOutputs whether payloads come with the state
     * @return the state
     * @throws TimeoutException if it takes longer
     */
    public WorkflowInstanceStatus waitForInstanceCompletion(
            String instanceId, @Nullable Duration timeout, boolean getInputsAndOutputs) throws TimeoutException {
        return waited(timeout, wait -> client.waitForWorkflowCompletion(instanceId, wait, getInputsAndOutputs));
    }

    private static DefaultWorkflowState waited(
            @Nullable Duration timeout, Function<Duration, io.github.everstep.WorkflowState> wait) throws TimeoutException {
        boolean unlimited = timeout == null || timeout.isZero() || timeout.isNegative();
        try {
            return new DefaultWorkflowState(wait.apply(unlimited ? LONGEST_WAIT : timeout));
        } catch (OperationTimeoutException late) {
            var error = new TimeoutException(late.getMessage());
            error.initCause(late);
            throw error;
        }
    }

    /**
     * Raises an event to an instance.
     *
     * @param workflowInstanceId the instance ID
     * @param eventName the event's name
     * @param eventPayload its data; null for none
     */
    public void raiseEvent(String workflowInstanceId, String eventName, @Nullable Object eventPayload) {
        client.raiseWorkflowEvent(workflowInstanceId, eventName, eventPayload);
    }

    /**
     * Deletes a finished instance, but not its children.
     *
     * @param workflowInstanceId the instance ID
     * @return whether it did
     */
    public boolean purgeWorkflow(String workflowInstanceId) {
        return client.purgeWorkflow(workflowInstanceId, false) > 0;
    }

    /**
     * Deletes a finished instance, by its older name.
     *
     * @param workflowInstanceId the instance ID
     * @return whether it did
     */
    public boolean purgeInstance(String workflowInstanceId) {
        return purgeWorkflow(workflowInstanceId);
    }

    /** Gives back what the client holds. */
    @Override
    public void close() throws InterruptedException {
        client.close();
    }
}
