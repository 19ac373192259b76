package io.github.everstep;

import org.jspecify.annotations.Nullable;

/**
 * The base of all exceptions of this library: one subclass per code of one table, which all languages share. They are told
 * apart by class or by {@link #code()}, never by their text.
 */
public abstract class EverstepException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** The code, the same in every language. */
    private final String code;

    /** Whether the same call may succeed later. */
    private final boolean retryable;

    private final transient ErrorDetails details;

    EverstepException(String code, boolean retryable, String message, ErrorDetails details) {
        super(text(message, details), causeOf(details));
        this.code = code;
        this.retryable = retryable;
        this.details = details;
    }

    /**
     * The exception of a code. A code that only a newer core knows is an {@link InternalException}.
     *
     * @param code the code, for example {@code not_found}
     * @param message what went wrong
     * @param details what else is known
     * @return the exception, not thrown
     */
    public static EverstepException of(String code, String message, ErrorDetails details) {
        return switch (code) {
            case "invalid_argument" -> new InvalidArgumentException(message, details);
            case "not_found" -> new NotFoundException(message, details);
            case "already_exists" -> new AlreadyExistsException(message, details);
            case "failed_precondition" -> new FailedPreconditionException(message, details);
            case "not_implemented" -> new OperationNotImplementedException(message, details);
            case "unavailable" -> new UnavailableException(message, details);
            case "timeout" -> new OperationTimeoutException(message, details);
            case "cancelled" -> new OperationCancelledException(message, details);
            case "unauthenticated" -> new UnauthenticatedException(message, details);
            case "permission_denied" -> new PermissionDeniedException(message, details);
            case "payload_too_large" -> new PayloadTooLargeException(message, details);
            case "workflow_failed" -> new WorkflowFailedException(message, details);
            case "workflow_terminated" -> new WorkflowTerminatedException(message, details);
            case "workflow_stalled" -> new WorkflowStalledException(message, details);
            case "workflow_not_registered" -> new WorkflowNotRegisteredException(message, details);
            case "activity_not_registered" -> new ActivityNotRegisteredException(message, details);
            case "activity_failed" -> new ActivityFailedException(message, details);
            case "child_failed" -> new ChildFailedException(message, details);
            case "decode_failed" -> new DecodeException(message, details);
            case "resource_exhausted" -> new ResourceExhaustedException(message, details);
            case "store_locked" -> new StoreLockedException(message, details);
            case "store_version" -> new StoreVersionException(message, details);
            case "store_corrupt" -> new StoreCorruptException(message, details);
            case "closed" -> new ClosedException(message, details);
            case "forked" -> new ForkedException(message, details);
            default -> new InternalException(message, details);
        };
    }

    /**
     * The code, the same in every language.
     *
     * @return for example {@code not_found}
     */
    public final String code() {
        return code;
    }

    /**
     * Whether the same call may succeed later without a change by the caller.
     *
     * @return {@code true} if it may
     */
    public final boolean isRetryable() {
        return retryable;
    }

    /**
     * The operation that failed.
     *
     * @return for example {@code start_workflow}; null if it is not known
     */
    public final @Nullable String operation() {
        return details().operation();
    }

    /**
     * The instance concerned.
     *
     * @return its ID; null if there is none
     */
    public final @Nullable String instanceId() {
        return details().instanceId();
    }

    /**
     * What the user's code failed with.
     *
     * @return the failure; null if it did not
     */
    public final @Nullable Failure failure() {
        return details().failure();
    }

    /**
     * How many instances an operation on many had been done to, durably, when it failed.
     *
     * @return the count; null for another operation
     */
    public final @Nullable Long done() {
        return details().done();
    }

    /** An exception that was serialized has kept its message and its code alone. */
    private ErrorDetails details() {
        return details == null ? ErrorDetails.NONE : details;
    }

    private static String text(String message, ErrorDetails details) {
        String operation = details.operation() == null ? "" : details.operation() + ": ";
        String instance = details.instanceId() == null ? "" : " (instance \"" + details.instanceId() + "\")";
        return operation + message + instance;
    }

    private static @Nullable Throwable causeOf(ErrorDetails details) {
        if (details.cause() != null || details.failure() == null) {
            return details.cause();
        }
        return details.failure().toThrowable();
    }
}
