package io.github.everstep;

/**
 * No connected worker knows the activity.
 *
 * <p>What to do: register the activity with a worker.
 */
public class ActivityNotRegisteredException extends EverstepException {
    private static final long serialVersionUID = 1;

    /**
     * An error with a message.
     *
     * @param message what went wrong
     */
    public ActivityNotRegisteredException(String message) {
        this(message, ErrorDetails.NONE);
    }

    /**
     * An error with a message and what else is known.
     *
     * @param message what went wrong
     * @param details what else is known
     */
    public ActivityNotRegisteredException(String message, ErrorDetails details) {
        super("activity_not_registered", false, message, details);
    }
}
