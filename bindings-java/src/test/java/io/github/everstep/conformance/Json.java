package io.github.everstep.conformance;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;

import io.github.everstep.RawPayload;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** JSON as plain values: maps, lists, texts, numbers, booleans and null; and the data of {@code conformance/}. */
public final class Json {
    public static final Path CONFORMANCE = Path.of("..", "conformance");
    private static final ObjectMapper MAPPER =
            new ObjectMapper().enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS);

    private Json() {}

    /** A file of {@code conformance/}. */
    public static Map<String, Object> file(String name) {
        try {
            return object(parse(Files.readString(CONFORMANCE.resolve(name))));
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    /** The value of a text; fails with an {@link IllegalArgumentException} if that is no JSON. */
    public static Object parse(String text) {
        try {
            return MAPPER.readValue(text, Object.class);
        } catch (JsonProcessingException error) {
            throw new IllegalArgumentException(error);
        }
    }

    /** The text of a value, with the keys of objects in order. */
    public static String text(Object value) {
        try {
            return MAPPER.writeValueAsString(value);
        } catch (JsonProcessingException error) {
            throw new IllegalArgumentException(error);
        }
    }

    @SuppressWarnings("unchecked")
    public static Map<String, Object> object(Object value) {
        return (Map<String, Object>) value;
    }

    @SuppressWarnings("unchecked")
    public static List<Object> array(Object value) {
        return (List<Object>) value;
    }

    /** An array of objects. */
    public static List<Map<String, Object>> objects(Object value) {
        return array(value).stream().map(Json::object).toList();
    }

    /** An array of texts; none of null. */
    public static List<String> texts(Object value) {
        return value == null ? List.of() : array(value).stream().map(String.class::cast).toList();
    }

    public static long number(Object value) {
        return ((Number) value).longValue();
    }

    /** Fails if an object has a key that is not named here. */
    public static void only(Map<String, Object> object, Collection<String> keys) {
        var unknown = new TreeSet<>(object.keySet());
        unknown.removeAll(keys);
        if (!unknown.isEmpty()) throw new AssertionError("unknown keys " + unknown);
    }

    /** A payload that is there even if it is {@code null}; without one the payload is absent. */
    public static Object present(Object value) {
        return value == null ? new RawPayload("null") : value;
    }

    /** Whether two values are the same; numbers are compared by value. */
    public static boolean same(Object one, Object other) {
        if (one instanceof Number a && other instanceof Number b) return decimal(a).compareTo(decimal(b)) == 0;
        if (one instanceof List<?> a && other instanceof List<?> b) {
            if (a.size() != b.size()) return false;
            for (int i = 0; i < a.size(); i++) if (!same(a.get(i), b.get(i))) return false;
            return true;
        }
        if (one instanceof Map<?, ?> a && other instanceof Map<?, ?> b) {
            return a.keySet().equals(b.keySet()) && a.keySet().stream().allMatch(key -> same(a.get(key), b.get(key)));
        }
        return one == null ? other == null : one.equals(other);
    }

    private static BigDecimal decimal(Number number) {
        return new BigDecimal(number.toString());
    }
}
