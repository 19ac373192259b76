package io.github.everstep;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.jspecify.annotations.Nullable;

/** Times and durations as the core counts them. */
final class Times {
    private static final long MOST_SECONDS = (1L << 53) / 1000;

    private Times() {}

    static Instant instant(long micros) {
        return Instant.EPOCH.plus(micros, ChronoUnit.MICROS);
    }

    static @Nullable Instant optional(@Nullable Long micros) {
        return micros == null ? null : instant(micros);
    }

    static @Nullable Long micros(@Nullable Instant time, String name) {
        if (time == null) {
            return null;
        }
        try {
            return ChronoUnit.MICROS.between(Instant.EPOCH, time);
        } catch (ArithmeticException error) {
            throw new InvalidArgumentException(name + " is farther away than 280,000 years");
        }
    }

    /** Whole milliseconds, rounded up so that nothing is early. */
    static @Nullable Long millis(@Nullable Duration duration, String name) {
        if (duration == null) {
            return null;
        }
        if (duration.isNegative() || duration.getSeconds() >= MOST_SECONDS) {
            throw new InvalidArgumentException(name + " must be between 0 and 285,000 years");
        }
        return duration.plusNanos(999_999).toMillis();
    }
}
