package io.github.everstep.dapr;

import org.jspecify.annotations.Nullable;

/** What the call of an activity or a child workflow may be told. */
public class WorkflowTaskOptions {
    private final @Nullable WorkflowTaskRetryPolicy retryPolicy;
    private final @Nullable WorkflowTaskRetryHandler retryHandler;
    private final @Nullable String appId;

    /**
     * Options with a policy and a handler, which decides after each series of attempts that the policy makes.
     *
     * @param retryPolicy how often and when it is tried again
     * @param retryHandler decides whether it is tried again
     */
    public WorkflowTaskOptions(
            @Nullable WorkflowTaskRetryPolicy retryPolicy, @Nullable WorkflowTaskRetryHandler retryHandler) {
        this(retryPolicy, retryHandler, null);
    }

    /**
     * Options with a policy.
     *
     * @param retryPolicy how often and when it is tried again
     */
    public WorkflowTaskOptions(@Nullable WorkflowTaskRetryPolicy retryPolicy) {
        this(retryPolicy, null, null);
    }

    /**
     * Options with a handler.
     *
     * @param retryHandler decides whether it is tried again
     */
    public WorkflowTaskOptions(@Nullable WorkflowTaskRetryHandler retryHandler) {
        this(null, retryHandler, null);
    }

    /**
     * Options with another application.
     *
     * @param appId the application that runs it
     */
    public WorkflowTaskOptions(@Nullable String appId) {
        this(null, null, appId);
    }

    /**
     * Options with a policy and another application.
     *
     * @param retryPolicy how often and when it is tried again
     * @param appId the application that runs it
     */
    public WorkflowTaskOptions(@Nullable WorkflowTaskRetryPolicy retryPolicy, @Nullable String appId) {
        this(retryPolicy, null, appId);
    }

    /**
     * Options with a handler and another application.
     *
     * @param retryHandler decides whether it is tried again
     * @param appId the application that runs it
     */
    public WorkflowTaskOptions(@Nullable WorkflowTaskRetryHandler retryHandler, @Nullable String appId) {
        this(null, retryHandler, appId);
    }

    /**
     * All options.
     *
     * @param retryPolicy how often and when it is tried again
     * @param retryHandler decides whether it is tried again
     * @param appId the application that runs it
     */
    public WorkflowTaskOptions(
            @Nullable WorkflowTaskRetryPolicy retryPolicy,
            @Nullable WorkflowTaskRetryHandler retryHandler,
            @Nullable String appId) {
        this.retryPolicy = retryPolicy;
        this.retryHandler = retryHandler;
        this.appId = appId;
    }

    /**
     * How often and when it is tried again.
     *
     * @return the policy; null for none
     */
    public @Nullable WorkflowTaskRetryPolicy getRetryPolicy() {
        return retryPolicy;
    }

    /**
     * What decides whether it is tried again.
     *
     * @return the handler; null for none
     */
    public @Nullable WorkflowTaskRetryHandler getRetryHandler() {
        return retryHandler;
    }

    /**
     * The application that runs it.
     *
     * @return its ID; null for this one
     */
    public @Nullable String getAppId() {
        return appId;
    }
}
