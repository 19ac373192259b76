package io.github.everstep;

import org.jspecify.annotations.Nullable;

/** What a rerun may be told. Immutable. */
public final class RerunOptions {
    private static final RerunOptions NONE = new RerunOptions(null, null);

    private final @Nullable String newInstanceId;
    private final @Nullable Object input;

    private RerunOptions(@Nullable String newInstanceId, @Nullable Object input) {
        this.newInstanceId = newInstanceId;
        this.input = input;
    }

    /**
     * Nothing in particular.
     *
     * @return the options
     */
    public static RerunOptions none() {
        return NONE;
    }

    /**
     * Under which instance ID it goes on; one is made up without.
     *
     * @param newInstanceId letters, digits, {@code _} and {@code -}, 1 to 64 bytes
     * @return the options
     */
    public static RerunOptions newInstanceId(String newInstanceId) {
        return NONE.withNewInstanceId(newInstanceId);
    }

    /**
     * Under which instance ID it goes on; one is made up without.
     *
     * @param newInstanceId letters, digits, {@code _} and {@code -}, 1 to 64 bytes
     * @return the options
     */
    public RerunOptions withNewInstanceId(String newInstanceId) {
        return new RerunOptions(newInstanceId, input);
    }

    /**
     * Which other input the event gets that it begins with; without, it keeps its own.
     *
     * @param input the input
     * @return the options
     */
    public static RerunOptions input(Object input) {
        return NONE.withInput(input);
    }

    /**
     * Which other input the event gets that it begins with; without, it keeps its own.
     *
     * @param input the input
     * @return the options
     */
    public RerunOptions withInput(Object input) {
        return new RerunOptions(newInstanceId, input);
    }

    @Nullable String newInstanceId() {
        return newInstanceId;
    }

    @Nullable Object input() {
        return input;
    }
}
