package io.github.everstep;

import org.jspecify.annotations.Nullable;

/** What a termination may be told. Immutable. */
public final class TerminateOptions {
    private static final TerminateOptions NONE = new TerminateOptions(null, true);

    private final @Nullable Object output;
    private final boolean recursive;

    private TerminateOptions(@Nullable Object output, boolean recursive) {
        this.output = output;
        this.recursive = recursive;
    }

    /**
     * Nothing in particular.
     *
     * @return the options
     */
    public static TerminateOptions none() {
        return NONE;
    }

    /**
     * Which output the instance has afterwards.
     *
     * @param output the output
     * @return the options
     */
    public static TerminateOptions output(Object output) {
        return NONE.withOutput(output);
    }

    /**
     * Which output the instance has afterwards.
     *
     * @param output the output
     * @return the options
     */
    public TerminateOptions withOutput(Object output) {
        return new TerminateOptions(output, recursive);
    }

    /**
     * Whether its children end with it; without, they do.
     *
     * @param recursive whether they do
     * @return the options
     */
    public static TerminateOptions recursive(boolean recursive) {
        return NONE.withRecursive(recursive);
    }

    /**
     * Whether its children end with it; without, they do.
     *
     * @param recursive whether they do
     * @return the options
     */
    public TerminateOptions withRecursive(boolean recursive) {
        return new TerminateOptions(output, recursive);
    }

    @Nullable Object output() {
        return output;
    }

    boolean recursive() {
        return recursive;
    }
}
