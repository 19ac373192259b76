package io.github.everstep;

/**
 * Another process owns the store.
 *
 * <p>What to do: close the process that the message names, or use a file of its own.
 */
public class StoreLockedException extends EverstepException {
    private static final long serialVersionUID = 1;

    /**
     * An error with a message.
     *
     * @param message what went wrong
     */
    public StoreLockedException(String message) {
        this(message, ErrorDetails.NONE);
    }

    /**
     * An error with a message and what else is known.
     *
     * @param message what went wrong
     * @param details what else is known
     */
    public StoreLockedException(String message, ErrorDetails details) {
        super("store_locked", true, message, details);
    }
}
