package io.github.everstep;

import io.github.everstep.host.Registration;
import java.lang.reflect.Type;
import org.jspecify.annotations.Nullable;

/** What is started: its name, its version and the type of its output. */
record Startable(String name, @Nullable String version, Type output) {
    static Startable of(Registration workflow, StartOptions options) {
        if (options.version() != null && !options.version().equals(workflow.version())) {
            throw new InvalidArgumentException("the workflow given for " + workflow.name() + " is not its version \""
                    + options.version() + "\"; give that version's, or the workflow's name and version");
        }
        return new Startable(workflow.name(), workflow.version(), workflow.output());
    }
}
