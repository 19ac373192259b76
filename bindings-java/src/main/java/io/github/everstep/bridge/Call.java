package io.github.everstep.bridge;

import io.github.everstep.host.Nullable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Function;

/**
 * A call that is under way. However it ends before its answer is there, cancelled, timed out or completed by hand, it is given
 * up in the core.
 */
final class Call<T extends @Nullable Object> extends CompletableFuture<T> {
    final long key;
    private final Function<String, T> read;
    private final @Nullable Executor executor;

    /** How the native library names it; 0 until it does. */
    volatile long ticket;

    Call(long key, Function<String, T> read, @Nullable Executor executor) {
        this.key = key;
        this.read = read;
        this.executor = executor;
    }

    /** Takes the answer here: nobody can have attached anything yet, or only a thread waits. */
    void take(String answer) {
        try {
            T value = read.apply(answer);
            if (!complete(value) && value == answer) {
                Answer.discard(answer);
            }
        } catch (Throwable error) {
            completeExceptionally(error);
        }
    }

    /** Takes the answer where the program's own code may run: never on the thread that brings answers. */
    void bring(String answer) {
        if (executor == null) {
            take(answer);
            return;
        }
        try {
            executor.execute(() -> take(answer));
        } catch (RuntimeException refused) {
            completeExceptionally(refused);
        }
    }

    /** What is derived is the program's: cancelling it leaves this call to others. */
    @Override
    public <U> CompletableFuture<U> newIncompleteFuture() {
        return new CompletableFuture<>();
    }
}
