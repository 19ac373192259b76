package io.github.everstep;

import org.jspecify.annotations.Nullable;

/** What failed elsewhere, as its caller sees it. {@link #failure()} is the chain of what failed. */
public abstract class RemoteFailureException extends EverstepException {
    private static final long serialVersionUID = 1;

    RemoteFailureException(String code, boolean retryable, String message, ErrorDetails details) {
        super(code, retryable, message, details);
    }

    /**
     * The name of the type that was thrown, in Java the simple name of its class.
     *
     * @return for example {@code IllegalStateException}; empty if it is not known
     */
    public final String errorType() {
        Failure failure = failure();
        return failure == null ? "" : failure.errorType();
    }

    /**
     * The stack of where it was thrown, as text.
     *
     * @return the stack; null if there is none
     */
    public final @Nullable String remoteStackTrace() {
        Failure failure = failure();
        return failure == null ? null : failure.stackTrace();
    }

    /**
     * Tells whether the failure or one of its causes is of this type, by its exact name.
     *
     * @param errorType the name
     * @return {@code true} if one is
     */
    public final boolean isCausedBy(String errorType) {
        Failure failure = failure();
        return failure != null && failure.isCausedBy(errorType);
    }

    /**
     * Tells whether the failure or one of its causes is of this class, by its simple name.
     *
     * @param type the class
     * @return {@code true} if one is
     */
    public final boolean isCausedBy(Class<? extends Throwable> type) {
        return isCausedBy(type.getSimpleName());
    }
}
