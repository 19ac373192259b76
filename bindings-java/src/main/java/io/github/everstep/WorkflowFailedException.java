package io.github.everstep;

/**
 * The workflow ended in failure; the error carries the chain of failures.
 *
 * <p>What to do: read the chain of failures.
 */
public class WorkflowFailedException extends RemoteFailureException {
    private static final long serialVersionUID = 1;

    /**
     * An error with a message.
     *
     * @param message what went wrong
     */
    public WorkflowFailedException(String message) {
        this(message, ErrorDetails.NONE);
    }

    /**
     * An error with a message and what else is known.
     *
     * @param message what went wrong
     * @param details what else is known
     */
    public WorkflowFailedException(String message, ErrorDetails details) {
        super("workflow_failed", false, message, details);
    }
}
