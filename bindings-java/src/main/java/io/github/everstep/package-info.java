/** Durable workflows: clients, workers, workflows and activities. */
@NullMarked
package io.github.everstep;

import org.jspecify.annotations.NullMarked;
