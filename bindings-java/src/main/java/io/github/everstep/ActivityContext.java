package io.github.everstep;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** What an activity may know of the call that it serves. */
public interface ActivityContext {
    /**
     * The activity's name.
     *
     * @return the name
     */
    String name();

    /**
     * The instance that asked for it.
     *
     * @return the ID
     */
    String instanceId();

    /**
     * The run of that instance.
     *
     * @return the ID
     */
    String executionId();

    /**
     * The number of the call in its run.
     *
     * @return the number
     */
    int taskId();

    /**
     * The same for every attempt of one call and for no other call: what makes its effect unique in a ledger.
     *
     * @return the key
     */
    String taskKey();

    /**
     * Which attempt this is, from 1.
     *
     * @return the number
     */
    int attempt();

    /**
     * When the attempt times out, if it does.
     *
     * @return the moment; null if it does not
     */
    @Nullable Instant deadline();

    /**
     * Whether nobody waits for the result any more: it timed out, its workflow ended, or the worker closes. The activity's
     * thread is interrupted then, too.
     *
     * @return {@code true} if nobody does
     */
    boolean isCancelled();

    /**
     * Sleeps until nobody waits for the result any more, or until the time has passed.
     *
     * @param timeout how long at most
     * @return whether it is cancelled
     */
    boolean awaitCancelled(Duration timeout);
}
