package io.github.everstep.host;

import io.github.everstep.Activity;
import io.github.everstep.ActivityName;
import io.github.everstep.Definition;
import io.github.everstep.InvalidArgumentException;
import io.github.everstep.NamedActivity;
import io.github.everstep.NamedWorkflow;
import io.github.everstep.Workflow;
import io.github.everstep.WorkflowName;
import java.lang.reflect.Type;

/**
 * What is known of a workflow or an activity without running it.
 *
 * @param definition the function; null where only its class is known
 * @param name the name it is registered and called by
 * @param version the named version; null if it is none
 * @param latest whether new runs use this version
 * @param input the type of the input
 * @param output the type of the output
 */
public record Registration(
        @Nullable Definition<?, ?> definition,
        boolean isWorkflow,
        String name,
        @Nullable String version,
        boolean latest,
        Type input,
        Type output) {
    private static final ClassValue<Registration> BY_CLASS = new ClassValue<>() {
        @Override
        protected Registration computeValue(Class<?> type) {
            return read(type);
        }
    };

    /**
     * Of a definition.
     *
     * @throws InvalidArgumentException if it is a lambda without a name
     */
    public static Registration of(@Nullable Definition<?, ?> definition) {
        return switch (definition) {
            case null -> throw new InvalidArgumentException("a workflow or an activity must not be null");
            case NamedWorkflow<?, ?> known -> new Registration(
                    known,
                    true,
                    known.name(),
                    known.version(),
                    known.isLatest(),
                    known.inputType(),
                    known.outputType());
            case NamedActivity<?, ?> known -> new Registration(
                    known, false, known.name(), null, false, known.inputType(), known.outputType());
            default -> of(definition.getClass()).with(definition);
        };
    }

    /**
     * Of a class that implements {@link Workflow} or {@link Activity}.
     *
     * @throws InvalidArgumentException if the class has no name, or is both or neither
     */
    public static Registration of(@Nullable Class<?> type) {
        if (type == null) throw new InvalidArgumentException("a workflow or an activity must not be null");
        return BY_CLASS.get(type);
    }

    private Registration with(Definition<?, ?> definition) {
        return new Registration(definition, isWorkflow, name, version, latest, input, output);
    }

    private static Registration read(Class<?> type) {
        boolean isWorkflow = Workflow.class.isAssignableFrom(type);
        if (isWorkflow == Activity.class.isAssignableFrom(type)) {
            throw new InvalidArgumentException(
                    type.getName() + (isWorkflow ? " is a workflow and an activity; make two classes of it"
                            : " is neither a Workflow nor an Activity"));
        }
        var types = TypeArguments.of(type, isWorkflow ? Workflow.class : Activity.class);
        if (!isWorkflow) {
            var named = type.getAnnotation(ActivityName.class);
            return new Registration(
                    null, false, nameOf(type, named == null ? "" : named.value()), null, false, types[0], types[1]);
        }
        var named = type.getAnnotation(WorkflowName.class);
        if (named == null) return new Registration(null, true, nameOf(type, ""), null, false, types[0], types[1]);
        var version = named.version().isEmpty() ? null : named.version();
        return new Registration(
                null, true, nameOf(type, named.value()), version, named.latest(), types[0], types[1]);
    }

    private static String nameOf(Class<?> type, String given) {
        if (!given.isEmpty()) return given;
        if (type.isSynthetic() || type.isHidden() || type.isAnonymousClass()) {
            var kind = Workflow.class.isAssignableFrom(type) ? "Workflow" : "Activity";
            throw new InvalidArgumentException("a lambda, a method reference or an anonymous class has no name and no types; use "
                    + kind + ".of(\"name\", Input.class, Output.class, function)");
        }
        return type.getSimpleName();
    }
}
