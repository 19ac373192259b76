package io.github.everstep;

/**
 * The store is damaged.
 *
 * <p>What to do: restore the file from a backup.
 */
public class StoreCorruptException extends EverstepException {
    private static final long serialVersionUID = 1;

    /**
     * An error with a message.
     *
     * @param message what went wrong
     */
    public StoreCorruptException(String message) {
        this(message, ErrorDetails.NONE);
    }

    /**
     * An error with a message and what else is known.
     *
     * @param message what went wrong
     * @param details what else is known
     */
    public StoreCorruptException(String message, ErrorDetails details) {
        super("store_corrupt", false, message, details);
    }
}
