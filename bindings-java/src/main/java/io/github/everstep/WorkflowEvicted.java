package io.github.everstep;

/**
 * Raised by a workflow's context after the instance has ended or has left this worker: unwinds the threads of its code. An
 * error, so that no {@code catch (Exception)} takes it. What {@code finally} blocks do then does not reach the history, and
 * an evicted workflow goes on later from where it was: {@code finally} is no place for compensation.
 */
public final class WorkflowEvicted extends Error {
    private static final long serialVersionUID = 1;

    /** Made by the library alone. */
    public WorkflowEvicted() {
        super("the workflow instance has ended, or has left this worker; let this pass", null, false, false);
    }
}
