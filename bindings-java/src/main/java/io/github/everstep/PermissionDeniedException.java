package io.github.everstep;

/**
 * The credentials do not allow this.
 *
 * <p>What to do: ask for the permission, or use another identity.
 */
public class PermissionDeniedException extends EverstepException {
    private static final long serialVersionUID = 1;

    /**
     * An error with a message.
     *
     * @param message what went wrong
     */
    public PermissionDeniedException(String message) {
        this(message, ErrorDetails.NONE);
    }

    /**
     * An error with a message and what else is known.
     *
     * @param message what went wrong
     * @param details what else is known
     */
    public PermissionDeniedException(String message, ErrorDetails details) {
        super("permission_denied", false, message, details);
    }
}
