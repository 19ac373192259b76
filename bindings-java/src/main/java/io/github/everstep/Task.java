package io.github.everstep;

import org.jspecify.annotations.Nullable;

/**
 * The answer to something that a workflow asked for: an activity, a child, a timer, an event, a branch, or several of them.
 *
 * <p>It was asked for when the task was made; waiting for it is allowed, not needed. A task belongs to its workflow's code.
 *
 * @param <T> what it gives
 */
public interface Task<T extends @Nullable Object> {
    /**
     * Waits until it is done, however long that takes, and gives what it brings; again at once when it is done already.
     *
     * @return what it brings
     * @throws ActivityFailedException if the activity failed, after all its attempts
     * @throws ChildFailedException if the child workflow failed, or was terminated or purged
     * @throws WaitTimeoutException if the timeout that was given with the call has passed
     * @throws OperationCancelledException if it was given up
     * @throws DecodeException if what came cannot be read as the type that was asked for
     */
    T await();

    /**
     * Whether it is done, failed or given up, so that {@link #await} returns at once.
     *
     * @return {@code true} if it is
     */
    boolean isDone();

    /**
     * Gives it up durably: no event is taken by a wait that was given up, no timer fires, an activity is told to stop. What
     * waits for it fails with an {@link OperationCancelledException}.
     *
     * @return whether there was something to give up
     */
    boolean cancel();
}
