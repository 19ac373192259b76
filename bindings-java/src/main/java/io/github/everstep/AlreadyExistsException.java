package io.github.everstep;

/**
 * The instance ID is in use.
 *
 * <p>What to do: choose another ID, or use the instance that has it.
 */
public class AlreadyExistsException extends EverstepException {
    private static final long serialVersionUID = 1;

    /**
     * An error with a message.
     *
     * @param message what went wrong
     */
    public AlreadyExistsException(String message) {
        this(message, ErrorDetails.NONE);
    }

    /**
     * An error with a message and what else is known.
     *
     * @param message what went wrong
     * @param details what else is known
     */
    public AlreadyExistsException(String message, ErrorDetails details) {
        super("already_exists", false, message, details);
    }
}
