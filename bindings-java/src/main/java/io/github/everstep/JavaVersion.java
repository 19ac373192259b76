package io.github.everstep;

/**
 * Says what is missing where Java is too old for the rest of the package. This class, and those that a program meets first, are
 * compiled for Java 17, so that an older one can load them.
 */
final class JavaVersion {
    private static final int LEAST = 22;

    private JavaVersion() {}

    /** Throws where Java is too old. */
    static void require() {
        if (Runtime.version().feature() < LEAST) {
            throw new UnsupportedClassVersionError("everstep needs Java " + LEAST + " or newer and was started with Java "
                    + Runtime.version() + "; start the program with a newer one, for example JDK 25");
        }
    }
}
