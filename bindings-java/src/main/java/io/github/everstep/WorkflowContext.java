package io.github.everstep;

import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * What a workflow asks for, and what it may know.
 *
 * <p>Whatever is asked for is asked for when the method is called, in the order of the calls; the tasks that come back may
 * be waited for at any time. Where an input is null there is none; {@code new RawPayload("null")} is the payload null.
 *
 * <p>Wait for nothing else in a workflow: what blocks on anything but a task, {@link #sleep} or a branch cannot be replayed,
 * is named in the log after two seconds and makes the workflow stall after ten ({@link WorkerBuilder#blockedAfter}). Nor wait
 * inside a class's initializer or, before JDK 24, inside {@code synchronized}: the wait holds a thread that other workflows
 * need. If it lasts it is named in the log, the thread is let go, and the workflow stalls.
 *
 * <p>A context belongs to its workflow's own code. On another thread every method raises a {@link NonDurableException}, and
 * the workflow stalls. After the instance has ended or has left the worker every method raises {@link WorkflowEvicted}.
 */
public interface WorkflowContext {
    // What the workflow asks for.

    /**
     * Runs an activity or a child workflow, known by its class, without an input.
     *
     * @param <O> the output
     * @param definition the activity or the workflow
     * @return the task of its output
     */
    <O extends @Nullable Object> Task<O> call(Class<? extends Definition<?, O>> definition);

    /**
     * Runs an activity or a child workflow, known by its class.
     *
     * @param <I> the input
     * @param <O> the output
     * @param definition the activity or the workflow
     * @param input the input; null for none
     * @return the task of its output
     */
    <I extends @Nullable Object, O extends @Nullable Object> Task<O> call(
            Class<? extends Definition<I, O>> definition, @Nullable I input);

    /**
     * Runs an activity, known by its class.
     *
     * @param <I> the input
     * @param <O> the output
     * @param activity the activity
     * @param input the input; null for none
     * @param options what the call may be told
     * @return the task of its output
     */
    <I extends @Nullable Object, O extends @Nullable Object> Task<O> call(
            Class<? extends Activity<I, O>> activity, @Nullable I input, CallOptions options);

    /**
     * Runs a child workflow, known by its class.
     *
     * @param <I> the input
     * @param <O> the output
     * @param workflow the workflow
     * @param input the input; null for none
     * @param options what the call may be told
     * @return the task of its output
     */
    <I extends @Nullable Object, O extends @Nullable Object> Task<O> call(
            Class<? extends Workflow<I, O>> workflow, @Nullable I input, ChildOptions options);

    /**
     * Runs an activity or a child workflow without an input.
     *
     * @param <O> the output
     * @param definition the activity or the workflow
     * @return the task of its output
     */
    <O extends @Nullable Object> Task<O> call(Definition<?, O> definition);

    /**
     * Runs an activity or a child workflow.
     *
     * @param <I> the input
     * @param <O> the output
     * @param definition the activity or the workflow
     * @param input the input; null for none
     * @return the task of its output
     */
    <I extends @Nullable Object, O extends @Nullable Object> Task<O> call(
            Definition<I, O> definition, @Nullable I input);

    /**
     * Runs an activity.
     *
     * @param <I> the input
     * @param <O> the output
     * @param activity the activity
     * @param input the input; null for none
     * @param options what the call may be told
     * @return the task of its output
     */
    <I extends @Nullable Object, O extends @Nullable Object> Task<O> call(
            Activity<I, O> activity, @Nullable I input, CallOptions options);

    /**
     * Runs a child workflow.
     *
     * @param <I> the input
     * @param <O> the output
     * @param workflow the workflow
     * @param input the input; null for none
     * @param options what the call may be told
     * @return the task of its output
     */
    <I extends @Nullable Object, O extends @Nullable Object> Task<O> call(
            Workflow<I, O> workflow, @Nullable I input, ChildOptions options);

    /**
     * Runs an activity by its registered name.
     *
     * @param <O> the output
     * @param name the registered name
     * @param input the input; null for none
     * @param output the type of its output
     * @return the task of its output
     */
    default <O> Task<O> callActivity(String name, @Nullable Object input, Class<O> output) {
        return callActivity(name, input, TypeRef.of(output), CallOptions.none());
    }

    /**
     * Runs an activity by its registered name.
     *
     * @param <O> the output
     * @param name the registered name
     * @param input the input; null for none
     * @param output the type of its output
     * @param options what the call may be told
     * @return the task of its output
     */
    default <O> Task<O> callActivity(String name, @Nullable Object input, Class<O> output, CallOptions options) {
        return callActivity(name, input, TypeRef.of(output), options);
    }

    /**
     * Runs an activity by its registered name.
     *
     * @param <O> the output
     * @param name the registered name
     * @param input the input; null for none
     * @param output the type of its output
     * @param options what the call may be told
     * @return the task of its output
     */
    <O extends @Nullable Object> Task<O> callActivity(
            String name, @Nullable Object input, TypeRef<O> output, CallOptions options);

    /**
     * Runs a child workflow by its registered name.
     *
     * @param <O> the output
     * @param name the registered name
     * @param input the input; null for none
     * @param output the type of its output
     * @return the task of its output
     */
    default <O> Task<O> callChild(String name, @Nullable Object input, Class<O> output) {
        return callChild(name, input, TypeRef.of(output), ChildOptions.none());
    }

    /**
     * Runs a child workflow by its registered name.
     *
     * @param <O> the output
     * @param name the registered name
     * @param input the input; null for none
     * @param output the type of its output
     * @param options what the call may be told
     * @return the task of its output
     */
    default <O> Task<O> callChild(String name, @Nullable Object input, Class<O> output, ChildOptions options) {
        return callChild(name, input, TypeRef.of(output), options);
    }

    /**
     * Runs a child workflow by its registered name.
     *
     * @param <O> the output
     * @param name the registered name
     * @param input the input; null for none
     * @param output the type of its output
     * @param options what the call may be told
     * @return the task of its output
     */
    <O extends @Nullable Object> Task<O> callChild(
            String name, @Nullable Object input, TypeRef<O> output, ChildOptions options);

    /**
     * Starts a workflow on its own: it outlives this one, and its result goes nowhere.
     *
     * @param <I> the input
     * @param workflow the workflow
     * @param input the input; null for none
     * @param options what the call may be told
     */
    <I extends @Nullable Object> void startChild(
            Class<? extends Workflow<I, ?>> workflow, @Nullable I input, ChildOptions options);

    /**
     * Starts a workflow on its own: it outlives this one, and its result goes nowhere.
     *
     * @param <I> the input
     * @param workflow the workflow
     * @param input the input; null for none
     * @param options what the call may be told
     */
    <I extends @Nullable Object> void startChild(Workflow<I, ?> workflow, @Nullable I input, ChildOptions options);

    /**
     * Starts a workflow on its own by its registered name: it outlives this one, and its result goes nowhere.
     *
     * @param name the registered name
     * @param input the input; null for none
     * @param options what the call may be told
     */
    void startChild(String name, @Nullable Object input, ChildOptions options);

    /**
     * Waits so long. It costs nothing, however long that is.
     *
     * @param duration how long
     */
    default void sleep(Duration duration) {
        timer(duration).await();
    }

    /**
     * Asks for a timer that is done after so long.
     *
     * @param duration how long
     * @return the task
     */
    Task<@Nullable Void> timer(Duration duration);

    /**
     * Asks for a timer that is done at a moment.
     *
     * @param due the moment
     * @return the task
     */
    Task<@Nullable Void> timer(Instant due);

    /**
     * Asks for an event of this name, compared without ASCII case; the task gives its data. Events of one name are taken
     * first in, first out, also those that came before the wait.
     *
     * @param <T> what it gives
     * @param name the registered name
     * @param type the type of the data
     * @return the task of its data
     */
    default <T> Task<T> waitForEvent(String name, Class<T> type) {
        return waitForEvent(name, TypeRef.of(type), null);
    }

    /**
     * The same with a timeout, after which the task fails with a {@link WaitTimeoutException}.
     *
     * @param <T> what it gives
     * @param name the registered name
     * @param type the type of the data
     * @param timeout how long at most
     * @return the task of its data
     */
    default <T> Task<T> waitForEvent(String name, Class<T> type, Duration timeout) {
        return waitForEvent(name, TypeRef.of(type), timeout);
    }

    /**
     * The same for a type with parameters; without a timeout if that is null.
     *
     * @param <T> what it gives
     * @param name the registered name
     * @param type the type of the data
     * @param timeout how long at most
     * @return the task of its data
     */
    <T extends @Nullable Object> Task<T> waitForEvent(String name, TypeRef<T> type, @Nullable Duration timeout);

    /**
     * Raises an event at another instance; without data if that is null.
     *
     * @param instanceId the instance
     * @param eventName the name of the event
     * @param data the data; null for none
     */
    void sendEvent(String instanceId, String eventName, @Nullable Object data);

    /**
     * Says something of the workflow for those who ask for its state.
     *
     * @param status what to say, which may be null
     */
    void setCustomStatus(@Nullable Object status);

    /**
     * Ends this run and begins the next with a new input and an empty history. Events that nobody took are kept.
     *
     * <p>It does not return: it leaves the function by an {@code Error} that a {@code catch (Exception)} lets pass, and that
     * nothing else can be asked for after.
     *
     * @param <T> any type, so that it can be written as {@code return ctx.continueAsNew(input)}
     * @param input the input; null for none
     * @return nothing: it never returns
     */
    default <T extends @Nullable Object> T continueAsNew(@Nullable Object input) {
        return continueAsNew(input, true);
    }

    /**
     * The same; {@code keepEvents} says whether events that nobody took go along.
     *
     * @param <T> what it gives
     * @param input the input; null for none
     * @param keepEvents whether events that nobody took go along
     * @return nothing: it never returns
     */
    <T extends @Nullable Object> T continueAsNew(@Nullable Object input, boolean keepEvents);

    // Several at once.

    /**
     * Runs a part of the workflow beside the rest, on a virtual thread of its own. One of them runs at a time: a branch
     * begins when the code that made it waits, and goes on until it waits itself, so that nothing needs a lock.
     *
     * <p>To cancel its task gives up what it waits for at the moment.
     *
     * @param <T> what it gives
     * @param branch the code of the branch
     * @return the task of what it gives
     */
    <T extends @Nullable Object> Task<T> async(Callable<T> branch);

    /**
     * The same for a branch that gives nothing.
     *
     * @param branch the code of the branch
     * @return the task of what it gives
     */
    default Task<@Nullable Void> async(Runnable branch) {
        return async(() -> {
            branch.run();
            return null;
        });
    }

    /**
     * A task that is done when all these are, with their values in order. The first failure makes it fail at once and leaves
     * the others alone; to cancel it gives up what it waits for.
     *
     * @param <T> what it gives
     * @param tasks the tasks
     * @return the task of the values
     */
    <T extends @Nullable Object> Task<List<T>> all(Collection<? extends Task<? extends T>> tasks);

    /**
     * The same for tasks of different types. What each gave is at once there in it: {@code task.await()}.
     *
     * @param tasks the tasks
     * @return the task of the values
     */
    default Task<List<@Nullable Object>> all(Task<?>... tasks) {
        return all(List.of(tasks));
    }

    /**
     * A task that is done when all these are, whether they fail or not.
     *
     * @param <T> what it gives
     * @param tasks the tasks
     * @return the task of how each ended
     */
    <T extends @Nullable Object> Task<List<Outcome<T>>> allSettled(Collection<? extends Task<? extends T>> tasks);

    /**
     * A task that is done, or fails, with the first of these; the rest is given up, in order.
     *
     * @param <T> what it gives
     * @param tasks the tasks
     * @return the task of its place and value
     * @throws InvalidArgumentException if there are none
     */
    default <T extends @Nullable Object> Task<First<T>> any(Collection<? extends Task<? extends T>> tasks) {
        return any(tasks, true);
    }

    /**
     * The same; {@code cancelRest} says whether the rest is given up.
     *
     * @param <T> what it gives
     * @param tasks the tasks
     * @param cancelRest whether the others are given up
     * @return the task of its place and value
     */
    <T extends @Nullable Object> Task<First<T>> any(Collection<? extends Task<? extends T>> tasks, boolean cancelRest);

    /**
     * The same for tasks of different types. What each gave is at once there in it: {@code task.await()}.
     *
     * @param tasks the tasks
     * @return the task of its place and value
     */
    default Task<First<@Nullable Object>> any(Task<?>... tasks) {
        return any(List.of(tasks), true);
    }

    /**
     * Runs an activity or a child workflow once per item and gives the outputs in order.
     *
     * <p>With {@link MapOptions#maxConcurrency}, as soon as one ends the next item is taken; the items are read only as far
     * as is needed. The first failure makes it fail at once: no further item begins and those that run are given up.
     *
     * @param <I> the input
     * @param <O> the output
     * @param each the activity or the workflow
     * @param items the inputs, one after the other
     * @param options what the call may be told
     * @return the task of the outputs
     */
    <I extends @Nullable Object, O extends @Nullable Object> Task<List<O>> map(
            Class<? extends Definition<I, O>> each, Iterable<? extends I> items, MapOptions options);

    /**
     * The same for a definition.
     *
     * @param <I> the input
     * @param <O> the output
     * @param each the activity or the workflow
     * @param items the inputs, one after the other
     * @param options what the call may be told
     * @return the task of the outputs
     */
    <I extends @Nullable Object, O extends @Nullable Object> Task<List<O>> map(
            Definition<I, O> each, Iterable<? extends I> items, MapOptions options);

    /**
     * The same, all at once.
     *
     * @param <I> the input
     * @param <O> the output
     * @param each the activity or the workflow
     * @param items the inputs
     * @return the task of the outputs
     */
    default <I extends @Nullable Object, O extends @Nullable Object> Task<List<O>> map(
            Class<? extends Definition<I, O>> each, Iterable<? extends I> items) {
        return map(each, items, MapOptions.none());
    }

    /**
     * The same for a definition, all at once.
     *
     * @param <I> the input
     * @param <O> the output
     * @param each the activity or the workflow
     * @param items the inputs
     * @return the task of the outputs
     */
    default <I extends @Nullable Object, O extends @Nullable Object> Task<List<O>> map(
            Definition<I, O> each, Iterable<? extends I> items) {
        return map(each, items, MapOptions.none());
    }

    /**
     * The same for an activity by its registered name.
     *
     * @param <O> the output
     * @param activity the activity
     * @param items the inputs, one after the other
     * @param output the type of its output
     * @param options what the call may be told
     * @return the task of the outputs
     */
    <O extends @Nullable Object> Task<List<O>> map(
            String activity, Iterable<?> items, TypeRef<O> output, MapOptions options);

    /**
     * Runs an activity or a child workflow once per item, whether some fail or not.
     *
     * @param <I> the input
     * @param <O> the output
     * @param each the activity or the workflow
     * @param items the inputs, one after the other
     * @param options what the call may be told
     * @return the task of how each ended
     */
    <I extends @Nullable Object, O extends @Nullable Object> Task<List<Outcome<O>>> mapSettled(
            Class<? extends Definition<I, O>> each, Iterable<? extends I> items, MapOptions options);

    /**
     * The same for a definition.
     *
     * @param <I> the input
     * @param <O> the output
     * @param each the activity or the workflow
     * @param items the inputs, one after the other
     * @param options what the call may be told
     * @return the task of how each ended
     */
    <I extends @Nullable Object, O extends @Nullable Object> Task<List<Outcome<O>>> mapSettled(
            Definition<I, O> each, Iterable<? extends I> items, MapOptions options);

    /**
     * The same for an activity by its registered name.
     *
     * @param <O> the output
     * @param activity the activity
     * @param items the inputs, one after the other
     * @param output the type of its output
     * @param options what the call may be told
     * @return the task of how each ended
     */
    <O extends @Nullable Object> Task<List<Outcome<O>>> mapSettled(
            String activity, Iterable<?> items, TypeRef<O> output, MapOptions options);

    // What the workflow may know.

    /**
     * The registered name.
     *
     * @return the name
     */
    String workflowName();

    /**
     * The instance ID.
     *
     * @return the ID
     */
    String instanceId();

    /**
     * The run's execution ID; it changes with {@link #continueAsNew}.
     *
     * @return the ID
     */
    String executionId();

    /**
     * The named version that runs; null if it is none.
     *
     * @return the version; null if it is none
     */
    @Nullable String version();

    /**
     * The instance that started this one; null if none did.
     *
     * @return the ID; null if none did
     */
    @Nullable String parentInstanceId();

    /**
     * The labels of the start.
     *
     * @return the labels, which cannot be changed
     */
    Map<String, String> tags();

    /**
     * Whether this turn is one of the past, run again to rebuild the workflow's state.
     *
     * @return {@code true} if it is
     */
    boolean isReplaying();

    /**
     * The turn's time, the same at every replay.
     *
     * @return the time
     */
    Instant now();

    /**
     * Random numbers that are the same at every replay.
     *
     * @return the generator
     */
    RandomGenerator random();

    /**
     * A UUID that is the same at every replay.
     *
     * @return the UUID
     */
    UUID uuid();

    /**
     * The logger of the workflow's name, silent while replaying.
     *
     * @return the logger
     */
    System.Logger logger();

    /**
     * Whether this run takes a changed path of the code: one that passed this place before the change does not. The first
     * answer for a name holds for the whole run. Code must go on asking until the runs that took the patch have ended.
     *
     * @param name the registered name
     * @return {@code true} if it does
     */
    boolean isPatched(String name);
}
