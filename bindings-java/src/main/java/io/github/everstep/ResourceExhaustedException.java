package io.github.everstep;

/**
 * Disk, memory or a configured limit is exhausted.
 *
 * <p>What to do: free the resource that the message names, then repeat.
 */
public class ResourceExhaustedException extends EverstepException {
    private static final long serialVersionUID = 1;

    /**
     * An error with a message.
     *
     * @param message what went wrong
     */
    public ResourceExhaustedException(String message) {
        this(message, ErrorDetails.NONE);
    }

    /**
     * An error with a message and what else is known.
     *
     * @param message what went wrong
     * @param details what else is known
     */
    public ResourceExhaustedException(String message, ErrorDetails details) {
        super("resource_exhausted", true, message, details);
    }
}
