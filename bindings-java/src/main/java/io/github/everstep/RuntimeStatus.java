package io.github.everstep;

/** Where an instance stands, in Dapr's words. */
public enum RuntimeStatus {
    /** A worker has begun it. */
    RUNNING,
    /** It has given its output. */
    COMPLETED,
    /** It goes on as a new run with an empty history. */
    CONTINUED_AS_NEW,
    /** Its code, or something that it called, has failed. */
    FAILED,
    /** It was cancelled. */
    CANCELED,
    /** It was terminated. */
    TERMINATED,
    /** No worker has begun it yet. */
    PENDING,
    /** It is paused. */
    SUSPENDED,
    /** It waits for corrected code. */
    STALLED,
    /** A status that this version does not know. */
    UNKNOWN;

    /**
     * The status with a name; one that this version does not know is {@link #UNKNOWN}.
     *
     * @param name the name
     * @return the status
     */
    public static RuntimeStatus of(String name) {
        for (RuntimeStatus status : values()) {
            if (status.name().equals(name)) {
                return status;
            }
        }
        return UNKNOWN;
    }

    /**
     * Whether nothing can happen to an instance of this status any more but a purge or a new start.
     *
     * @return {@code true} if it has ended
     */
    public boolean isTerminal() {
        return this == COMPLETED || this == FAILED || this == CANCELED || this == TERMINATED;
    }
}
