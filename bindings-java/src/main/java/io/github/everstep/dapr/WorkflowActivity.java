package io.github.everstep.dapr;

import org.jspecify.annotations.Nullable;

/** An activity, registered by its class or as an object. */
@FunctionalInterface
public interface WorkflowActivity {
    /**
     * Runs the activity.
     *
     * @param ctx what it may know of the call
     * @return the output; null for none
     */
    @Nullable Object run(WorkflowActivityContext ctx);
}
