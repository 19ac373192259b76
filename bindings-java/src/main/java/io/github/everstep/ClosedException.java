package io.github.everstep;

/**
 * The client, worker or engine is closed.
 *
 * <p>What to do: open another one.
 */
public class ClosedException extends EverstepException {
    private static final long serialVersionUID = 1;

    /**
     * An error with a message.
     *
     * @param message what went wrong
     */
    public ClosedException(String message) {
        this(message, ErrorDetails.NONE);
    }

    /**
     * An error with a message and what else is known.
     *
     * @param message what went wrong
     * @param details what else is known
     */
    public ClosedException(String message, ErrorDetails details) {
        super("closed", false, message, details);
    }
}
