package io.github.everstep;

/**
 * The workflow waits for corrected code; it is tried again with the next worker or resume.
 *
 * <p>What to do: correct the workflow's code as the reason says, then start a worker or resume.
 */
public class WorkflowStalledException extends EverstepException {
    private static final long serialVersionUID = 1;

    /**
     * An error with a message.
     *
     * @param message what went wrong
     */
    public WorkflowStalledException(String message) {
        this(message, ErrorDetails.NONE);
    }

    /**
     * An error with a message and what else is known.
     *
     * @param message what went wrong
     * @param details what else is known
     */
    public WorkflowStalledException(String message, ErrorDetails details) {
        super("workflow_stalled", true, message, details);
    }
}
