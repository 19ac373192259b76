package io.github.everstep;

/**
 * Credentials are missing or wrong.
 *
 * <p>What to do: set the API token that the sidecar expects.
 */
public class UnauthenticatedException extends EverstepException {
    private static final long serialVersionUID = 1;

    /**
     * An error with a message.
     *
     * @param message what went wrong
     */
    public UnauthenticatedException(String message) {
        this(message, ErrorDetails.NONE);
    }

    /**
     * An error with a message and what else is known.
     *
     * @param message what went wrong
     * @param details what else is known
     */
    public UnauthenticatedException(String message, ErrorDetails details) {
        super("unauthenticated", false, message, details);
    }
}
