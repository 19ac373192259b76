package io.github.everstep.host;

import io.github.everstep.InvalidArgumentException;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;

/** The workflows of a worker, by name and version. */
final class Workflows {
    private final Map<String, Registration> known = new LinkedHashMap<>();

    /** Raises {@link InvalidArgumentException} where two cannot live side by side. */
    Workflows(Collection<Registration> workflows) {
        var latest = new HashSet<String>();
        for (var workflow : workflows) {
            var name = workflow.name();
            if (known.putIfAbsent(key(name, workflow.version()), workflow) != null) {
                var which = workflow.version() == null ? "" : " version " + workflow.version();
                throw new InvalidArgumentException(
                        "workflow " + name + which + " is given twice; give each a name or a version of its own");
            }
            if (workflow.latest() && !latest.add(name)) {
                throw new InvalidArgumentException(
                        "workflow " + name + " has two latest versions; mark only the one that new runs are to use");
            }
        }
    }

    /** The workflow with this name and exactly this version, or without one: the core has chosen it. */
    @Nullable Registration find(String name, @Nullable String version) {
        return known.get(key(name, version));
    }

    /** Adds what the worker says of them when it opens, in the order in which they were given. */
    void declare(StringBuilder out) {
        char before = '[';
        for (var workflow : known.values()) {
            JsonWriter.quote(out.append(before).append("{\"name\":"), workflow.name());
            if (workflow.version() != null) JsonWriter.quote(out.append(",\"version\":"), workflow.version());
            if (workflow.latest()) out.append(",\"latest\":true");
            out.append('}');
            before = ',';
        }
        out.append(known.isEmpty() ? "[]" : "]");
    }

    private static String key(String name, @Nullable String version) {
        return version == null ? name : name + '\0' + version;
    }
}
