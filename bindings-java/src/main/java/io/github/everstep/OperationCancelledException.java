package io.github.everstep;

/**
 * The caller gave the call up.
 *
 * <p>What to do: nothing; the operation may still happen.
 */
public class OperationCancelledException extends EverstepException {
    private static final long serialVersionUID = 1;

    /**
     * An error with a message.
     *
     * @param message what went wrong
     */
    public OperationCancelledException(String message) {
        this(message, ErrorDetails.NONE);
    }

    /**
     * An error with a message and what else is known.
     *
     * @param message what went wrong
     * @param details what else is known
     */
    public OperationCancelledException(String message, ErrorDetails details) {
        super("cancelled", false, message, details);
    }
}
