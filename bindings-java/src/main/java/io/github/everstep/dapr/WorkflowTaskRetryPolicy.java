package io.github.everstep.dapr;

import io.github.everstep.InvalidArgumentException;
import io.github.everstep.Retry;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** How often and when a failed activity or child workflow is tried again. Immutable. */
public final class WorkflowTaskRetryPolicy {
    private final int attempts;
    private final Duration firstInterval;
    private final double backoff;
    private final Duration maxInterval;
    private final Duration timeout;

    /**
     * A policy.
     *
     * @param maxNumberOfAttempts how many attempts there are at most; 1 without
     * @param firstRetryInterval the pause before the second attempt; a second without
     * @param backoffCoefficient what each further pause is multiplied by; 1 without
     * @param maxRetryInterval the longest pause; no limit without
     * @param retryTimeout when no further attempt begins; no limit without
     */
    public WorkflowTaskRetryPolicy(
            @Nullable Integer maxNumberOfAttempts,
            @Nullable Duration firstRetryInterval,
            @Nullable Double backoffCoefficient,
            @Nullable Duration maxRetryInterval,
            @Nullable Duration retryTimeout) {
        attempts = maxNumberOfAttempts == null ? 1 : maxNumberOfAttempts;
        firstInterval = firstRetryInterval == null ? Duration.ofSeconds(1) : firstRetryInterval;
        backoff = backoffCoefficient == null ? 1 : backoffCoefficient;
        maxInterval = maxRetryInterval == null ? Duration.ZERO : maxRetryInterval;
        timeout = retryTimeout == null ? Duration.ZERO : retryTimeout;
        if (attempts < 1) {
            throw new InvalidArgumentException("maxNumberOfAttempts must be at least 1");
        }
        toRetry();
    }

    /**
     * Begins a policy.
     *
     * @return a builder
     */
    public static Builder newBuilder() {
        return new Builder();
    }

    /**
     * How many attempts there are at most.
     *
     * @return the number
     */
    public int getMaxNumberOfAttempts() {
        return attempts;
    }

    /**
     * The pause before the second attempt.
     *
     * @return the pause
     */
    public Duration getFirstRetryInterval() {
        return firstInterval;
    }

    /**
     * What each further pause is multiplied by.
     *
     * @return the factor
     */
    public double getBackoffCoefficient() {
        return backoff;
    }

    /**
     * The longest pause.
     *
     * @return the pause; zero for no limit
     */
    public Duration getMaxRetryInterval() {
        return maxInterval;
    }

    /**
     * When no further attempt begins, from the first one.
     *
     * @return the time; zero for no limit
     */
    public Duration getRetryTimeout() {
        return timeout;
    }

    Retry toRetry() {
        var retry = Retry.maxAttempts(attempts).withFirstInterval(firstInterval).withBackoff(backoff);
        if (!maxInterval.isZero()) {
            retry = retry.withMaxInterval(maxInterval);
        }
        return timeout.isZero() ? retry : retry.withTotalTimeout(timeout);
    }

    /** Makes a policy. */
    public static class Builder {
        private @Nullable Integer attempts;
        private @Nullable Duration firstInterval;
        private @Nullable Double backoff;
        private @Nullable Duration maxInterval;
        private @Nullable Duration timeout;

        private Builder() {}

        /**
         * The policy.
         *
         * @return a policy
         */
        public WorkflowTaskRetryPolicy build() {
            return new WorkflowTaskRetryPolicy(attempts, firstInterval, backoff, maxInterval, timeout);
        }

        /**
         * How many attempts there are at most.
         *
         * @param maxNumberOfAttempts at least 1
         * @return this
         */
        public Builder setMaxNumberOfAttempts(int maxNumberOfAttempts) {
            attempts = maxNumberOfAttempts;
            return this;
        }

        /**
         * The pause before the second attempt.
         *
         * @param firstRetryInterval the pause
         * @return this
         */
        public Builder setFirstRetryInterval(Duration firstRetryInterval) {
            firstInterval = firstRetryInterval;
            return this;
        }

        /**
         * What each further pause is multiplied by.
         *
         * @param backoffCoefficient at least 1
         * @return this
         */
        public Builder setBackoffCoefficient(double backoffCoefficient) {
            backoff = backoffCoefficient;
            return this;
        }

        /**
         * The longest pause.
         *
         * @param maxRetryInterval the pause; null or zero for no limit
         * @return this
         */
        public Builder setMaxRetryInterval(@Nullable Duration maxRetryInterval) {
            maxInterval = maxRetryInterval;
            return this;
        }

        /**
         * When no further attempt begins, from the first one.
         *
         * @param retryTimeout the time; null or zero for no limit
         * @return this
         */
        public Builder setRetryTimeout(@Nullable Duration retryTimeout) {
            timeout = retryTimeout;
            return this;
        }
    }
}
