package io.github.everstep;

import org.jspecify.annotations.Nullable;

/**
 * What an exception of this library may be told besides its message.
 *
 * @param operation the operation that failed
 * @param instanceId the instance concerned
 * @param failure what the user's code failed with
 * @param done how many instances an operation on many had been done to, durably
 * @param cause what caused it
 */
public record ErrorDetails(
        @Nullable String operation,
        @Nullable String instanceId,
        @Nullable Failure failure,
        @Nullable Long done,
        @Nullable Throwable cause) {
    static final ErrorDetails NONE = new ErrorDetails(null, null, null, null, null);

    /**
     * The details of what user code failed with.
     *
     * @param failure the failure
     * @return the details
     */
    public static ErrorDetails of(@Nullable Failure failure) {
        return new ErrorDetails(null, null, failure, null, null);
    }

    /**
     * The details of what another exception caused.
     *
     * @param cause the other exception
     * @return the details
     */
    public static ErrorDetails causedBy(@Nullable Throwable cause) {
        return new ErrorDetails(null, null, null, null, cause);
    }
}
