package io.github.everstep.dapr;

import io.github.everstep.Failure;
import org.jspecify.annotations.Nullable;

/** What an activity, a child workflow or a workflow failed with. */
public final class FailureDetails implements WorkflowFailureDetails {
    private final Failure failure;

    FailureDetails(Failure failure) {
        this.failure = failure;
    }

    @Override
    public String getErrorType() {
        return failure.errorType();
    }

    @Override
    public String getErrorMessage() {
        return failure.message();
    }

    @Override
    public @Nullable String getStackTrace() {
        return failure.stackTrace();
    }

    /**
     * Tells whether retry policies leave it alone.
     *
     * @return {@code true} if they do
     */
    public boolean isNonRetriable() {
        return failure.isNonRetryable();
    }

    @Override
    public boolean isCausedBy(Class<? extends Exception> exceptionClass) {
        return failure.chain().stream().anyMatch(each -> isOf(each.errorType(), exceptionClass));
    }

    private static boolean isOf(String errorType, Class<?> wanted) {
        if (errorType.equals(wanted.getName()) || errorType.equals(wanted.getSimpleName())) {
            return true;
        }
        var loader = wanted.getClassLoader() == null ? Thread.currentThread().getContextClassLoader() : wanted.getClassLoader();
        try {
            return wanted.isAssignableFrom(Class.forName(errorType, false, loader));
        } catch (ClassNotFoundException | LinkageError unknown) {
            // What was thrown elsewhere need not be known here.
            return false;
        }
    }

    @Override
    public String toString() {
        return failure.errorType() + ": " + failure.message();
    }
}
