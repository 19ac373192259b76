package io.github.everstep.bridge;

import io.github.everstep.host.Nullable;
import java.util.function.Function;

/**
 * What is asked of the core, and how the answer is read.
 *
 * @param request the text that asks
 * @param read makes a value of the answer
 * @param <T> the value
 */
public record Operation<T extends @Nullable Object>(String request, Function<Answer, T> read) {
    /** Asks for what a request says. */
    public static <T extends @Nullable Object> Operation<T> of(Request request, Function<Answer, T> read) {
        return new Operation<>(request.toString(), read);
    }

    /** The same request, whose value is made into another one. */
    public <R extends @Nullable Object> Operation<R> then(Function<? super T, ? extends R> next) {
        return new Operation<>(request, answer -> next.apply(read.apply(answer)));
    }
}
