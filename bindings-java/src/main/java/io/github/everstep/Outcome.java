package io.github.everstep;

import org.jspecify.annotations.Nullable;

/**
 * How a task ended: with a value, or with an error.
 *
 * @param value what it gave; null if it failed
 * @param error what it failed with; null if it did not
 * @param <T> the type of the value
 */
public record Outcome<T extends @Nullable Object>(@Nullable T value, @Nullable Throwable error) {
    /**
     * Whether it failed.
     *
     * @return {@code true} if it did
     */
    public boolean isFailed() {
        return error != null;
    }
}
