package io.github.everstep.host;

import io.github.everstep.InvalidArgumentException;
import io.github.everstep.NonDurableException;
import io.github.everstep.WorkflowEvicted;
import io.github.everstep.bridge.Payloads;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.reflect.Type;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.Callable;

/**
 * One execution of a workflow function: its paths, what it waits for, and what it asked for in the step at work.
 *
 * <p>Everything here belongs to whoever has the turn: the path that runs, or, between paths, the thread that works on the
 * instance. A path takes the turn away from itself before it works on the instance, and the watchdog from one that is
 * stuck, by the same atomic exchange; who lost it finds its execution over.
 */
final class Execution {
    /** After so many refusals code is taken to swallow them all: more than what cleans up has to ask for. */
    private static final int MOST_REFUSALS = 10_000;

    private static final Logger LOGGER = System.getLogger("io.github.everstep.worker");
    private static final VarHandle RUNNING;

    static {
        try {
            RUNNING = MethodHandles.lookup().findVarHandle(Execution.class, "running", Path.class);
        } catch (ReflectiveOperationException error) {
            throw new ExceptionInInitializerError(error);
        }
    }

    final Instance instance;
    final Payloads payloads;
    private final String name;
    /** What is known of the turn at work. */
    volatile Job.Turn turn;

    private volatile boolean alive = true;
    private volatile @Nullable Path running;
    private volatile @Nullable Stall stall;
    private @Nullable ContinueAsNew leaving;
    private @Nullable String continuation;
    private final StringBuilder commands = new StringBuilder();
    private final Runnable ended = this::keep;
    /** How much of them is written to the end, and how many refs that has taken. */
    private int whole;

    private int wholeRefs;
    private final Map<Integer, Asked<?>> open = new HashMap<>();
    private final Queue<Path> ready = new ArrayDeque<>(2);
    private final Set<Path> live = new LinkedHashSet<>(2);
    /** Those that were told to unwind; guarded by the lock of the others. */
    private final List<Path> unwinding = new ArrayList<>(0);
    private int refusals;
    private int refs;

    Execution(Instance instance, Payloads payloads, Job.Turn turn, String name) {
        this.instance = instance;
        this.payloads = payloads;
        this.turn = turn;
        this.name = name;
    }

    // What the instance does.

    /** Has the function run next. */
    void begin(Callable<?> function) {
        begin(name, function, (output, error) -> {
            if (error == null) complete(output);
            else fail(error);
        });
    }

    /** What was asked for is there. */
    void done(Job.Done job) {
        var asked = open.remove(job.ref());
        if (asked != null) asked.done(job.value());
    }

    /** What was asked for has failed. */
    void failed(Job.Failed job) {
        var asked = open.remove(job.ref());
        if (asked != null) asked.failed(job.error());
    }

    /** The path that is to run next, which has the turn now; null if all wait. After the end they unwind by themselves. */
    @Nullable Path next() {
        var next = alive ? ready.poll() : null;
        if (next != null) running = next;
        return next;
    }

    /** Ends the step, in which every path came to wait: its commands, or null where {@code stall} says why it stalls. */
    @Nullable String collect() {
        if (alive && stall == null && open.isEmpty()) {
            stall = new Stall(
                    Stall.NON_DURABLE,
                    "the workflow waits for something that nothing durable can bring, perhaps for a branch that waits for"
                            + " it; wait for activities, timers, events or child workflows",
                    null);
        }
        if (stall != null) return null;
        commands.setLength(whole);
        var step = "[" + commands + "]";
        commands.setLength(0);
        whole = 0;
        return step;
    }

    /** Why the step stalls. */
    Stall stall() {
        return stall;
    }

    /** Whether the function has not ended. */
    boolean isAlive() {
        return alive;
    }

    /** Ends the execution and has its threads unwind, one after the other, on a context that answers nothing. */
    void close() {
        alive = false;
        unwindNext();
    }

    // What the watchdog does.

    /** The path that has the turn, if one has it. */
    @Nullable Path running() {
        return running;
    }

    /** Takes the turn from a path; false if that has given it back already. */
    boolean takeFrom(Path path) {
        return RUNNING.compareAndSet(this, path, null);
    }

    /** Forgets a path that is stuck, and tells it to stop. */
    void forget(Path path) {
        synchronized (live) {
            live.remove(path);
            unwinding.add(path);
        }
        alive = false;
        path.thread.interrupt();
    }

    /** Whether a path that waits holds the thread that carries it. */
    @Nullable Thread pinned() {
        synchronized (live) {
            for (var path : live) {
                if (path.hasBegun() && Path.waitsOnCarrier(path.thread)) return path.thread;
            }
        }
        return null;
    }

    // What the context and its tasks do.

    /** Refuses what is asked after the end, after {@code continueAsNew}, or by a thread whose turn it is not. */
    void check() {
        if (!alive) throw over();
        var path = running;
        if (path == null || path.thread != Thread.currentThread()) {
            throw notDurable("the workflow's context was used by " + Thread.currentThread().getName()
                    + ", which is not the workflow's own thread; use ctx.async for what runs side by side, and activities for"
                    + " what waits for anything else");
        }
        if (leaving == null) return;
        if (++refusals > MOST_REFUSALS) leaveForGood(path);
        throw leaving;
    }

