package io.github.everstep.bridge;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What the core says by name: see {@code answer.rs} of the native library.
 *
 * @param all texts, numbers, truths, lists and maps
 * @param answer the answer that they are of
 * @param tail where in it the payloads begin
 */
public record Fields(Map<?, ?> all, String answer, int tail) {
    /** A text, if it is there. */
    public @Nullable String text(String name) {
        return (String) all.get(name);
    }

    /** A payload, if it is there. */
    public @Nullable String payload(String name) {
        return cut(all.get(name), answer, tail);
    }

    /** What stands behind an answer's JSON, at a place that begins and ends there. */
    static @Nullable String cut(@Nullable Object place, String answer, int tail) {
        return place instanceof List<?> at
                ? answer.substring(tail + ((Long) at.get(0)).intValue(), tail + ((Long) at.get(1)).intValue())
                : null;
    }

    /** A number, if it is there. */
    public @Nullable Long number(String name) {
        return (Long) all.get(name);
    }

    /** A count that is always there. */
    public int count(String name) {
        return Math.toIntExact((Long) all.get(name));
    }

    /** What has fields of its own, if it is there. */
    public @Nullable Fields inner(String name) {
        return all.get(name) instanceof Map<?, ?> inner ? new Fields(inner, answer, tail) : null;
    }

    /** A list of what has fields; an absent one is empty. */
    public Stream<Fields> each(String name) {
        return all.get(name) instanceof List<?> list ? list.stream().map(one -> new Fields((Map<?, ?>) one, answer, tail)) : Stream.of();
    }

    /** A list of texts. */
    public List<String> texts(String name) {
        return ((List<?>) all.get(name)).stream().map(String.class::cast).toList();
    }

    /** Texts by name; an absent map is empty. */
    @SuppressWarnings("unchecked")
    public Map<String, String> map(String name) {
        return all.get(name) instanceof Map<?, ?> map ? Map.copyOf((Map<String, String>) map) : Map.of();
    }
}
