package io.github.everstep;

/**
 * A child workflow failed.
 *
 * <p>What to do: handle it in the workflow, or let it fail.
 */
public class ChildFailedException extends RemoteFailureException {
    private static final long serialVersionUID = 1;

    /**
     * An error with a message.
     *
     * @param message what went wrong
     */
    public ChildFailedException(String message) {
        this(message, ErrorDetails.NONE);
    }

    /**
     * An error with a message and what else is known.
     *
     * @param message what went wrong
     * @param details what else is known
     */
    public ChildFailedException(String message, ErrorDetails details) {
        super("child_failed", false, message, details);
    }
}
