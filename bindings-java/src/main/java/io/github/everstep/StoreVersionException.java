package io.github.everstep;

/**
 * The store was written by a newer version.
 *
 * <p>What to do: update this package.
 */
public class StoreVersionException extends EverstepException {
    private static final long serialVersionUID = 1;

    /**
     * An error with a message.
     *
     * @param message what went wrong
     */
    public StoreVersionException(String message) {
        this(message, ErrorDetails.NONE);
    }

    /**
     * An error with a message and what else is known.
     *
     * @param message what went wrong
     * @param details what else is known
     */
    public StoreVersionException(String message, ErrorDetails details) {
        super("store_version", false, message, details);
    }
}
