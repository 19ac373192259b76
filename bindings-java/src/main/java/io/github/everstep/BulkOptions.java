package io.github.everstep;

import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/** What an operation on many instances may be told. What an action does not have, it ignores. Immutable. */
public final class BulkOptions {
    private static final BulkOptions NONE = new BulkOptions(done -> {}, null, null, true);

    private final LongConsumer progress;
    private final @Nullable String reason;
    private final @Nullable Object output;
    private final boolean recursive;

    private BulkOptions(LongConsumer progress, @Nullable String reason, @Nullable Object output, boolean recursive) {
        this.progress = progress;
        this.reason = reason;
        this.output = output;
        this.recursive = recursive;
    }

    /**
     * Nothing in particular.
     *
     * @return the options
     */
    public static BulkOptions none() {
        return NONE;
    }

    /**
     * Who is told after each slice how many were done so far; what it throws ends the operation there.
     *
     * @param progress is called with the count
     * @return the options
     */
    public static BulkOptions progress(LongConsumer progress) {
        return NONE.withProgress(progress);
    }

    /**
     * Who is told after each slice how many were done so far; what it throws ends the operation there.
     *
     * @param progress is called with the count
     * @return the options
     */
    public BulkOptions withProgress(LongConsumer progress) {
        return new BulkOptions(progress, reason, output, recursive);
    }

    /**
     * Why they are paused or resumed.
     *
     * @param reason the reason
     * @return the options
     */
    public static BulkOptions reason(String reason) {
        return NONE.withReason(reason);
    }

    /**
     * Why they are paused or resumed.
     *
     * @param reason the reason
     * @return the options
     */
    public BulkOptions withReason(String reason) {
        return new BulkOptions(progress, reason, output, recursive);
    }

    /**
     * Which output the instances have after a termination.
     *
     * @param output the output
     * @return the options
     */
    public static BulkOptions output(Object output) {
        return NONE.withOutput(output);
    }

    /**
     * Which output the instances have after a termination.
     *
     * @param output the output
     * @return the options
     */
    public BulkOptions withOutput(Object output) {
        return new BulkOptions(progress, reason, output, recursive);
    }

    /**
     * Whether the children of what is terminated end too; without, they do.
     *
     * @param recursive whether they do
     * @return the options
     */
    public static BulkOptions recursive(boolean recursive) {
        return NONE.withRecursive(recursive);
    }

    /**
     * Whether the children of what is terminated end too; without, they do.
     *
     * @param recursive whether they do
     * @return the options
     */
    public BulkOptions withRecursive(boolean recursive) {
        return new BulkOptions(progress, reason, output, recursive);
    }

    @Nullable String reason() {
        return reason;
    }

    @Nullable Object output() {
        return output;
    }

    boolean recursive() {
        return recursive;
    }

    LongConsumer progress() {
        return progress;
    }
}
