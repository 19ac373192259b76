package io.github.everstep;

import io.github.everstep.bridge.Request;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Which instances a listing, a count or an operation on many means: those that meet all that is said. Immutable. */
public final class Filter {
    private static final Filter ALL = new Filter(null, List.of(), null, null, null);

    private final @Nullable String name;
    private final List<RuntimeStatus> statuses;
    private final @Nullable Instant createdFrom;
    private final @Nullable Instant createdTo;
    private final @Nullable String parentInstanceId;

    private Filter(
            @Nullable String name,
            List<RuntimeStatus> statuses,
            @Nullable Instant createdFrom,
            @Nullable Instant createdTo,
            @Nullable String parentInstanceId) {
        this.name = name;
        this.statuses = statuses;
        this.createdFrom = createdFrom;
        this.createdTo = createdTo;
        this.parentInstanceId = parentInstanceId;
    }

    /**
     * All instances, or all that the operation concerns.
     *
     * @return the filter
     */
    public static Filter all() {
        return ALL;
    }

    /**
     * Those of a workflow.
     *
     * @param name its name
     * @return the filter
     */
    public static Filter name(String name) {
        return ALL.withName(name);
    }

    /**
     * Those of any of these statuses.
     *
     * @param statuses the statuses
     * @return the filter
     */
    public static Filter status(RuntimeStatus... statuses) {
        return ALL.withStatus(statuses);
    }

    /**
     * Those of a workflow.
     *
     * @param name its name
     * @return the filter
     */
    public Filter withName(String name) {
        return new Filter(name, statuses, createdFrom, createdTo, parentInstanceId);
    }

    /**
     * Those of any of these statuses.
     *
     * @param statuses the statuses; none for all
     * @return the filter
     */
    public Filter withStatus(RuntimeStatus... statuses) {
        return new Filter(name, List.copyOf(Arrays.asList(statuses)), createdFrom, createdTo, parentInstanceId);
    }

    /**
     * Those created at this moment or later.
     *
     * @param createdFrom the moment
     * @return the filter
     */
    public Filter withCreatedFrom(Instant createdFrom) {
        return new Filter(name, statuses, createdFrom, createdTo, parentInstanceId);
    }

    /**
     * Those created before this moment.
     *
     * @param createdTo the moment
     * @return the filter
     */
    public Filter withCreatedTo(Instant createdTo) {
        return new Filter(name, statuses, createdFrom, createdTo, parentInstanceId);
    }

    /**
     * Children that an instance with this ID started, whichever run of it did.
     *
     * @param parentInstanceId the ID
     * @return the filter
     */
    public Filter withParentInstanceId(String parentInstanceId) {
        return new Filter(name, statuses, createdFrom, createdTo, parentInstanceId);
    }

    Request toRequest() {
        return Request.part()
                .with("name", name)
                .with("statuses", statuses.stream().map(RuntimeStatus::name).toList())
                .json("createdFrom", Times.micros(createdFrom, "createdFrom"))
                .json("createdTo", Times.micros(createdTo, "createdTo"))
                .with("parent", parentInstanceId);
    }
}
