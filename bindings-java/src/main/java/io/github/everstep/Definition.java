package io.github.everstep;

import org.jspecify.annotations.Nullable;

/**
 * What a workflow can call: an {@link Activity} or another {@link Workflow}.
 *
 * @param <I> the input
 * @param <O> the output
 */
public sealed interface Definition<I extends @Nullable Object, O extends @Nullable Object> permits Activity, Workflow {}
