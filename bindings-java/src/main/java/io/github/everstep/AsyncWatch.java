package io.github.everstep;

import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The states of an instance, now and after each change, to the final one. Ask for one at a time. */
public final class AsyncWatch {
    private final Function<@Nullable String, CompletableFuture<Operations.@Nullable Change>> ask;
    private volatile @Nullable String seen;

    AsyncWatch(Function<@Nullable String, CompletableFuture<Operations.@Nullable Change>> ask) {
        this.ask = ask;
    }

    /**
     * The next state. Cancelling it gives the wait up, and the same change can be asked for again.
     *
     * @return the state; null after the final one
     */
    public CompletableFuture<@Nullable WorkflowState> next() {
        CompletableFuture<Operations.@Nullable Change> call = ask.apply(seen);
        CompletableFuture<@Nullable WorkflowState> next = new CompletableFuture<>();
        call.whenComplete((change, error) -> {
            if (error != null) {
                next.completeExceptionally(error);
                return;
            }
            seen = change == null ? seen : change.seen();
            next.complete(change == null ? null : change.state());
        });
        // What is handed out is another future: giving it up gives the call up.
        next.whenComplete((state, error) -> call.cancel(true));
        return next;
    }
}
