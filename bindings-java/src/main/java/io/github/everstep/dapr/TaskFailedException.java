package io.github.everstep.dapr;

/**
 * An activity or a child workflow failed, after all its attempts. Its cause is everstep's exception, whose failure has the
 * chain of causes.
 */
public class TaskFailedException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** The number of the call in its run. */
    private final int taskId;

    /** The name that was called. */
    private final String taskName;

    private final transient FailureDetails details;

    TaskFailedException(String message, int taskId, String taskName, FailureDetails details, Throwable cause) {
        super(message, cause);
        this.taskId = taskId;
        this.taskName = taskName;
        this.details = details;
    }

    /**
     * The number of the call in its run.
     *
     * @return the number, from 0
     */
    public int getTaskId() {
        return taskId;
    }

    /**
     * The name that was called.
     *
     * @return the name
     */
    public String getTaskName() {
        return taskName;
    }

    /**
     * What it failed with.
     *
     * @return the failure
     */
    public FailureDetails getErrorDetails() {
        return details;
    }
}
