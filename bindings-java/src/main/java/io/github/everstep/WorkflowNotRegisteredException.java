package io.github.everstep;

/**
 * No worker knows the workflow.
 *
 * <p>What to do: register the workflow with a worker.
 */
public class WorkflowNotRegisteredException extends EverstepException {
    private static final long serialVersionUID = 1;

    /**
     * An error with a message.
     *
     * @param message what went wrong
     */
    public WorkflowNotRegisteredException(String message) {
        this(message, ErrorDetails.NONE);
    }

    /**
     * An error with a message and what else is known.
     *
     * @param message what went wrong
     * @param details what else is known
     */
    public WorkflowNotRegisteredException(String message, ErrorDetails details) {
        super("workflow_not_registered", false, message, details);
    }
}
