package io.github.everstep;

import io.github.everstep.bridge.Answer;
import io.github.everstep.bridge.Calls;
import io.github.everstep.bridge.Operation;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/** An operation on many, slice after slice. Cancelling it ends it between two of them, or gives up the one under way. */
final class Slices extends CompletableFuture<Long> {
    private final Function<@Nullable String, Operation<Answer>> slices;
    private final LongConsumer progress;
    private final Calls calls;
    private volatile @Nullable CompletableFuture<?> current;

    Slices(Function<@Nullable String, Operation<Answer>> slices, LongConsumer progress, Calls calls) {
        this.slices = slices;
        this.progress = progress;
        this.calls = calls;
        next(null);
        whenComplete((done, error) -> giveUp());
    }

    private void next(@Nullable String cursor) {
        CompletableFuture<Answer> step = calls.begin(slices.apply(cursor));
        current = step;
        if (isDone()) {
            giveUp();
            return;
        }
        step.whenCompleteAsync(this::take, calls.executor());
    }

    private void take(@Nullable Answer step, @Nullable Throwable error) {
        if (step == null) {
            completeExceptionally(error == null ? new InternalException("a slice gave nothing") : error);
            return;
        }
        try {
            long done = step.number("done");
            progress.accept(done);
            String cursor = step.text("cursor");
            if (cursor == null) {
                complete(done);
            } else if (!isDone()) {
                next(cursor);
            }
        } catch (Throwable broken) {
            completeExceptionally(broken);
        }
    }

    private void giveUp() {
        CompletableFuture<?> step = current;
        if (step != null) {
            step.cancel(true);
        }
    }

    /** What is derived is the program's. */
    @Override
    public <U> CompletableFuture<U> newIncompleteFuture() {
        return new CompletableFuture<>();
    }
}
