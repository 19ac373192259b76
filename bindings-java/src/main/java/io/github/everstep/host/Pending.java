package io.github.everstep.host;

import io.github.everstep.OperationCancelledException;
import io.github.everstep.Task;
import java.util.ArrayList;
import java.util.List;

/**
 * What a workflow waits for. It is touched by nobody but the thread whose turn it is in its workflow.
 *
 * @param <T> what it gives
 */
abstract class Pending<T> implements Task<T> {
    /** Told once when it is done. */
    interface Listener {
        void settled();
    }

    /**
     * What it gives, or how it fails; made where somebody looks. Decoding runs the user's code, which belongs on the user's
     * thread, and an error's stack is to show who waited.
     */
    interface Result<T> {
        T get() throws Throwable;
    }

    final Execution execution;
    private boolean done;
    private boolean failed;
    private @Nullable Result<? extends T> result;
    private @Nullable T value;
    private @Nullable Throwable error;
    private @Nullable List<Listener> listeners;

    Pending(Execution execution) {
        this.execution = execution;
    }

    @Override
    public final T await() {
        execution.await(this);
        return get();
    }

    @Override
    public final boolean isDone() {
        return done;
    }

    @Override
    public final boolean cancel() {
        execution.check();
        if (done) return false;
        giveUp();
        return true;
    }

    /** Gives up what it stands for, and itself. */
    abstract void giveUp();

    /** What it gave; to be called when it is done. */
    final T get() {
        look();
        if (error != null) throw Sneaky.thrown(error);
        return value;
    }

    /** What it failed with; null if it did not. To be called when it is done. */
    final @Nullable Throwable error() {
        look();
        return error;
    }

    /** Whether it is done and failed, as far as that is known without decoding what it gave. */
    final boolean hasFailed() {
        return failed;
    }

    final void resolve(Result<? extends T> result) {
        settle(result);
    }

    /** Fails with what the result raises. */
    final void fail(Result<? extends T> raising) {
        if (!done) failed = true;
        settle(raising);
    }

    final void givenUp() {
        fail(() -> {
            throw new OperationCancelledException(this + " was given up");
        });
    }

    /** Has a listener told, in the order in which they came; at once if it is done. */
    final void listen(Listener listener) {
        if (done) {
            listener.settled();
            return;
        }
        if (listeners == null) listeners = new ArrayList<>(1);
        listeners.add(listener);
    }

    private void settle(Result<? extends T> how) {
        if (done) return;
        done = true;
        result = how;
        var told = listeners;
        listeners = null;
        if (told != null) told.forEach(Listener::settled);
    }

    private void look() {
        var unread = result;
        result = null;
        if (unread == null) return;
        try {
            value = unread.get();
        } catch (Throwable thrown) {
            error = thrown;
        }
    }
}
