package io.github.everstep;

import org.jspecify.annotations.Nullable;

/** Throw this, or a subclass, where a repetition of an activity or child workflow cannot help. */
public class NonRetryableException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** The name of the type; null for that of the class. */
    private final @Nullable String errorType;

    /**
     * An error with a message, known by the simple name of its class.
     *
     * @param message what went wrong
     */
    public NonRetryableException(@Nullable String message) {
        this(null, message, null);
    }

    /**
     * An error with a message and a cause, known by the simple name of its class.
     *
     * @param message what went wrong
     * @param cause what caused it
     */
    public NonRetryableException(@Nullable String message, @Nullable Throwable cause) {
        this(null, message, cause);
    }

    /**
     * An error of a type with a name of its own, as {@link ApplicationException} has it.
     *
     * @param errorType the name of the type
     * @param message what went wrong
     * @param cause what caused it
     */
    public NonRetryableException(@Nullable String errorType, @Nullable String message, @Nullable Throwable cause) {
        super(message, cause);
        this.errorType = errorType;
    }

    /**
     * The name of the type.
     *
     * @return the name
     */
    public String errorType() {
        return errorType == null ? getClass().getSimpleName() : errorType;
    }
}
