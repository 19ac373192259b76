package io.github.everstep.dapr;

/** The code of a workflow. Its output is what it gives to {@link WorkflowContext#complete}. */
@FunctionalInterface
public interface WorkflowStub {
    /**
     * Runs the workflow.
     *
     * @param ctx what it asks for
     */
    void run(WorkflowContext ctx);
}
