package io.github.everstep.dapr;

import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A setting that {@link Properties} has.
 *
 * @param <T> the type of its value
 */
public final class Property<T> {
    private final String name;
    private final String variable;
    private final @Nullable T missing;
    private final Function<String, T> read;

    Property(String name, String variable, @Nullable T missing, Function<String, T> read) {
        this.name = name;
        this.variable = variable;
        this.missing = missing;
        this.read = read;
    }

    /**
     * Its name as a property of the system.
     *
     * @return for example {@code dapr.grpc.port}
     */
    public String getName() {
        return name;
    }

    /**
     * Its name in the environment.
     *
     * @return for example {@code DAPR_GRPC_PORT}
     */
    public String getEnvName() {
        return variable;
    }

    @Nullable T read(@Nullable String text) {
        return text == null ? missing : read.apply(text);
    }
}
