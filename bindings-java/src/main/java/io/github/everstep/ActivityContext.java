package io.github.everstep;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** What an activity may know of the call that it serves. */
public interface ActivityContext {
    /** The activity's name. */
    String name();

    /** The instance that asked for it. */
    String instanceId();

    /** The run of that instance. */
    String executionId();

    /** The number of the call in its run. */
    int taskId();

    /** The same for every attempt of one call and for no other call: what makes its effect unique in a ledger. */
    String taskKey();

    /** Which attempt this is, from 1. */
    int attempt();

    /** When the attempt times out, if it does. */
    @Nullable Instant deadline();

    /**
     * Whether nobody waits for the result any more: it timed out, its workflow ended, or the worker closes. The activity's
     * thread is interrupted then, too.
     */
    boolean isCancelled();

    /**
     * Sleeps until nobody waits for the result any more, or until the time has passed.
     *
     * @return whether it is cancelled
     */
    boolean awaitCancelled(Duration timeout);
}
