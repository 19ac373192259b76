package io.github.everstep;

/**
 * The component cannot do this; the message names what can.
 *
 * <p>What to do: leave the option out, or use a component or runtime version that has it.
 */
public class OperationNotImplementedException extends EverstepException {
    private static final long serialVersionUID = 1;

    /**
     * An error with a message.
     *
     * @param message what went wrong
     */
    public OperationNotImplementedException(String message) {
        this(message, ErrorDetails.NONE);
    }

    /**
     * An error with a message and what else is known.
     *
     * @param message what went wrong
     * @param details what else is known
     */
    public OperationNotImplementedException(String message, ErrorDetails details) {
        super("not_implemented", false, message, details);
    }
}
