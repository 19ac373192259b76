package io.github.everstep.host;

import io.github.everstep.OperationCancelledException;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;

/**
 * A path of a workflow's code: its function, or a branch of it, on a virtual thread of its own. One path of an execution
 * runs at a time; the others are parked here.
 */
final class Path implements Pending.Listener {
    /** Told by the path's own thread how its code ended. */
    interface End {
        void ended(@Nullable Object value, @Nullable Throwable error);
    }

    private final Execution execution;
    private final Callable<?> code;
    private final End end;
    final Thread thread;
    private boolean begun;
    private volatile boolean go;
    private boolean cancelled;
    private @Nullable Pending<?> waitsFor;

    Path(Execution execution, String name, Callable<?> code, End end) {
        this.execution = execution;
        this.code = code;
        this.end = end;
        this.thread = Thread.ofVirtual().name(name).inheritInheritableThreadLocals(false).unstarted(this::run);
    }

    /** Lets it run. */
    void resume() {
        if (begun) {
            go = true;
            LockSupport.unpark(thread);
        } else {
            begun = true;
            thread.start();
        }
    }

    /** Whether its code has begun. */
    boolean hasBegun() {
        return begun;
    }

    /** Parks until somebody resumes it. */
    void park() {
        while (!go) {
            LockSupport.park(execution);
            // Nobody but us ends a wait of a workflow; with the flag up no thread can be parked.
            Thread.interrupted();
        }
        go = false;
    }

    /** Parks for good what will not end. */
    void parkForGood() {
        while (true) {
            LockSupport.park(execution);
            Thread.interrupted();
        }
    }

    /**
     * Whether a virtual thread waits and keeps the thread that carries it. As long as it has one, its text has that one's state
     * and name; one that is about to wait, or was kept from it by a busy machine, has a carrier that runs.
     */
    static boolean waitsOnCarrier(Thread thread) {
        var text = thread.toString();
        return text.indexOf("waiting@", text.lastIndexOf(']')) >= 0;
    }

    /** Whether a virtual thread could run and has no thread that carries it. */
    static boolean waitsForCarrier(Thread thread) {
        return thread.toString().endsWith("]/runnable");
    }

    /** What it waits for is done. */
    @Override
    public void settled() {
        waitsFor = null;
        execution.ready(this);
    }

    /** Has it told when this is done. */
    void waitFor(Pending<?> task) {
        if (cancelled) {
            cancelled = false;
            throw new OperationCancelledException("the branch was given up");
        }
        waitsFor = task;
        task.listen(this);
    }

    /** Gives up what it waits for, now or next. */
    void cancel() {
        if (waitsFor == null) cancelled = true;
        else waitsFor.giveUp();
    }

    private void run() {
        Object value = null;
        Throwable error = null;
        try {
            value = code.call();
        } catch (Throwable thrown) {
            error = thrown;
        }
        execution.ended(this, end, value, error);
    }
}
