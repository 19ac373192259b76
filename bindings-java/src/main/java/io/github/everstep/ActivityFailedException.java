package io.github.everstep;

/**
 * An activity failed.
 *
 * <p>What to do: handle it in the workflow, or let it fail.
 */
public class ActivityFailedException extends RemoteFailureException {
    private static final long serialVersionUID = 1;

    /**
     * An error with a message.
     *
     * @param message what went wrong
     */
    public ActivityFailedException(String message) {
        this(message, ErrorDetails.NONE);
    }

    /**
     * An error with a message and what else is known.
     *
     * @param message what went wrong
     * @param details what else is known
     */
    public ActivityFailedException(String message, ErrorDetails details) {
        super("activity_failed", false, message, details);
    }
}
