/** How the package crosses to the core: the native library and its calls. Not exported. */
package io.github.everstep.bridge;
