package io.github.everstep.conformance;

import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** One step of a case, without what says which step it is. */
record Step(Map<String, Object> fields, Duration patience) {
    /** A step with the names of a run filled in, which waits so long. */
    static Step of(Map<String, Object> given, Map<String, String> names, Duration patience) {
        return new Step(Json.object(filled(given, names)), patience);
    }

    boolean has(String key) {
        return fields.containsKey(key);
    }

    Object get(String key) {
        return fields.get(key);
    }

    String text(String key) {
        return (String) fields.get(key);
    }

    String id() {
        return text("id");
    }

    boolean flag(String key, boolean otherwise) {
        return (boolean) fields.getOrDefault(key, otherwise);
    }

    Duration timeout() {
        return has("timeout_ms") ? Duration.ofMillis(Json.number(get("timeout_ms"))) : patience;
    }

    /** What is expected; null: the step only must succeed. */
    Map<String, Object> expected() {
        return Json.object(fields.get("expect"));
    }

    Step without(String... keys) {
        var rest = new HashMap<>(fields);
        for (var key : keys) rest.remove(key);
        return new Step(rest, patience);
    }

    private static Object filled(Object value, Map<String, String> names) {
        return switch (value) {
            case String text -> filled(text, names);
            case List<?> list -> list.stream().map(item -> filled(item, names)).collect(Collectors.toList());
            case Map<?, ?> map when map.get("$repeat") instanceof String text && map.size() == 2 ->
                text.repeat(((Number) map.get("times")).intValue());
            case Map<?, ?> map -> {
                var object = new LinkedHashMap<String, Object>();
                map.forEach((key, item) -> object.put((String) key, filled(item, names)));
                yield object;
            }
            case null, default -> value;
        };
    }

    private static String filled(String text, Map<String, String> names) {
        for (var name : names.entrySet()) text = text.replace("{" + name.getKey() + "}", name.getValue());
        return text;
    }
}
