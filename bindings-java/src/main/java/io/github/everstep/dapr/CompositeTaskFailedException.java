package io.github.everstep.dapr;

import java.util.List;

/** Some of the tasks that {@link WorkflowContext#allOf} waited for failed. */
public class CompositeTaskFailedException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final transient List<Exception> exceptions;

    CompositeTaskFailedException(String message, List<Exception> exceptions) {
        super(message, exceptions.getFirst());
        this.exceptions = List.copyOf(exceptions);
    }

    /**
     * What they failed with, in the order of the tasks.
     *
     * @return at least one exception
     */
    public List<Exception> getExceptions() {
        return exceptions;
    }
}
