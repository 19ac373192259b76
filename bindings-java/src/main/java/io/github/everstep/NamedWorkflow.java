package io.github.everstep;

import java.lang.reflect.Type;
import org.jspecify.annotations.Nullable;

/**
 * A workflow with a name and types, made by {@link Workflow#of(String, Class, Class, Workflow)}. Immutable.
 *
 * @param <I> the input
 * @param <O> the output
 */
public final class NamedWorkflow<I extends @Nullable Object, O extends @Nullable Object> implements Workflow<I, O> {
    private final String name;
    private final @Nullable String version;
    private final boolean latest;
    private final Type input;
    private final Type output;
    private final Workflow<? super I, ? extends O> function;

    NamedWorkflow(
            String name,
            @Nullable String version,
            boolean latest,
            Type input,
            Type output,
            Workflow<? super I, ? extends O> function) {
        this.name = Arguments.name(name, "name");
        this.version = version == null ? null : Arguments.name(version, "version");
        this.latest = latest;
        this.input = Arguments.present(input, "input");
        this.output = Arguments.present(output, "output");
        this.function = Arguments.present(function, "function");
    }

    /**
     * The same workflow as one of the versions of its name, which live side by side in one worker.
     *
     * @param version the version
     * @return a definition of that version
     */
    public NamedWorkflow<I, O> withVersion(String version) {
        return new NamedWorkflow<>(name, Arguments.name(version, "version"), latest, input, output, function);
    }

    /**
     * The same workflow as the version that new runs use. Of several without, it is the last one a worker is given.
     *
     * @return a definition
     */
    public NamedWorkflow<I, O> asLatest() {
        return new NamedWorkflow<>(name, version, true, input, output, function);
    }

    @Override
    public O run(WorkflowContext ctx, I input) throws Exception {
        return function.run(ctx, input);
    }

    /**
     * The name.
     *
     * @return the name
     */
    public String name() {
        return name;
    }

    /**
     * The named version, if it is one.
     *
     * @return the version; null if it is none
     */
    public @Nullable String version() {
        return version;
    }

    /**
     * Whether new runs use this version.
     *
     * @return {@code true} if they do
     */
    public boolean isLatest() {
        return latest;
    }

    /**
     * The type of the input.
     *
     * @return the type
     */
    public Type inputType() {
        return input;
    }

    /**
     * The type of the output.
     *
     * @return the type
     */
    public Type outputType() {
        return output;
    }
}
