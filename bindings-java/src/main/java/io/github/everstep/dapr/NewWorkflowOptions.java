package io.github.everstep.dapr;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** What a start may be told. */
public class NewWorkflowOptions {
    private @Nullable String version;
    private @Nullable String instanceId;
    private @Nullable Object input;
    private @Nullable Instant startTime;

    /** Nothing in particular. */
    public NewWorkflowOptions() {}

    /**
     * Which version of the workflow.
     *
     * @param version its name
     * @return this
     */
    public NewWorkflowOptions setVersion(@Nullable String version) {
        this.version = version;
        return this;
    }

    /**
     * Under which instance ID; one is made up without.
     *
     * @param instanceId letters, digits, {@code _} and {@code -}, 1 to 64 bytes
     * @return this
     */
    public NewWorkflowOptions setInstanceId(@Nullable String instanceId) {
        this.instanceId = instanceId;
        return this;
    }

    /**
     * The input.
     *
     * @param input the input; null for none
     * @return this
     */
    public NewWorkflowOptions setInput(@Nullable Object input) {
        this.input = input;
        return this;
    }

    /**
     * When it is to begin, if not at once.
     *
     * @param startTime the time
     * @return this
     */
    public NewWorkflowOptions setStartTime(@Nullable Instant startTime) {
        this.startTime = startTime;
        return this;
    }

    /**
     * Which version of the workflow.
     *
     * @return its name; null if none was said
     */
    public @Nullable String getVersion() {
        return version;
    }

    /**
     * Under which instance ID.
     *
     * @return the ID; null if none was said
     */
    public @Nullable String getInstanceId() {
        return instanceId;
    }

    /**
     * The input.
     *
     * @return the input; null for none
     */
    public @Nullable Object getInput() {
        return input;
    }

    /**
     * When it is to begin.
     *
     * @return the time; null for at once
     */
    public @Nullable Instant getStartTime() {
        return startTime;
    }
}
