package io.github.everstep;

import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * How often and when a failed activity or child workflow is tried again. The pauses are durable timers. Immutable.
 *
 * <pre>{@code
 * CallOptions.retry(Retry.maxAttempts(3).withFirstInterval(Duration.ofMillis(200)))
 * }</pre>
 */
public final class Retry {
    private static final int NO_LIMIT = 0;

    private final int maxAttempts;
    private final Duration firstInterval;
    private final double backoff;
    private final @Nullable Duration maxInterval;
    private final @Nullable Duration totalTimeout;
    private final List<String> nonRetryable;

    private Retry(
            int maxAttempts,
            Duration firstInterval,
            double backoff,
            @Nullable Duration maxInterval,
            @Nullable Duration totalTimeout,
            List<String> nonRetryable) {
        this.maxAttempts = maxAttempts;
        this.firstInterval = firstInterval;
        this.backoff = backoff;
        this.maxInterval = maxInterval;
        this.totalTimeout = totalTimeout;
        this.nonRetryable = nonRetryable;
    }

    /**
     * At most so many attempts, the first one included; a second between the first two, twice as long each time after that.
     *
     * @param attempts how many, at least 1
     * @return the policy
     * @throws InvalidArgumentException if it is less than 1
     */
    public static Retry maxAttempts(int attempts) {
        return new Retry(
                Arguments.count(attempts, "maxAttempts", 1), Duration.ofSeconds(1), 2, null, null, List.of());
    }

    /**
     * Any number of attempts.
     *
     * @return the policy
     */
    public static Retry unlimited() {
        return new Retry(NO_LIMIT, Duration.ofSeconds(1), 2, null, null, List.of());
    }

    /**
     * The pause before the second attempt; a second without.
     *
     * @param firstInterval the pause
     * @return the policy
     */
    public Retry withFirstInterval(Duration firstInterval) {
        Arguments.millis(firstInterval, "firstInterval");
        return new Retry(maxAttempts, firstInterval, backoff, maxInterval, totalTimeout, nonRetryable);
    }

    /**
     * What each further pause is multiplied by, from 1 to 1,000,000; 2 without.
     *
     * @param backoff the factor
     * @return the policy
     */
    public Retry withBackoff(double backoff) {
        if (!(backoff >= 1 && backoff <= 1e6)) {
            throw new InvalidArgumentException("backoff must be a number from 1 to 1000000");
        }
        return new Retry(maxAttempts, firstInterval, backoff, maxInterval, totalTimeout, nonRetryable);
    }

    /**
     * The longest pause; 100 seconds without.
     *
     * @param maxInterval the pause
     * @return the policy
     */
    public Retry withMaxInterval(Duration maxInterval) {
        Arguments.millis(maxInterval, "maxInterval");
        return new Retry(maxAttempts, firstInterval, backoff, maxInterval, totalTimeout, nonRetryable);
    }

    /**
     * No attempt begins later than this after the first one.
     *
     * @param totalTimeout the time
     * @return the policy
     */
    public Retry withTotalTimeout(Duration totalTimeout) {
        Arguments.millis(totalTimeout, "totalTimeout");
        return new Retry(maxAttempts, firstInterval, backoff, maxInterval, totalTimeout, nonRetryable);
    }

    /**
     * What is not tried again, by the exact class; a {@link NonRetryableException} never is.
     *
     * @param types what they are
     * @return the policy
     */
    @SafeVarargs
    public final Retry withNonRetryable(Class<? extends Throwable>... types) {
        var names = new String[types.length];
        for (int i = 0; i < names.length; i++) names[i] = types[i].getSimpleName();
        return withNonRetryable(names);
    }

    /**
     * What is not tried again, by the exact name of its type, which may be one of another language.
     *
     * @param types what they are
     * @return the policy
     */
    public Retry withNonRetryable(String... types) {
        var all = Stream.concat(nonRetryable.stream(), Stream.of(types)).toList();
        all.forEach(type -> Arguments.name(type, "a type of nonRetryable"));
        return new Retry(maxAttempts, firstInterval, backoff, maxInterval, totalTimeout, all);
    }

    /**
     * How many attempts there are at most; 0 for any number.
     *
     * @return how many
     */
    public int maxAttempts() {
        return maxAttempts;
    }

    /**
     * The pause before the second attempt.
     *
     * @return the pause
     */
    public Duration firstInterval() {
        return firstInterval;
    }

    /**
     * What each further pause is multiplied by.
     *
     * @return the factor
     */
    public double backoff() {
        return backoff;
    }

    /**
     * The longest pause, if it was said.
     *
     * @return the pause; null if it was not said
     */
    public @Nullable Duration maxInterval() {
        return maxInterval;
    }

    /**
     * How long after the first attempt the last one may begin, if it was said.
     *
     * @return the time; null if it was not said
     */
    public @Nullable Duration totalTimeout() {
        return totalTimeout;
    }

    /**
     * The names of the types that are not tried again.
     *
     * @return the names, which cannot be changed
     */
    public List<String> nonRetryable() {
        return nonRetryable;
    }
}
