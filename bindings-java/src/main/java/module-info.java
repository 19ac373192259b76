/** Durable workflows: the workflows are plain Java, the engine is a native library that comes with the package. */
module io.github.everstep {
    requires static com.fasterxml.jackson.core;
    requires static transitive com.fasterxml.jackson.databind;
    requires static com.fasterxml.jackson.datatype.jsr310;
    requires static com.fasterxml.jackson.datatype.jdk8;
    requires static transitive org.jspecify;

    exports io.github.everstep;
    exports io.github.everstep.dapr;
    exports io.github.everstep.testing;
}
