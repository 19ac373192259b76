/** Runs workflows and activities: the host's side of the bridge protocol. */
@NullMarked
package io.github.everstep.host;

import org.jspecify.annotations.NullMarked;
