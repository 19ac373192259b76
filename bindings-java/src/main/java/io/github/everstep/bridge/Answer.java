package io.github.everstep.bridge;

import io.github.everstep.ffi.EverstepJava;
import io.github.everstep.host.JsonReader;
import io.github.everstep.host.Nullable;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** What the core has answered, or a part of it: see {@code answer.rs} of the native library. */
public final class Answer {
    private final String text;
    /** Where in the text the payloads begin. */
    private final int tail;

    private final @Nullable Object value;
    private final long held;

    private Answer(String text, int tail, @Nullable Object value, long held) {
        this.text = text;
        this.tail = tail;
        this.value = value;
        this.held = held;
    }

    /** Reads an answer. Throws the exception of an error. */
    static Answer read(String text, Payloads payloads) {
        JsonReader json = new JsonReader(text);
        Map<String, Object> said = json.map();
        Object error = said.get("error");
        if (error != null) {
            throw Errors.of(new Answer(text, json.position(), error, 0), payloads);
        }
        return new Answer(text, json.position(), said.get("ok"), held(said));
    }

    /** The ticket of a call whose answer comes later; 0 if the text is the answer. */
    static long ticket(String text) {
        return text.startsWith("{\"waiting\":") ? Long.parseLong(text, 11, text.length() - 1, 10) : 0;
    }

    /** Lets go of what an answer holds that nobody has waited for. */
    static void discard(String text) {
        long held = text.contains("\"held\":") ? held(new JsonReader(text).map()) : 0;
        if (held != 0) {
            release(held);
        }
    }

    /** Lets go of what is held. */
    static void release(long held) {
        Carrier.call(() -> {
            EverstepJava.release(held);
            return true;
        });
    }

    private static long held(Map<String, Object> said) {
        return said.get("held") instanceof Long held ? held : 0;
    }

    /** The number of what is held from now on; 0 if nothing is. */
    public long held() {
        return held;
    }

    /** Whether there is nothing in it. */
    public boolean isNothing() {
        return value == null;
    }

    /** The number that was answered. */
    public long number() {
        return (Long) value;
    }

    /** The payload that was answered, if there is one. */
    public @Nullable String payload() {
        return cut(value);
    }

    /** What it says by name. */
    public Map<?, ?> fields() {
        return (Map<?, ?>) value;
    }

    /** A text, if it is there. */
    public @Nullable String text(String name) {
        return (String) fields().get(name);
    }

    /** A number, if it is there. */
    public @Nullable Long number(String name) {
        return (Long) fields().get(name);
    }

    /** A count that is always there. */
    public int count(String name) {
        return Math.toIntExact((Long) fields().get(name));
    }

    /** A payload, if it is there. */
    public @Nullable String payload(String name) {
        return cut(fields().get(name));
    }

    /** A part that has fields of its own. */
    public Answer inner(String name) {
        return new Answer(text, tail, fields().get(name), 0);
    }

    /** A list of parts; an absent one is empty. */
    public Stream<Answer> each(String name) {
        return fields().get(name) instanceof List<?> list
                ? list.stream().map(one -> new Answer(text, tail, one, 0))
                : Stream.of();
    }

    /** A list of texts. */
    public List<String> texts(String name) {
        return ((List<?>) fields().get(name)).stream().map(String.class::cast).toList();
    }

    /** Texts by name; an absent map is empty. */
    @SuppressWarnings("unchecked")
    public Map<String, String> map(String name) {
        return fields().get(name) instanceof Map<?, ?> map ? Map.copyOf((Map<String, String>) map) : Map.of();
    }

    /** What stands behind the JSON, at a place that begins and ends there. */
    private @Nullable String cut(@Nullable Object place) {
        return place instanceof List<?> at
                ? text.substring(tail + ((Long) at.get(0)).intValue(), tail + ((Long) at.get(1)).intValue())
                : null;
    }
}
