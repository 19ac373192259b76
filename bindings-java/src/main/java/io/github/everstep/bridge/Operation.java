package io.github.everstep.bridge;

import io.github.everstep.ffi.NativeAnswer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What is asked of the core, and how its answer is read. How it is waited for is another matter: see {@link Calls}.
 *
 * @param ask makes the call
 * @param read reads the answer, which is no failure
 */
public record Operation<T extends @Nullable Object>(Ask ask, Function<NativeAnswer, T> read) {
    /** The same, whose result is read further. */
    public <R extends @Nullable Object> Operation<R> then(Function<? super T, ? extends R> next) {
        return new Operation<>(ask, answer -> next.apply(read.apply(answer)));
    }
}
