package io.github.everstep.bridge;

import io.github.everstep.host.JsonWriter;
import io.github.everstep.host.Nullable;
import java.util.Collection;
import java.util.Map;

/**
 * The text that asks the core for something. What is null is left out. A text that is no Unicode throws
 * {@code InvalidArgumentException}, naming the argument.
 */
public final class Request {
    private final StringBuilder text = new StringBuilder(128);
    private final StringBuilder payloads = new StringBuilder();
    private final String end;

    private Request(String begin, String end) {
        text.append(begin);
        this.end = end;
    }

    /** Asks a client for an operation. */
    public static Request of(String operation) {
        return new Request("{\"" + operation + "\":{", "}}");
    }

    /** A part of a request. */
    public static Request part() {
        return new Request("{", "}");
    }

    /** Says a text. */
    public Request with(String name, @Nullable String value) {
        if (value != null) {
            JsonWriter.quote(key(name), Payloads.wellFormed(value, name));
        }
        return this;
    }

    /** Says a payload: it stands behind the request as it is, since most of its characters would have to be escaped. */
    public Request payload(String name, @Nullable String value) {
        if (value != null) {
            int begin = payloads.length();
            payloads.append(value);
            key(name).append('[').append(begin).append(',').append(payloads.length()).append(']');
        }
        return this;
    }

    /** Says a number, a truth, or what is JSON as it stands. */
    public Request json(String name, @Nullable Object value) {
        if (value != null) {
            key(name).append(value);
        }
        return this;
    }

    /** Says texts by name. */
    public Request with(String name, Map<String, String> values) {
        var inner = part();
        values.forEach((key, value) -> {
            if (inner.text.length() > 1) {
                inner.text.append(',');
            }
            JsonWriter.quote(inner.text, Payloads.wellFormed(key, name)).append(':');
            JsonWriter.quote(inner.text, Payloads.wellFormed(value, name));
        });
        return json(name, values.isEmpty() ? null : inner);
    }

    /** Says texts. */
    public Request with(String name, Collection<String> values) {
        var list = key(name).append('[');
        for (String value : values) {
            JsonWriter.quote(list.charAt(list.length() - 1) == '[' ? list : list.append(','), Payloads.wellFormed(value, name));
        }
        list.append(']');
        return this;
    }

    private StringBuilder key(String name) {
        if (text.charAt(text.length() - 1) != '{') {
            text.append(',');
        }
        return text.append('"').append(name).append("\":");
    }

    /** The text. */
    @Override
    public String toString() {
        return text + end + payloads;
    }
}
