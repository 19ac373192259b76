package io.github.everstep;

/**
 * What a workflow can call: an {@link Activity} or another {@link Workflow}.
 *
 * @param <I> the input
 * @param <O> the output
 */
public sealed interface Definition<I, O> permits Activity, Workflow {}
