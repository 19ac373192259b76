package io.github.everstep;

/**
 * An argument breaks a rule that the message names; nothing was sent or written.
 *
 * <p>What to do: correct the argument that the message names.
 */
public class InvalidArgumentException extends EverstepException {
    private static final long serialVersionUID = 1;

    /**
     * An error with a message.
     *
     * @param message what went wrong
     */
    public InvalidArgumentException(String message) {
        this(message, ErrorDetails.NONE);
    }

    /**
     * An error with a message and what else is known.
     *
     * @param message what went wrong
     * @param details what else is known
     */
    public InvalidArgumentException(String message, ErrorDetails details) {
        super("invalid_argument", false, message, details);
    }
}
