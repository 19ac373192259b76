/**
 * The names of Dapr's Java SDK for workflows, as thin aliases of {@code io.github.everstep}: a program that was written for
 * that SDK runs when its imports are changed. Its packages {@code io.dapr.workflows}, {@code .client}, {@code .runtime},
 * {@code io.dapr.durabletask} and {@code io.dapr.config} are this one. Nothing of Dapr's is used. It needs Jackson.
 */
@NullMarked
package io.github.everstep.dapr;

import org.jspecify.annotations.NullMarked;
