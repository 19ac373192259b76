package io.github.everstep;

import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What user code failed with, and what caused that.
 *
 * @param errorType the name of the type that was thrown, in Java the simple name of its class
 * @param message its message, empty if it had none
 * @param stackTrace its stack as text, if there is one
 * @param isNonRetryable whether retry policies leave it alone
 * @param cause what caused it
 * @param code the code of this library's table, where a workflow saw one
 */
public record Failure(
        String errorType,
        String message,
        @Nullable String stackTrace,
        boolean isNonRetryable,
        @Nullable Failure cause,
        @Nullable String code) {
    /**
     * This failure, its cause, the cause of that, and so on.
     *
     * @return the chain, the outermost first
     */
    public List<Failure> chain() {
        return Stream.iterate(this, failure -> failure != null, Failure::cause).toList();
    }

    /**
     * Tells whether this failure or one of its causes is of this type, by its exact name.
     *
     * @param errorType the name
     * @return {@code true} if one is
     */
    public boolean isCausedBy(String errorType) {
        return chain().stream().anyMatch(failure -> failure.errorType.equals(errorType));
    }

    /**
     * Tells whether this failure or one of its causes is of this class, by its simple name.
     *
     * @param type the class
     * @return {@code true} if one is
     */
    public boolean isCausedBy(Class<? extends Throwable> type) {
        return isCausedBy(type.getSimpleName());
    }

    /** The failure as an exception that prints as the one that was thrown did. */
    Throwable toThrowable() {
        return new Thrown(this);
    }

    /** What was thrown elsewhere: it has the printed stack of there, and none of its own. */
    private static final class Thrown extends RuntimeException {
        private static final long serialVersionUID = 1;

        private final String printed;

        Thrown(Failure failure) {
            super(failure.message(), failure.cause() == null ? null : failure.cause().toThrowable(), false, false);
            String name = failure.errorType() + (failure.message().isEmpty() ? "" : ": " + failure.message());
            printed = failure.stackTrace() == null ? name : failure.stackTrace().stripTrailing();
        }

        @Override
        public String toString() {
            return printed;
        }
    }
}
