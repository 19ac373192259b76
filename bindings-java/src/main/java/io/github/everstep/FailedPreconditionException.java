package io.github.everstep;

/**
 * The instance or the program is not in a state that allows the operation.
 *
 * <p>What to do: bring it into the state that the message names, then repeat.
 */
public class FailedPreconditionException extends EverstepException {
    private static final long serialVersionUID = 1;

    /**
     * An error with a message.
     *
     * @param message what went wrong
     */
    public FailedPreconditionException(String message) {
        this(message, ErrorDetails.NONE);
    }

    /**
     * An error with a message and what else is known.
     *
     * @param message what went wrong
     * @param details what else is known
     */
    public FailedPreconditionException(String message, ErrorDetails details) {
        super("failed_precondition", false, message, details);
    }
}
