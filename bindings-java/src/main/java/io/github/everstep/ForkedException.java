package io.github.everstep;

/**
 * The object was made before a fork of the process. A JVM does not fork: it is here because the table is the same in all languages.
 *
 * <p>What to do: open a client after the fork, in the child.
 */
public class ForkedException extends EverstepException {
    private static final long serialVersionUID = 1;

    /**
     * An error with a message.
     *
     * @param message what went wrong
     */
    public ForkedException(String message) {
        this(message, ErrorDetails.NONE);
    }

    /**
     * An error with a message and what else is known.
     *
     * @param message what went wrong
     * @param details what else is known
     */
    public ForkedException(String message, ErrorDetails details) {
        super("forked", false, message, details);
    }
}
