package io.github.everstep;

import org.jspecify.annotations.Nullable;

/** What the call of a child workflow may be told. Immutable. */
public final class ChildOptions {
    private static final ChildOptions NONE = new ChildOptions(null, null, null, null);

    private final @Nullable String instanceId;
    private final @Nullable String version;
    private final @Nullable Retry retry;
    private final @Nullable String appId;

    private ChildOptions(
            @Nullable String instanceId, @Nullable String version, @Nullable Retry retry, @Nullable String appId) {
        this.instanceId = instanceId;
        this.version = version;
        this.retry = retry;
        this.appId = appId;
    }

    /**
     * Nothing.
     *
     * @return the options
     */
    public static ChildOptions none() {
        return NONE;
    }

    /**
     * The child's instance ID; without, one that derives from its parent's.
     *
     * @param instanceId the ID
     * @return the options
     */
    public static ChildOptions instanceId(String instanceId) {
        return NONE.withInstanceId(instanceId);
    }

    /**
     * Which version; the latest one without.
     *
     * @param version the version
     * @return the options
     */
    public static ChildOptions version(String version) {
        return NONE.withVersion(version);
    }

    /**
     * How often and when it is tried again. Without: never.
     *
     * @param retry the policy
     * @return the options
     */
    public static ChildOptions retry(Retry retry) {
        return NONE.withRetry(retry);
    }

    /**
     * Another application that runs it.
     *
     * @param appId the application
     * @return the options
     */
    public static ChildOptions appId(String appId) {
        return NONE.withAppId(appId);
    }

    /**
     * The child's instance ID; without, one that derives from its parent's.
     *
     * @param instanceId the ID
     * @return the options
     */
    public ChildOptions withInstanceId(String instanceId) {
        return new ChildOptions(Arguments.name(instanceId, "instanceId"), version, retry, appId);
    }

    /**
     * Which version; the latest one without.
     *
     * @param version the version
     * @return the options
     */
    public ChildOptions withVersion(String version) {
        return new ChildOptions(instanceId, Arguments.name(version, "version"), retry, appId);
    }

    /**
     * How often and when it is tried again. Without: never.
     *
     * @param retry the policy
     * @return the options
     */
    public ChildOptions withRetry(Retry retry) {
        return new ChildOptions(instanceId, version, Arguments.present(retry, "retry"), appId);
    }

    /**
     * Another application that runs it.
     *
     * @param appId the application
     * @return the options
     */
    public ChildOptions withAppId(String appId) {
        return new ChildOptions(instanceId, version, retry, Arguments.name(appId, "appId"));
    }

    /**
     * The child's instance ID, if it was said.
     *
     * @return the ID; null if it was not said
     */
    public @Nullable String instanceId() {
        return instanceId;
    }

    /**
     * The version, if it was said.
     *
     * @return the version; null if it was not said
     */
    public @Nullable String version() {
        return version;
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
