package io.github.everstep;

/**
 * The component cannot be reached now.
 *
 * <p>What to do: repeat later; check that the sidecar runs.
 */
public class UnavailableException extends EverstepException {
    private static final long serialVersionUID = 1;

    /**
     * An error with a message.
     *
     * @param message what went wrong
     */
    public UnavailableException(String message) {
        this(message, ErrorDetails.NONE);
    }

    /**
     * An error with a message and what else is known.
     *
     * @param message what went wrong
     * @param details what else is known
     */
    public UnavailableException(String message, ErrorDetails details) {
        super("unavailable", true, message, details);
    }
}
