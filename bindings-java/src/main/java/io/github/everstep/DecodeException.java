package io.github.everstep;

import org.jspecify.annotations.Nullable;

/**
 * A payload could not be decoded; its text stays readable.
 *
 * <p>What to do: read the raw text, and correct the type or the codec.
 */
public class DecodeException extends EverstepException {
    private static final long serialVersionUID = 1;

    /** The payload as it came. */
    private final @Nullable String text;

    /**
     * An error with a message.
     *
     * @param message what went wrong
     */
    public DecodeException(String message) {
        this(message, ErrorDetails.NONE);
    }

    /**
     * An error with a message and what else is known.
     *
     * @param message what went wrong
     * @param details what else is known
     */
    public DecodeException(String message, ErrorDetails details) {
        this(message, details, null);
    }

    /**
     * An error about a payload.
     *
     * @param message what went wrong
     * @param details what else is known
     * @param text the payload as it came
     */
    public DecodeException(String message, ErrorDetails details, @Nullable String text) {
        super("decode_failed", false, message, details);
        this.text = text;
    }

    /**
     * The payload as it came.
     *
     * @return its text; null if it is not known
     */
    public @Nullable String text() {
        return text;
    }
}
