package io.github.everstep.dapr;

import java.time.Duration;

/** What a {@link WorkflowTaskRetryHandler} decides by. */
public class WorkflowTaskRetryContext {
    private final DefaultWorkflowContext workflowContext;
    private final int lastAttemptNumber;
    private final WorkflowFailureDetails lastFailure;
    private final Duration totalRetryTime;

    /**
     * What is known after an attempt.
     *
     * @param workflowContext the workflow's context
     * @param lastAttemptNumber how many attempts there were
     * @param lastFailure what the last one failed with
     * @param totalRetryTime how long it is since the first one began
     */
    public WorkflowTaskRetryContext(
            DefaultWorkflowContext workflowContext,
            int lastAttemptNumber,
            WorkflowFailureDetails lastFailure,
            Duration totalRetryTime) {
        this.workflowContext = workflowContext;
        this.lastAttemptNumber = lastAttemptNumber;
        this.lastFailure = lastFailure;
        this.totalRetryTime = totalRetryTime;
    }

    /**
     * The workflow's context.
     *
     * @return the context
     */
    public DefaultWorkflowContext getWorkflowContext() {
        return workflowContext;
    }

    /**
     * What the last attempt failed with.
     *
     * @return the failure
     */
    public WorkflowFailureDetails getLastFailure() {
        return lastFailure;
    }

    /**
     * How many attempts there were.
     *
     * @return the number, from 1
     */
    public int getLastAttemptNumber() {
        return lastAttemptNumber;
    }

    /**
     * How long it is since the first attempt began.
     *
     * @return the time
     */
    public Duration getTotalRetryTime() {
        return totalRetryTime;
    }
}
