/** Runs workflows and activities: the host's side of the bridge protocol. */
package io.github.everstep.host;
