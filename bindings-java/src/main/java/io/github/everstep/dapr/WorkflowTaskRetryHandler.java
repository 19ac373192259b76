package io.github.everstep.dapr;

/** Decides each time whether a failed activity or child workflow is tried again. It is workflow code. */
@FunctionalInterface
public interface WorkflowTaskRetryHandler {
    /**
     * Decides; it may wait, for example for a timer.
     *
     * @param retryContext what failed
     * @return whether it is tried again
     */
    boolean handle(WorkflowTaskRetryContext retryContext);
}
