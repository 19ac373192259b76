package io.github.everstep;

/** Whether the ID of an instance that has finished may be used again. */
public enum Reuse {
    /** It may; the new run takes the place of the old one. */
    FINISHED,
    /** It may not. */
    NEVER
}
