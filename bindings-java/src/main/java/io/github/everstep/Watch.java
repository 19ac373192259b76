package io.github.everstep;

import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Function;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * The states of an instance, now and after each change, to the final one. {@link #hasNext} waits for the next change; closing
 * from another thread ends the wait. It is for one thread at a time, and need not be closed where it is read to its end.
 */
public final class Watch implements Iterator<WorkflowState>, AutoCloseable {
    private final Function<@Nullable String, CompletableFuture<Operations.@Nullable Change>> ask;
    private final Object lock = new Object();
    private @Nullable String seen;
    private @Nullable WorkflowState next;
    private @Nullable CompletableFuture<?> waiting;
    private boolean over;

    Watch(Function<@Nullable String, CompletableFuture<Operations.@Nullable Change>> ask) {
        this.ask = ask;
    }

    /**
     * Waits for the next change.
     *
     * @return {@code false} after the final state, and once it is closed
     * @throws NotFoundException if there is no such instance, at the first; later that is the end
     * @throws OperationCancelledException if the thread was interrupted; it stays so
     */
    @Override
    public boolean hasNext() {
        if (next == null) {
            next = read();
        }
        return next != null;
    }

    @Override
    public WorkflowState next() {
        if (!hasNext()) {
            throw new NoSuchElementException("the instance has ended, or the watch is closed");
        }
        WorkflowState state = next;
        next = null;
        return state;
    }

    /**
     * The states as a stream, which closes this.
     *
     * @return what is still to come
     */
    public Stream<WorkflowState> stream() {
        int traits = Spliterator.ORDERED | Spliterator.NONNULL;
        return StreamSupport.stream(Spliterators.spliteratorUnknownSize(this, traits), false).onClose(this::close);
    }

    /** Ends the watch. */
    @Override
    public void close() {
        CompletableFuture<?> call;
        synchronized (lock) {
            over = true;
            call = waiting;
        }
        if (call != null) {
            call.cancel(true);
        }
    }

    private @Nullable WorkflowState read() {
        CompletableFuture<Operations.@Nullable Change> call;
        synchronized (lock) {
            if (over) {
                return null;
            }
            call = ask.apply(seen);
            waiting = call;
        }
        Operations.Change change = await(call);
        synchronized (lock) {
            waiting = null;
            over |= change == null;
        }
        if (change == null) {
            return null;
        }
        seen = change.seen();
        return change.state();
    }

    private static Operations.@Nullable Change await(CompletableFuture<Operations.@Nullable Change> call) {
        try {
            return call.get();
        } catch (CancellationException closed) {
            return null;
        } catch (InterruptedException interrupt) {
            call.cancel(true);
            Thread.currentThread().interrupt();
            throw new OperationCancelledException("the thread was interrupted", ErrorDetails.causedBy(interrupt));
        } catch (ExecutionException error) {
            throw error.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(error.getCause());
        }
    }
}
