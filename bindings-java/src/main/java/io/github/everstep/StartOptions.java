package io.github.everstep;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a start may be told. Immutable. */
public final class StartOptions {
    private static final StartOptions NONE = new StartOptions(null, null, null, Map.of(), Reuse.FINISHED, Map.of());

    private final @Nullable String instanceId;
    private final @Nullable Instant startAt;
    private final @Nullable String version;
    private final Map<String, String> tags;
    private final Reuse reuse;
    private final Map<String, String> options;

    private StartOptions(
            @Nullable String instanceId,
            @Nullable Instant startAt,
            @Nullable String version,
            Map<String, String> tags,
            Reuse reuse,
            Map<String, String> options) {
        this.instanceId = instanceId;
        this.startAt = startAt;
        this.version = version;
        this.tags = tags;
        this.reuse = reuse;
        this.options = options;
    }

    /**
     * Nothing in particular.
     *
     * @return the options
     */
    public static StartOptions none() {
        return NONE;
    }

    /**
     * Under which instance ID; one is made up without.
     *
     * @param instanceId letters, digits, {@code _} and {@code -}, 1 to 64 bytes
     * @return the options
     */
    public static StartOptions instanceId(String instanceId) {
        return NONE.withInstanceId(instanceId);
    }

    /**
     * Under which instance ID; one is made up without.
     *
     * @param instanceId letters, digits, {@code _} and {@code -}, 1 to 64 bytes
     * @return the options
     */
    public StartOptions withInstanceId(String instanceId) {
        return new StartOptions(instanceId, startAt, version, tags, reuse, options);
    }

    /**
     * When it is to begin, if not at once.
     *
     * @param startAt a point in time
     * @return the options
     */
    public static StartOptions startAt(Instant startAt) {
        return NONE.withStartAt(startAt);
    }

    /**
     * When it is to begin, if not at once.
     *
     * @param startAt a point in time
     * @return the options
     */
    public StartOptions withStartAt(Instant startAt) {
        return new StartOptions(instanceId, startAt, version, tags, reuse, options);
    }

    /**
     * Which version, for a workflow that is given by its name.
     *
     * @param version its name
     * @return the options
     */
    public static StartOptions version(String version) {
        return NONE.withVersion(version);
    }

    /**
     * Which version, for a workflow that is given by its name.
     *
     * @param version its name
     * @return the options
     */
    public StartOptions withVersion(String version) {
        return new StartOptions(instanceId, startAt, version, tags, reuse, options);
    }

    /**
     * Which labels its state shows.
     *
     * @param tags names and values
     * @return the options
     */
    public StartOptions withTags(Map<String, String> tags) {
        return new StartOptions(instanceId, startAt, version, Map.copyOf(tags), reuse, options);
    }

    /**
     * Whether the ID of an instance that has finished may be used again; without, it may.
     *
     * @param reuse whether it may
     * @return the options
     */
    public StartOptions withReuse(Reuse reuse) {
        return new StartOptions(instanceId, startAt, version, tags, reuse, options);
    }

    /**
     * What a component of Dapr's is told.
     *
     * @param options names and values
     * @return the options
     */
    public StartOptions withOptions(Map<String, String> options) {
        return new StartOptions(instanceId, startAt, version, tags, reuse, Map.copyOf(options));
    }

    @Nullable String instanceId() {
        return instanceId;
    }

    @Nullable Instant startAt() {
        return startAt;
    }

    @Nullable String version() {
        return version;
    }

    Map<String, String> tags() {
        return tags;
    }

    Reuse reuse() {
        return reuse;
    }

    Map<String, String> options() {
        return options;
    }

    /**
     * How long from now it is to begin.
     *
     * @param delay the time until then
     * @return the options
     * @throws InvalidArgumentException if it is negative
     */
    public StartOptions withDelay(Duration delay) {
        Long millis = Times.millis(delay, "delay");
        return withStartAt(Instant.now().plusMillis(millis == null ? 0 : millis));
    }
}
