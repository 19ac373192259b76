package io.github.everstep;

/** A wait of a workflow, for an event or an activity, took longer than its timeout. */
public class WaitTimeoutException extends OperationTimeoutException {
    private static final long serialVersionUID = 1;

    /**
     * An error with a message and what else is known.
     *
     * @param message what went wrong
     * @param details what else is known
     */
    public WaitTimeoutException(String message, ErrorDetails details) {
        super(message, details);
    }
}
