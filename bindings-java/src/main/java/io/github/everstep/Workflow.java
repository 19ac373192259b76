package io.github.everstep;

import org.jspecify.annotations.NonNull;
import org.jspecify.annotations.Nullable;

/**
 * A workflow: straight-line code that asks for activities, timers, events and other workflows and waits for them.
 *
 * <p>It must ask for the same things in the same order whenever it runs on the same history: time, chance and everything
 * outside come from its context or from activities. It runs on a virtual thread, which is parked while it waits, however
 * long that is.
 *
 * <p>A class that implements this interface is known by its simple name, or by what {@link WorkflowName} says. A lambda
 * has no name and no types of its own; give it some by {@link #of(String, Class, Class, Workflow)}.
 *
 * @param <I> the input, {@link Void} for none
 * @param <O> the output
 */
@FunctionalInterface
public non-sealed interface Workflow<I extends @Nullable Object, O extends @Nullable Object> extends Definition<I, O> {
    /**
     * Runs the workflow.
     *
     * @param ctx what it asks for, and what it may know
     * @param input the input of the start; null if there was none
     * @return the output, which may be null
     * @throws Exception ends the workflow in failure
     */
    O run(WorkflowContext ctx, I input) throws Exception;

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
    static <I extends @Nullable Object, O extends @Nullable Object> NamedWorkflow<I, O> of(
            String name,
            Class<@NonNull I> input,
            Class<@NonNull O> output,
            Workflow<? super I, ? extends O> function) {
        return new NamedWorkflow<>(name, null, false, input, output, function);
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
    static <I extends @Nullable Object, O extends @Nullable Object> NamedWorkflow<I, O> of(
            String name, TypeRef<I> input, TypeRef<O> output, Workflow<? super I, ? extends O> function) {
        return new NamedWorkflow<>(name, null, false, input.type(), output.type(), function);
    }
}
