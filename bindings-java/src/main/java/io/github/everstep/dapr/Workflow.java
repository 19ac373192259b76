package io.github.everstep.dapr;

/** A workflow, registered by its class or as an object. */
public interface Workflow {
    /**
     * Makes what runs.
     *
     * @return the workflow's code
     */
    WorkflowStub create();

    /**
     * Runs the workflow.
     *
     * @param ctx what it asks for
     */
    default void run(WorkflowContext ctx) {
        create().run(ctx);
    }
}
