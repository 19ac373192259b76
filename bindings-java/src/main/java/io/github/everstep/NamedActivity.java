package io.github.everstep;

import java.lang.reflect.Type;
import org.jspecify.annotations.Nullable;

/**
 * An activity with a name and types, made by {@link Activity#of(String, Class, Class, Activity)}. Immutable.
 *
 * @param <I> the input
 * @param <O> the output
 */
public final class NamedActivity<I extends @Nullable Object, O extends @Nullable Object> implements Activity<I, O> {
    private final String name;
    private final Type input;
    private final Type output;
    private final Activity<? super I, ? extends O> function;

    NamedActivity(String name, Type input, Type output, Activity<? super I, ? extends O> function) {
        this.name = Arguments.name(name, "name");
        this.input = Arguments.present(input, "input");
        this.output = Arguments.present(output, "output");
        this.function = Arguments.present(function, "function");
    }

    @Override
    public O run(ActivityContext ctx, I input) throws Exception {
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
