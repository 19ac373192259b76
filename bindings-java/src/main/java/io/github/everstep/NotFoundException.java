package io.github.everstep;

/**
 * There is no such instance, or not the run that was asked for.
 *
 * <p>What to do: check the instance ID and the endpoint that the message names.
 */
public class NotFoundException extends EverstepException {
    private static final long serialVersionUID = 1;

    /**
     * An error with a message.
     *
     * @param message what went wrong
     */
    public NotFoundException(String message) {
        this(message, ErrorDetails.NONE);
    }

    /**
     * An error with a message and what else is known.
     *
     * @param message what went wrong
     * @param details what else is known
     */
    public NotFoundException(String message, ErrorDetails details) {
        super("not_found", false, message, details);
    }
}
