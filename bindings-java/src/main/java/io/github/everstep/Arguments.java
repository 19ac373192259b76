package io.github.everstep;

import java.lang.reflect.Type;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Arguments as the core takes them. What cannot be right is refused here, by name. */
final class Arguments {
    private Arguments() {}

    /** A value that must be there. */
    static <T> T present(@Nullable T value, String name) {
        if (value == null) throw new InvalidArgumentException(name + " must not be null");
        return value;
    }

    /** A text that names something. */
    static String name(@Nullable String value, String name) {
        if (present(value, name).isEmpty()) throw new InvalidArgumentException(name + " must not be empty");
        return value;
    }

    /** The type of an output. */
    static Type output(TypeRef<?> output) {
        if (output.type() instanceof Class<?> type && Definition.class.isAssignableFrom(type)) {
            throw new InvalidArgumentException(
                    "output must be the type of the workflow's output, not its class; or give the workflow itself");
        }
        return output.type();
    }

    /** A duration that is not negative, in whole milliseconds, rounded up so that nothing is early. */
    static long millis(@Nullable Duration value, String name) {
        if (present(value, name).isNegative() || value.getSeconds() >= MOST_SECONDS) {
            throw new InvalidArgumentException(name + " must be between 0 and 285,000 years");
        }
        return value.plusNanos(999_999).toMillis();
    }

    /** An integer of at least {@code least}. */
    static int count(int value, String name, int least) {
        if (value < least) throw new InvalidArgumentException(name + " must be at least " + least);
        return value;
    }

    private static final long MOST_SECONDS = (1L << 53) / 1000;
}
