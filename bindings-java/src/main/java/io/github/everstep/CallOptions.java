package io.github.everstep;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** What the call of an activity may be told. Immutable. */
public final class CallOptions {
    private static final CallOptions NONE = new CallOptions(null, null, null);

    private final @Nullable Duration timeout;
    private final @Nullable Retry retry;
    private final @Nullable String appId;

    private CallOptions(@Nullable Duration timeout, @Nullable Retry retry, @Nullable String appId) {
        this.timeout = timeout;
        this.retry = retry;
        this.appId = appId;
    }

    /**
     * Nothing.
     *
     * @return the options
     */
    public static CallOptions none() {
        return NONE;
    }

    /**
     * How long one attempt may take; then it fails as a {@link WaitTimeoutException}.
     *
     * @param timeout the time
     * @return the options
     */
    public static CallOptions timeout(Duration timeout) {
        return NONE.withTimeout(timeout);
    }

    /**
     * How often and when it is tried again. Without: never.
     *
     * @param retry the policy
     * @return the options
     */
    public static CallOptions retry(Retry retry) {
        return NONE.withRetry(retry);
    }

    /**
     * Another application that runs it.
     *
     * @param appId the application
     * @return the options
     */
    public static CallOptions appId(String appId) {
        return NONE.withAppId(appId);
    }

    /**
     * How long one attempt may take; then it fails as a {@link WaitTimeoutException}.
     *
     * @param timeout the time
     * @return the options
     */
    public CallOptions withTimeout(Duration timeout) {
        Arguments.millis(timeout, "timeout");
        return new CallOptions(timeout, retry, appId);
    }

    /**
     * How often and when it is tried again. Without: never.
     *
     * @param retry the policy
     * @return the options
     */
    public CallOptions withRetry(Retry retry) {
        return new CallOptions(timeout, Arguments.present(retry, "retry"), appId);
    }

    /**
     * Another application that runs it.
     *
     * @param appId the application
     * @return the options
     */
    public CallOptions withAppId(String appId) {
        return new CallOptions(timeout, retry, Arguments.name(appId, "appId"));
    }

    /**
     * How long one attempt may take, if there is a limit.
     *
     * @return the time; null for no limit
     */
    public @Nullable Duration timeout() {
        return timeout;
    }

    /**
     * How often and when it is tried again, if it is.
     *
     * @return the policy; null for none
     */
    public @Nullable Retry retry() {
        return retry;
    }

    /**
     * Another application that runs it, if one does.
     *
     * @return the application; null for this one
     */
    public @Nullable String appId() {
        return appId;
    }
}
