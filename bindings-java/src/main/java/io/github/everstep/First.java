package io.github.everstep;

import org.jspecify.annotations.Nullable;

/**
 * Which of several tasks was done first, and what it gave.
 *
 * @param index its place, from 0
 * @param value what it gave
 * @param <T> the type of the value
 */
public record First<T extends @Nullable Object>(int index, T value) {}
