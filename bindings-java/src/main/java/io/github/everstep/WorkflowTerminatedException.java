package io.github.everstep;

/**
 * The workflow was terminated.
 *
 * <p>What to do: start it again if that was not intended.
 */
public class WorkflowTerminatedException extends EverstepException {
    private static final long serialVersionUID = 1;

    /**
     * An error with a message.
     *
     * @param message what went wrong
     */
    public WorkflowTerminatedException(String message) {
        this(message, ErrorDetails.NONE);
    }

    /**
     * An error with a message and what else is known.
     *
     * @param message what went wrong
     * @param details what else is known
     */
    public WorkflowTerminatedException(String message, ErrorDetails details) {
        super("workflow_terminated", false, message, details);
    }
}
