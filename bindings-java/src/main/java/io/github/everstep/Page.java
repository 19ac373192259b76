package io.github.everstep;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A part of a listing.
 *
 * @param states the instances, newest first
 * @param cursor what the next part is asked for with; null if this is the last
 */
public record Page(List<WorkflowState> states, @Nullable String cursor) {}
