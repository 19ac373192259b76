package io.github.everstep.dapr;

import org.jspecify.annotations.Nullable;

/** What an activity may know of the call that it serves. */
public interface WorkflowActivityContext {
    /**
     * The logger of the activity's name.
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
     * The same for every attempt of one call and for no other call.
     *
     * @return everstep's task key
     */
    String getTaskExecutionId();

    /**
     * The input of the call.
     *
     * @param <T> its type
     * @param targetType its class
     * @return the input; null if there is none
     */
    <T> @Nullable T getInput(Class<T> targetType);

    /**
     * The trace that the call belongs to.
     *
     * @return an empty text: everstep hands no trace down yet
     */
    String getTraceParent();

    /**
     * The same in everstep's words.
     *
     * @return everstep's context
     */
    io.github.everstep.ActivityContext context();
}
