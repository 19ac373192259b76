package io.github.everstep;

/**
 * The time given has passed; the operation may still happen.
 *
 * <p>What to do: ask for the state before repeating, or give more time.
 */
public class OperationTimeoutException extends EverstepException {
    private static final long serialVersionUID = 1;

    /**
     * An error with a message.
     *
     * @param message what went wrong
     */
    public OperationTimeoutException(String message) {
        this(message, ErrorDetails.NONE);
    }

    /**
     * An error with a message and what else is known.
     *
     * @param message what went wrong
     * @param details what else is known
     */
    public OperationTimeoutException(String message, ErrorDetails details) {
        super("timeout", true, message, details);
    }
}
