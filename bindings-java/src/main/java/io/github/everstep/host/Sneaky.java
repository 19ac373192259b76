package io.github.everstep.host;

/** Throws what a branch of a workflow threw as it is: its type is what the workflow fails with. */
final class Sneaky {
    private Sneaky() {}

    @SuppressWarnings("unchecked")
    static <E extends Throwable> RuntimeException thrown(Throwable error) throws E {
        throw (E) error;
    }
}
