package io.github.everstep.dapr;

/** A wait for an event took longer than its timeout. */
public final class TaskCanceledException extends TaskFailedException {
    private static final long serialVersionUID = 1;

    TaskCanceledException(String message, int taskId, String taskName, FailureDetails details, Throwable cause) {
        super(message, taskId, taskName, details, cause);
    }
}
