package io.github.everstep.dapr;

import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Something that a workflow has asked for. It was asked for when the task was made; waiting for it is allowed, not needed.
 *
 * @param <V> what it gives
 */
public abstract class Task<V extends @Nullable Object> {
    Task() {}

    /**
     * Whether it is done, successfully or not.
     *
     * @return {@code true} if {@link #await} returns at once
     */
    public abstract boolean isDone();

    /**
     * Whether it is a wait that took too long.
     *
     * @return {@code true} if {@link #await} throws a {@link TaskCanceledException}
     */
    public abstract boolean isCancelled();

    /**
     * Waits until it is done and gives what it brings; again at once when it is done already.
     *
     * @return what it gives
     * @throws TaskFailedException if the activity or child workflow failed
     * @throws TaskCanceledException if the wait took too long
     * @throws CompositeTaskFailedException if some of several tasks failed
     */
    public abstract V await();

    /**
     * A task that makes something else of what this one gives, as soon as it is there.
     *
     * @param <U> what it makes
     * @param fn workflow code
     * @return the task
     */
    public abstract <U extends @Nullable Object> Task<U> thenApply(Function<V, U> fn);

    /**
     * A task that takes what this one gives, as soon as it is there.
     *
     * @param fn workflow code
     * @return the task
     */
    public abstract Task<@Nullable Void> thenAccept(Consumer<V> fn);
}
