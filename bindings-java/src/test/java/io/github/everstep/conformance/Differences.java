package io.github.everstep.conformance;

import io.github.everstep.conformance.Cases.Case;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** What {@code dapr/differences.json} says of cases on a real Dapr. */
final class Differences {
    private static final Map<String, Object> TABLE = Json.file("dapr/differences.json");
    private static final List<Map<String, Object>> ENTRIES = Json.objects(TABLE.get("differences")).stream()
            .flatMap(difference -> Json.objects(difference.get("cases")).stream())
            .toList();

    /** The version of Dapr that they are about. */
    static final String RUNTIME = (String) TABLE.get("runtime");

    private Differences() {}

    /** Whether nothing is left of a case. */
    static boolean isSkipped(Case one, String place) {
        return entries(one, place).anyMatch(entry -> entry.get("skip") == Boolean.TRUE);
    }

    /** Whether a case leaves other histories there. */
    static boolean leavesOtherHistory(Case one, String place) {
        return entries(one, place).anyMatch(entry -> entry.get("history") == Boolean.TRUE);
    }

    /** The steps of a case as they hold at a place. */
    static List<Map<String, Object>> steps(Case one, String place) {
        var steps = new ArrayList<List<Map<String, Object>>>();
        for (var step : one.steps()) steps.add(List.of(step));
        entries(one, place).map(entry -> entry.get("steps")).filter(Map.class::isInstance).forEach(others ->
                Json.object(others).forEach((index, other) -> {
                    int at = Integer.parseInt(index);
                    steps.set(at, switch (other) {
                        case null -> List.of();
                        case List<?> several -> Json.objects(several);
                        default -> List.of(Json.object(patched(one.steps().get(at), other)));
                    });
                }));
        return steps.stream().flatMap(List::stream).toList();
    }

    private static Stream<Map<String, Object>> entries(Case one, String place) {
        return ENTRIES.stream()
                .filter(entry -> Cases.isOnDapr(place) && entry.get("case").equals(one.name()))
                .filter(entry -> !entry.containsKey("places") || Json.texts(entry.get("places")).contains(place));
    }

    /** Puts keys over those of an object, in depth; null takes a key away. */
    private static Object patched(Object target, Object patch) {
        if (!(patch instanceof Map<?, ?>)) return patch;
        var merged = new LinkedHashMap<String, Object>();
        if (target instanceof Map<?, ?>) merged.putAll(Json.object(target));
        Json.object(patch).forEach((key, value) -> {
            if (value == null) merged.remove(key);
            else merged.put(key, patched(merged.get(key), value));
        });
        return merged;
    }
}
