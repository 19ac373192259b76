package io.github.everstep;

import org.jspecify.annotations.Nullable;

/**
 * An error with a type of its own name, for those who tell errors apart by {@link Failure#errorType()}, maybe in another
 * language. Any other exception is known by the simple name of its class.
 */
public class ApplicationException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** The name of the type. */
    private final String errorType;

    /**
     * An error of a type with a message.
     *
     * @param errorType the name of the type
     * @param message what went wrong
     */
    public ApplicationException(String errorType, @Nullable String message) {
        this(errorType, message, null);
    }

    /**
     * An error of a type with a message and a cause.
     *
     * @param errorType the name of the type
     * @param message what went wrong
     * @param cause what caused it
     */
    public ApplicationException(String errorType, @Nullable String message, @Nullable Throwable cause) {
        super(message, cause);
        this.errorType = Arguments.name(errorType, "errorType");
    }

    /**
     * The name of the type.
     *
     * @return the name
     */
    public String errorType() {
        return errorType;
    }
}
