package io.github.everstep;

/**
 * Which of several tasks was done first, and what it gave.
 *
 * @param index its place, from 0
 * @param value what it gave
 * @param <T> the type of the value
 */
public record First<T>(int index, T value) {}
