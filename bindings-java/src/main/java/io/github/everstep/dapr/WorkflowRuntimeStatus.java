package io.github.everstep.dapr;

import io.github.everstep.RuntimeStatus;

/** Where an instance stands. */
public enum WorkflowRuntimeStatus {
    /** It runs. */
    RUNNING,
    /** It has given its output. */
    COMPLETED,
    /** It is about to begin anew. */
    CONTINUED_AS_NEW,
    /** It has thrown. */
    FAILED,
    /** It was cancelled. */
    CANCELED,
    /** Somebody has ended it. */
    TERMINATED,
    /** It has not begun. */
    PENDING,
    /** Somebody has paused it. */
    SUSPENDED,
    /** Its code does not fit what it has done. */
    STALLED,
    /** What has no name here. */
    UNKNOWN;

    static WorkflowRuntimeStatus of(RuntimeStatus status) {
        for (var each : values()) {
            if (each.name().equals(status.name())) {
                return each;
            }
        }
        return UNKNOWN;
    }
}
