/** How the package crosses to the core: the native library and its calls. Not exported. */
@NullMarked
package io.github.everstep.bridge;

import org.jspecify.annotations.NullMarked;