    /** What is thrown after the end. Code that catches it and asks again and again would never end, and hold a carrier. */
    private WorkflowEvicted over() {
        if (++refusals > MOST_REFUSALS) {
            Path mine = null;
            synchronized (live) {
                for (var path : unwinding) if (path.thread == Thread.currentThread()) mine = path;
            }
            if (mine != null) leaveForGood(mine);
        }
        return new WorkflowEvicted();
    }

    private void leaveForGood(Path path) {
        LOGGER.log(
                Level.ERROR,
                "the code of workflow instance {0} swallows every error that ends it and is left where it is; let WorkflowEvicted"
                        + " and what else is no Exception pass\n{1}",
                instance,
                Failures.stackOf(path.thread));
        ended(path, (value, error) -> {}, null, null);
        path.parkForGood();
    }

    private NonDurableException notDurable(String message) {
        var error = new NonDurableException(message);
        // Even if the code swallows the error.
        stall = new Stall(Stall.NON_DURABLE, message, Failures.stackOf(error));
        return error;
    }

    /** Encodes a payload; null has none. One that cannot be encoded stalls the turn. */
    Payloads.@Nullable Encoded encode(@Nullable Object value, String name) {
        return value == null ? null : encodeOutput(value, name);
    }

    /** The same for what is said even if it is null. */
    Payloads.Encoded encodeOutput(@Nullable Object value, String name) {
        try {
            return payloads.forBatch(value, name);
        } catch (InvalidArgumentException error) {
            stall = new Stall(Stall.ENCODE_FAILED, String.valueOf(error.getMessage()), Failures.stackOf(error));
            throw error;
        }
    }

    /** Begins a command; its members follow, and its end. One that an error has kept from its end was never said. */
    Command command(String kind) {
        commands.setLength(whole);
        refs = wholeRefs;
        if (whole > 0) commands.append(',');
        commands.append("{\"kind\":\"").append(kind).append('"');
        return new Command(commands, payloads, ended);
    }

    /** The same with a ref that nothing answers. */
    Command numbered(String kind) {
        var command = command(kind);
        refs++;
        return command.number("ref", refs);
    }

    private void keep() {
        whole = commands.length();
        wholeRefs = refs;
    }

    /** What a numbered command that was just begun asked for. */
    <T> Asked<T> asked(String kind, String name, Type type) {
        var asked = new Asked<T>(this, refs, kind, name, type);
        open.put(refs, asked);
        return asked;
    }

    /** Gives up what was asked for. */
    void abandon(int ref) {
        if (open.remove(ref) != null) command("cancel").number("ref", ref).end();
    }

    /** Begins a branch, which runs when the path at work waits. */
    Path branch(Callable<?> code, Path.End end) {
        return begin(name + " branch", code, end);
    }

    private Path begin(String name, Callable<?> code, Path.End end) {
        var path = new Path(this, name, code, end);
        synchronized (live) {
            live.add(path);
        }
        ready.add(path);
        return path;
    }

    /** Forgets a branch that has not begun. */
    void drop(Path path) {
        synchronized (live) {
            live.remove(path);
        }
        ready.remove(path);
    }

    /** A path can go on. */
    void ready(Path path) {
        ready.add(path);
    }

    /** Keeps the path at work waiting until the task is done. */
    void await(Pending<?> task) {
        check();
        if (task.isDone()) return;
        Path me = running;
        me.waitFor(task);
        if (!takeFrom(me)) throw over();
        var next = instance.next();
        if (next != me) {
            if (next != null) next.resume();
            me.park();
        }
        if (!alive) throw over();
    }

    /** The code of a path has ended; called by its thread, which then works on the instance. */
    void ended(Path path, Path.End end, @Nullable Object value, @Nullable Throwable error) {
        synchronized (live) {
            live.remove(path);
            unwinding.remove(path);
        }
        refusals = 0;
        if (alive && continuation != null) complete(null);
        else if (alive) end.ended(value, error);
        if (takeFrom(path)) {
            var next = instance.next();
            if (next != null) next.resume();
        } else {
            unwindNext();
        }
    }

    /** Remembers how the run ends; from now on nothing else can be asked for. */
    ContinueAsNew leave(Payloads.@Nullable Encoded input, boolean keepEvents) {
        var command = new StringBuilder("{\"kind\":\"continue\"");
        new Command(command, payloads).payload("input", input).flag("keep_events", keepEvents).end();
        continuation = command.toString();
        leaving = new ContinueAsNew();
        return leaving;
    }

    private void complete(@Nullable Object output) {
        if (continuation != null) {
            commands.setLength(whole);
            if (whole > 0) commands.append(',');
            commands.append(continuation);
            keep();
        } else {
            try {
                var payload = encodeOutput(output, "the output");
                command("complete").payload("output", payload).end();
            } catch (InvalidArgumentException error) {
                // The stall is remembered.
            } catch (Throwable fault) {
                fail(fault);
                return;
            }
        }
        close();
    }

    private void fail(Throwable error) {
        command("fail").error(error).end();
        close();
    }

    private void unwindNext() {
        Path next = null;
        synchronized (live) {
            var left = live.iterator();
            while (next == null && left.hasNext()) {
                var path = left.next();
                left.remove();
                if (path.hasBegun()) next = path;
            }
            if (next != null) unwinding.add(next);
        }
        if (next != null) next.resume();
    }
}
