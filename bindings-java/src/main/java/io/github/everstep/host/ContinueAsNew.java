package io.github.everstep.host;

/** Leaves a workflow on behalf of {@code continueAsNew}. An error, so that no {@code catch (Exception)} takes it. */
public final class ContinueAsNew extends Error {
    private static final long serialVersionUID = 1;

    ContinueAsNew() {
        super("the workflow continues as new; let this pass", null, false, false);
    }
}
