/**
 * Aids for tests of workflows: an engine whose time skips, stored histories against changed code, contexts for activities.
 * They need no test framework.
 */
@NullMarked
package io.github.everstep.testing;

import org.jspecify.annotations.NullMarked;
