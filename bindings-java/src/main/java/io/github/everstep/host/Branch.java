package io.github.everstep.host;

import java.util.concurrent.Callable;

/**
 * A part of a workflow that runs beside the rest.
 *
 * @param <T> what it gives
 */
final class Branch<T> extends Pending<T> {
    private final Path path;

    Branch(Execution execution, Callable<? extends T> code) {
        super(execution);
        path = execution.branch(code, this::ended);
    }

    @SuppressWarnings("unchecked")
    private void ended(@Nullable Object value, @Nullable Throwable error) {
        if (error == null) {
            resolve(() -> (T) value);
        } else {
            fail(() -> {
                throw error;
            });
        }
    }

    @Override
    void giveUp() {
        if (path.hasBegun()) {
            path.cancel();
        } else {
            execution.drop(path);
            givenUp();
        }
    }

    @Override
    public String toString() {
        return "a branch";
    }
}
