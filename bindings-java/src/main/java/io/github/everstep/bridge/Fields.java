package io.github.everstep.bridge;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What the core says by name: see {@code answer.rs} of the native library.
 *
 * @param all texts, numbers, truths, lists and maps
 */
public record Fields(Map<?, ?> all) {
    /** A text, if it is there. */
    public @Nullable String text(String name) {
        return (String) all.get(name);
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
        return all.get(name) instanceof Map<?, ?> inner ? new Fields(inner) : null;
    }

    /** A list of what has fields; an absent one is empty. */
    public Stream<Fields> each(String name) {
        return all.get(name) instanceof List<?> list ? list.stream().map(one -> new Fields((Map<?, ?>) one)) : Stream.of();
    }

    /** A list of texts. */
    public List<String> texts(String name) {
        return ((List<?>) all.get(name)).stream().map(String.class::cast).toList();
    }

    /** Texts by name. */
    public Map<String, String> map(String name) {
        return ((Map<?, ?>) all.get(name))
                .entrySet().stream()
                        .collect(Collectors.toUnmodifiableMap(entry -> (String) entry.getKey(), entry -> (String) entry.getValue()));
    }
}
