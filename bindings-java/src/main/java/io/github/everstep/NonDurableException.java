package io.github.everstep;

/** A workflow used something that no history can replay. It stalls until its code is corrected. */
public class NonDurableException extends FailedPreconditionException {
    private static final long serialVersionUID = 1;

    /**
     * An error with a message.
     *
     * @param message what to do about it
     */
    public NonDurableException(String message) {
        super(message);
    }
}
