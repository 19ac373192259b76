package io.github.everstep.host;

/**
 * Why a turn cannot go on until the program is changed.
 *
 * @param code one of the core's codes of stalls
 * @param message what to do about it
 * @param stack where it happened, if that is known
 */
record Stall(String code, String message, @Nullable String stack) {
    static final String BLOCKED = "blocked";
    static final String ENCODE_FAILED = "encode_failed";
    static final String INVALID_ARGUMENT = "invalid_argument";
    static final String NON_DURABLE = "non_durable";
    static final String VERSION_NOT_AVAILABLE = "version_not_available";

    /** Leaves the applying of a job on behalf of a stall. */
    static final class Found extends RuntimeException {
        private static final long serialVersionUID = 1;
        final transient Stall stall;

        Found(Stall stall) {
            super(stall.message, null, false, false);
            this.stall = stall;
        }

        Found(String code, String message) {
            this(new Stall(code, message, null));
        }
    }
}
