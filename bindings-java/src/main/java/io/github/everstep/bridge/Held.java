package io.github.everstep.bridge;

/** Something of the core, which it lets go of when nobody holds this any more. */
public final class Held {
    private final long number;

    /** Holds what an answer gave. */
    public Held(long number) {
        this.number = number;
        Calls.CLEANER.register(this, () -> Answer.release(number));
    }

    /** How the core knows it. */
    public long number() {
        return number;
    }
}
