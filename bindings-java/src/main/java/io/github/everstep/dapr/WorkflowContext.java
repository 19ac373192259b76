package io.github.everstep.dapr;

import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a workflow asks for, and what it may know.
 *
 * <p>Whatever is asked for is asked for when the method is called; {@link Task#await} gives what it brings. Wait for nothing
 * else in a workflow.
 */
public interface WorkflowContext {
    /**
     * The logger of the workflow's name, silent while replaying.
     *
     * @return a logger
     */
    Logger getLogger();

    /**
     * The registered name.
     *
     * @return the name
     */
    String getName();

    /**
     * The instance ID.
     *
     * @return the ID
     */
    String getInstanceId();

    /**
     * The turn's time, the same at every replay.
     *
     * @return the time
     */
    Instant getCurrentInstant();

    /**
     * Says what the workflow's output is. It does not leave the workflow; the last call counts.
     *
     * @param output the output; null for none
     */
    void complete(@Nullable Object output);

    /**
     * Asks for an event of this name, compared without ASCII case. Events of one name are taken first in, first out, also
     * those that came before the wait.
     *
     * @param <V> the type of its data
     * @param name the name
     * @param timeout after which the task fails with a {@link TaskCanceledException}; null or negative for no limit
     * @param dataType the class of its data
     * @return the task
     */
    <V> Task<V> waitForExternalEvent(String name, @Nullable Duration timeout, Class<V> dataType);

    /**
     * The same for an event without data.
     *
     * @param name the name
     * @param timeout after which the task fails with a {@link TaskCanceledException}; null or negative for no limit
     * @return the task
     */
    default Task<Void> waitForExternalEvent(String name, @Nullable Duration timeout) {
        return waitForExternalEvent(name, timeout, Void.class);
    }

    /**
     * The same without a timeout.
     *
     * @param name the name
     * @return the task
     */
    default Task<Void> waitForExternalEvent(String name) {
        return waitForExternalEvent(name, null, Void.class);
    }

    /**
     * The same without a timeout.
     *
     * @param <V> the type of its data
     * @param name the name
     * @param dataType the class of its data
     * @return the task
     */
    default <V> Task<V> waitForExternalEvent(String name, Class<V> dataType) {
        return waitForExternalEvent(name, null, dataType);
    }

    /**
     * Runs an activity by its registered name.
     *
     * @param <V> the type of its output
     * @param name the name
     * @param input the input; null for none
     * @param options what else is said of the call; null for nothing
     * @param returnType the class of its output
     * @return the task, which fails with a {@link TaskFailedException}
     */
    <V> Task<V> callActivity(
            String name, @Nullable Object input, @Nullable WorkflowTaskOptions options, Class<V> returnType);

    /**
     * The same without input and output.
     *
     * @param name the name
     * @return the task
     */
    default Task<Void> callActivity(String name) {
        return callActivity(name, null, null, Void.class);
    }

    /**
     * The same without output.
     *
     * @param name the name
     * @param input the input; null for none
     * @return the task
     */
    default Task<Void> callActivity(String name, @Nullable Object input) {
        return callActivity(name, input, null, Void.class);
    }

    /**
     * The same without input.
     *
     * @param <V> the type of its output
     * @param name the name
     * @param returnType the class of its output
     * @return the task
     */
    default <V> Task<V> callActivity(String name, Class<V> returnType) {
        return callActivity(name, null, null, returnType);
    }

    /**
     * The same without options.
     *
     * @param <V> the type of its output
     * @param name the name
     * @param input the input; null for none
     * @param returnType the class of its output
     * @return the task
     */
    default <V> Task<V> callActivity(String name, @Nullable Object input, Class<V> returnType) {
        return callActivity(name, input, null, returnType);
    }

    /**
     * The same without output.
     *
     * @param name the name
     * @param input the input; null for none
     * @param options what else is said of the call
     * @return the task
     */
    default Task<Void> callActivity(String name, @Nullable Object input, @Nullable WorkflowTaskOptions options) {
        return callActivity(name, input, options, Void.class);
    }

    /**
     * Whether this turn is one of the past, run again to rebuild the workflow's state.
     *
     * @return {@code true} if it is
     */
    boolean isReplaying();

    /**
     * Waits for all, whether they fail or not.
     *
     * @param <V> what they give
     * @param tasks the tasks
     * @return a task of their results in order, which fails with a {@link CompositeTaskFailedException}
     */
    <V> Task<List<V>> allOf(List<Task<V>> tasks);

    /**
     * Waits until one is done or has failed; the others go on.
     *
     * @param tasks the tasks
     * @return a task of the first one, of several that are done the first of the list
     */
    Task<Task<?>> anyOf(List<Task<?>> tasks);

    /**
     * The same.
     *
     * @param tasks the tasks
     * @return a task of the first one
     */
    default Task<Task<?>> anyOf(Task<?>... tasks) {
        return anyOf(Arrays.asList(tasks));
    }

    /**
     * Waits so long. It costs nothing, however long that is.
     *
     * @param duration how long
     * @return the task
     */
    Task<Void> createTimer(Duration duration);

    /**
     * Waits until a moment.
     *
     * @param zonedDateTime the moment
     * @return the task
     */
    Task<Void> createTimer(ZonedDateTime zonedDateTime);

    /**
     * The input.
     *
     * @param <V> its type
     * @param targetType its class
     * @return the input; null if there is none
     */
    <V> @Nullable V getInput(Class<V> targetType);

    /**
     * Runs a child workflow by its registered name.
     *
     * @param <V> the type of its output
     * @param name the name
     * @param input the input; null for none
     * @param instanceID its instance ID; null for one that derives from its parent's
     * @param options what else is said of the call; null for nothing
     * @param returnType the class of its output
     * @return the task, which fails with a {@link TaskFailedException}
     */
    <V> Task<V> callChildWorkflow(
            String name,
            @Nullable Object input,
            @Nullable String instanceID,
            @Nullable WorkflowTaskOptions options,
            Class<V> returnType);

    /**
     * The same without input and output.
     *
     * @param name the name
     * @return the task
     */
    default Task<Void> callChildWorkflow(String name) {
        return callChildWorkflow(name, null, null, null, Void.class);
    }

    /**
     * The same without output.
     *
     * @param name the name
     * @param input the input; null for none
     * @return the task
     */
    default Task<Void> callChildWorkflow(String name, @Nullable Object input) {
        return callChildWorkflow(name, input, null, null, Void.class);
    }

    /**
     * The same without instance ID and options.
     *
     * @param <V> the type of its output
     * @param name the name
     * @param input the input; null for none
     * @param returnType the class of its output
     * @return the task
     */
    default <V> Task<V> callChildWorkflow(String name, @Nullable Object input, Class<V> returnType) {
        return callChildWorkflow(name, input, null, null, returnType);
    }

    /**
     * The same without options.
     *
     * @param <V> the type of its output
     * @param name the name
     * @param input the input; null for none
     * @param instanceID its instance ID; null for one that derives from its parent's
     * @param returnType the class of its output
     * @return the task
     */
    default <V> Task<V> callChildWorkflow(
            String name, @Nullable Object input, @Nullable String instanceID, Class<V> returnType) {
        return callChildWorkflow(name, input, instanceID, null, returnType);
    }

    /**
     * The same without output.
     *
     * @param name the name
     * @param input the input; null for none
     * @param instanceID its instance ID; null for one that derives from its parent's
     * @param options what else is said of the call
     * @return the task
     */
    default Task<Void> callChildWorkflow(
            String name, @Nullable Object input, @Nullable String instanceID, @Nullable WorkflowTaskOptions options) {
        return callChildWorkflow(name, input, instanceID, options, Void.class);
    }

    /**
     * Ends this run and begins the next with a new input and an empty history. It does not return. Events that nobody took
     * are kept.
     *
     * @param input the new input; null for none
     */
    default void continueAsNew(@Nullable Object input) {
        continueAsNew(input, true);
    }

    /**
     * The same.
     *
     * @param input the new input; null for none
     * @param preserveUnprocessedEvents whether events that nobody took go along
     */
    void continueAsNew(@Nullable Object input, boolean preserveUnprocessedEvents);

    /**
     * A UUID that is the same at every replay.
     *
     * @return another one with each call
     */
    UUID newUuid();

    /**
     * Says something of the workflow for those who ask for its state.
     *
     * @param status what it says
     */
    void setCustomStatus(@Nullable Object status);

    /**
     * Whether this run takes a changed path of the code: one that passed this place before the change does not.
     *
     * @param patchName the name of the change
     * @return {@code true} if it takes it
     */
    boolean isPatched(String patchName);
}
