package io.github.everstep;

/** What an acknowledged change survives, on the embedded engine. */
public enum Durability {
    /** A power cut. */
    FULL,
    /** The end of the process. */
    PROCESS
}
