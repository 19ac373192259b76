package io.github.everstep;

/**
 * A fault of this library.
 *
 * <p>What to do: report it.
 */
public class InternalException extends EverstepException {
    private static final long serialVersionUID = 1;

    /**
     * An error with a message.
     *
     * @param message what went wrong
     */
    public InternalException(String message) {
        this(message, ErrorDetails.NONE);
    }

    /**
     * An error with a message and what else is known.
     *
     * @param message what went wrong
     * @param details what else is known
     */
    public InternalException(String message, ErrorDetails details) {
        super("internal", false, message, details);
    }
}
