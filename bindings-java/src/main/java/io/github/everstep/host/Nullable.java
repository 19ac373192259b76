package io.github.everstep.host;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * What may be null inside the library: as JSpecify's, but for readers and tools of the sources alone. Nobody compiles
 * against these packages, and in the jar a word like this costs more than what it is said of.
 */
@Retention(RetentionPolicy.SOURCE)
@Target(ElementType.TYPE_USE)
public @interface Nullable {}
