package io.github.everstep;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** What a map over activities or child workflows may be told. Immutable. */
public final class MapOptions {
    private static final MapOptions NONE = new MapOptions(0, CallOptions.none());

    private final int maxConcurrency;
    private final CallOptions call;

    private MapOptions(int maxConcurrency, CallOptions call) {
        this.maxConcurrency = maxConcurrency;
        this.call = call;
    }

    /**
     * Nothing: all items run at the same time.
     *
     * @return the options
     */
    public static MapOptions none() {
        return NONE;
    }

    /**
     * How many run at a time, at least 1; without, all.
     *
     * @param maxConcurrency how many
     * @return the options
     */
    public static MapOptions maxConcurrency(int maxConcurrency) {
        return NONE.withMaxConcurrency(maxConcurrency);
    }

    /**
     * How often and when each item is tried again. Without: never.
     *
     * @param retry the policy
     * @return the options
     */
    public static MapOptions retry(Retry retry) {
        return NONE.withRetry(retry);
    }

    /**
     * How many run at a time, at least 1; without, all.
     *
     * @param maxConcurrency how many
     * @return the options
     */
    public MapOptions withMaxConcurrency(int maxConcurrency) {
        return new MapOptions(Arguments.count(maxConcurrency, "maxConcurrency", 1), call);
    }

    /**
     * How long one attempt of an activity may take; not for child workflows.
     *
     * @param timeout the time
     * @return the options
     */
    public MapOptions withTimeout(Duration timeout) {
        return new MapOptions(maxConcurrency, call.withTimeout(timeout));
    }

    /**
     * How often and when each item is tried again. Without: never.
     *
     * @param retry the policy
     * @return the options
     */
    public MapOptions withRetry(Retry retry) {
        return new MapOptions(maxConcurrency, call.withRetry(retry));
    }

    /**
     * Another application that runs them.
     *
     * @param appId the application
     * @return the options
     */
    public MapOptions withAppId(String appId) {
        return new MapOptions(maxConcurrency, call.withAppId(appId));
    }

    /**
     * How many run at a time; 0 for all.
     *
     * @return how many
     */
    public int maxConcurrency() {
        return maxConcurrency;
    }

    /**
     * How long one attempt of an activity may take, if there is a limit.
     *
     * @return the time; null for no limit
     */
    public @Nullable Duration timeout() {
        return call.timeout();
    }

    /**
     * How often and when each item is tried again, if it is.
     *
     * @return the policy; null for none
     */
    public @Nullable Retry retry() {
        return call.retry();
    }

    /**
     * Another application that runs them, if one does.
     *
     * @return the application; null for this one
     */
    public @Nullable String appId() {
        return call.appId();
    }
}
