package io.github.everstep;

/**
 * A payload is larger than the limit the message names.
 *
 * <p>What to do: pass a reference to the data, or raise the limit.
 */
public class PayloadTooLargeException extends EverstepException {
    private static final long serialVersionUID = 1;

    /**
     * An error with a message.
     *
     * @param message what went wrong
     */
    public PayloadTooLargeException(String message) {
        this(message, ErrorDetails.NONE);
    }

    /**
     * An error with a message and what else is known.
     *
     * @param message what went wrong
     * @param details what else is known
     */
    public PayloadTooLargeException(String message, ErrorDetails details) {
        super("payload_too_large", false, message, details);
    }
}
