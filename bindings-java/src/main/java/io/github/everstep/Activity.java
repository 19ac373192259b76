package io.github.everstep;

import org.jspecify.annotations.NonNull;
import org.jspecify.annotations.Nullable;

/**
 * An activity: ordinary code that does something in the world for a workflow.
 *
 * <p>It runs at least once per call, on a virtual thread of its own; what must happen once is made unique by
 * {@link ActivityContext#taskKey()}.
 *
 * <p>A class that implements this interface is known by its simple name, or by what {@link ActivityName} says. A lambda or
 * a method reference has no name and no types of its own; give it some by {@link #of(String, Class, Class, Activity)}.
 *
 * @param <I> the input, {@link Void} for none
 * @param <O> the output
 */
@FunctionalInterface
public non-sealed interface Activity<I extends @Nullable Object, O extends @Nullable Object> extends Definition<I, O> {
    /**
     * Runs the activity.
     *
     * @param ctx what it may know of the call
     * @param input the input of the call; null if there was none
     * @return the output, which may be null
     * @throws Exception fails this attempt; throw a {@link NonRetryableException} where a repetition cannot help
     */
    O run(ActivityContext ctx, I input) throws Exception;

    /**
     * Gives a name and types to a function.
     *
     * @param <I> the input
     * @param <O> the output
     * @param name the name
     * @param input the type of its input
     * @param output the type of its output
     * @param function the function
     * @return the definition
     * @throws InvalidArgumentException if the name is empty
     */
    static <I extends @Nullable Object, O extends @Nullable Object> NamedActivity<I, O> of(
            String name,
            Class<@NonNull I> input,
            Class<@NonNull O> output,
            Activity<? super I, ? extends O> function) {
        return new NamedActivity<>(name, input, output, function);
    }

    /**
     * Gives a name and types with parameters of their own to a function.
     *
     * @param <I> the input
     * @param <O> the output
     * @param name the name
     * @param input the type of its input
     * @param output the type of its output
     * @param function the function
     * @return the definition
     * @throws InvalidArgumentException if the name is empty
     */
    static <I extends @Nullable Object, O extends @Nullable Object> NamedActivity<I, O> of(
            String name, TypeRef<I> input, TypeRef<O> output, Activity<? super I, ? extends O> function) {
        return new NamedActivity<>(name, input.type(), output.type(), function);
    }
}
