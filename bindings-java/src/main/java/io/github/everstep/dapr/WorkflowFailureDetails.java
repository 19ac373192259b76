package io.github.everstep.dapr;

import org.jspecify.annotations.Nullable;

/** What user code failed with. */
public interface WorkflowFailureDetails {
    /**
     * The name of the type that was thrown.
     *
     * @return for a workflow of Java the full name of its class
     */
    String getErrorType();

    /**
     * Its message.
     *
     * @return the message, empty if it had none
     */
    String getErrorMessage();

    /**
     * Its stack as text.
     *
     * @return the stack; null if there is none
     */
    @Nullable String getStackTrace();

    /**
     * Tells whether it, or one of its causes, is of this class or of one that extends it.
     *
     * @param exceptionClass the class
     * @return {@code true} if one is
     */
    boolean isCausedBy(Class<? extends Exception> exceptionClass);
}
