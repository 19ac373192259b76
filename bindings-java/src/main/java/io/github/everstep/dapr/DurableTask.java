package io.github.everstep.dapr;

import io.github.everstep.EverstepException;
import io.github.everstep.WorkflowContext;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A task that is one of everstep's, whose failures it tells in the words of Dapr's SDK. */
final class DurableTask<V extends @Nullable Object> extends Task<V> {
    private final WorkflowContext context;
    private final io.github.everstep.Task<V> source;
    private final Function<EverstepException, RuntimeException> explain;

    DurableTask(
            WorkflowContext context,
            io.github.everstep.Task<V> source,
            Function<EverstepException, RuntimeException> explain) {
        this.context = context;
        this.source = source;
        this.explain = explain;
    }

    /** A task of a part of the workflow that runs beside the rest; what it throws is what waiting for it throws. */
    static <T extends @Nullable Object> DurableTask<Ended<T>> branch(WorkflowContext context, Supplier<T> code) {
        return new DurableTask<>(context, context.async(() -> Ended.of(code)), error -> error);
    }

    io.github.everstep.Task<V> source() {
        return source;
    }

    @Override
    public boolean isDone() {
        return source.isDone();
    }

    @Override
    public boolean isCancelled() {
        if (!isDone()) {
            return false;
        }
        try {
            await();
            return false;
        } catch (RuntimeException error) {
            return error instanceof TaskCanceledException;
        }
    }

    @Override
    public V await() {
        try {
            return source.await();
        } catch (EverstepException error) {
            throw explain.apply(error);
        }
    }

    @Override
    public <U extends @Nullable Object> Task<U> thenApply(Function<V, U> fn) {
        return new Derived<>(context, branch(context, () -> fn.apply(await())));
    }

    @Override
    public Task<@Nullable Void> thenAccept(Consumer<V> fn) {
        return thenApply(value -> {
            fn.accept(value);
            return null;
        });
    }

    /** What a branch has come to. */
    record Ended<T extends @Nullable Object>(@Nullable T value, @Nullable RuntimeException error) {
        static <T extends @Nullable Object> Ended<T> of(Supplier<T> code) {
            try {
                return new Ended<>(code.get(), null);
            } catch (RuntimeException error) {
                return new Ended<>(null, error);
            }
        }
    }

    /** A task of what a branch has come to. */
    static final class Derived<V extends @Nullable Object> extends Task<V> {
        private final WorkflowContext context;
        private final DurableTask<Ended<V>> branch;

        Derived(WorkflowContext context, DurableTask<Ended<V>> branch) {
            this.context = context;
            this.branch = branch;
        }

        io.github.everstep.Task<Ended<V>> source() {
            return branch.source();
        }

        @Override
        public boolean isDone() {
            return branch.isDone();
        }

        @Override
        public boolean isCancelled() {
            return isDone() && branch.await().error() instanceof TaskCanceledException;
        }

        @Override
        public V await() {
            var ended = branch.await();
            if (ended.error() != null) {
                throw ended.error();
            }
            return ended.value();
        }

        @Override
        public <U extends @Nullable Object> Task<U> thenApply(Function<V, U> fn) {
            return new Derived<>(context, branch(context, () -> fn.apply(await())));
        }

        @Override
        public Task<@Nullable Void> thenAccept(Consumer<V> fn) {
            return thenApply(value -> {
                fn.accept(value);
                return null;
            });
        }
    }
}
