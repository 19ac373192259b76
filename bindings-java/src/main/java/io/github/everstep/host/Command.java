package io.github.everstep.host;

import io.github.everstep.Retry;
import io.github.everstep.bridge.Payloads;
import java.time.Duration;
import java.time.Instant;

/** Writes the members of a command, or of an answer; what is null is left out. */
final class Command {
    private final StringBuilder out;
    private final Payloads payloads;
    private final Runnable ended;

    Command(StringBuilder out, Payloads payloads) {
        this(out, payloads, () -> {});
    }

    /** {@code ended} is told when all of it is written. */
    Command(StringBuilder out, Payloads payloads, Runnable ended) {
        this.out = out;
        this.payloads = payloads;
        this.ended = ended;
    }

    Command text(String key, @Nullable String value) {
        if (value != null) JsonWriter.quote(key(key), value);
        return this;
    }

    Command number(String key, long value) {
        key(key).append(value);
        return this;
    }

    Command flag(String key, boolean value) {
        key(key).append(value);
        return this;
    }

    /** Whole milliseconds, rounded up so that nothing is early. */
    Command millis(String key, @Nullable Duration value) {
        if (value != null) key(key).append(value.plusNanos(999_999).toMillis());
        return this;
    }

    Command instant(String key, Instant value) {
        key(key).append(value.plusNanos(999_999).toEpochMilli());
        return this;
    }

    /** A payload that is encoded already. */
    Command payload(String key, Payloads.@Nullable Encoded payload) {
        if (payload == null) return this;
        if (payload.isJson()) key(key).append(payload.text());
        else JsonWriter.quote(key(key + "_text"), payload.text());
        return this;
    }

    Command error(Throwable error) {
        Failures.write(key("error"), error, false, payloads);
        return this;
    }

    Command retry(@Nullable Retry retry) {
        if (retry == null) return this;
        key("retry").append("{\"first_interval_ms\":").append(retry.firstInterval().plusNanos(999_999).toMillis());
        number("backoff", retry.backoff());
        if (retry.maxAttempts() > 0) number("max_attempts", retry.maxAttempts());
        millis("max_interval_ms", retry.maxInterval());
        millis("total_timeout_ms", retry.totalTimeout());
        if (!retry.nonRetryable().isEmpty()) {
            key("non_retryable");
            char before = '[';
            for (var type : retry.nonRetryable()) {
                JsonWriter.quote(out.append(before), type);
                before = ',';
            }
            out.append(']');
        }
        out.append('}');
        return this;
    }

    void end() {
        out.append('}');
        ended.run();
    }

    private void number(String key, double value) {
        key(key).append(value);
    }

    private StringBuilder key(String key) {
        return out.append(",\"").append(key).append("\":");
    }
}
