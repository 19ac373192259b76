package io.github.everstep.host;

import io.github.everstep.InvalidArgumentException;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/** The activities of a worker, by name. */
final class Activities {
    private final Map<String, Registration> known = new LinkedHashMap<>();

    /** Raises {@link InvalidArgumentException} where two have one name. */
    Activities(Collection<Registration> activities) {
        for (var activity : activities) {
            if (known.putIfAbsent(activity.name(), activity) != null) {
                throw new InvalidArgumentException("activity " + activity.name() + " is given twice");
            }
        }
    }

    @Nullable Registration find(String name) {
        return known.get(name);
    }

    /** Adds what the worker says of them when it opens. */
    void declare(StringBuilder out) {
        char before = '[';
        for (var name : known.keySet()) {
            JsonWriter.quote(out.append(before), name);
            before = ',';
        }
        out.append(known.isEmpty() ? "[]" : "]");
    }
}
