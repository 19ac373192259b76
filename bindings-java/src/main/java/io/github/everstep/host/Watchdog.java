package io.github.everstep.host;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/**
 * Finds workflows that do not give their turn back: names them in the log, and in the end goes on without them. Finds also
 * those that wait and still hold the thread that carries them. One that only waits for such a thread is not to blame: what
 * others hold them with is said once, and it goes on when it gets one.
 *
 * <p>It sleeps without a timeout while nothing happens, so that an idle worker wakes for nothing.
 */
final class Watchdog {
    private static final Duration WARN_AFTER = Duration.ofSeconds(2);
    private static final Duration LOOK_EVERY = Duration.ofSeconds(1);
    private static final Logger LOGGER = System.getLogger("io.github.everstep.worker");

    /** What it saw of an instance at its last look. */
    static final class Seen {
        private int steps = -1;
        private long since;
        /** How long of that it had no carrier. */
        private long uncarried;
        private boolean warned;
        private boolean looked;
    }

    private final WorkflowHost host;
    private final Duration blockedAfter;
    private final long warnAfter;
    private final long lookEvery;
    private final Thread thread;
    private long lastLook;
    private boolean starved;
    private volatile boolean asleep = true;
    private volatile boolean stopped;

    Watchdog(WorkflowHost host, Duration blockedAfter) {
        this.host = host;
        this.blockedAfter = blockedAfter;
        warnAfter = Math.min(WARN_AFTER.toNanos(), blockedAfter.toNanos() / 2);
        lookEvery = Math.min(LOOK_EVERY.toNanos(), Math.max(1, blockedAfter.toNanos() / 4));
        thread = Thread.ofPlatform().daemon().name("everstep-watchdog").unstarted(this::watch);
    }

    void start() {
        thread.start();
    }

    /** Work begins. */
    void wake() {
        if (asleep) {
            asleep = false;
            LockSupport.unpark(thread);
        }
    }

    void stop() {
        stopped = true;
        LockSupport.unpark(thread);
    }

    private void watch() {
        int quiet = 0;
        long watched = 0;
        while (!stopped) {
            // Two looks at nothing new: sleep until there is work again.
            if (quiet == 2) {
                asleep = true;
                while (asleep && !stopped) LockSupport.park(this);
                quiet = 0;
            }
            long before = System.nanoTime();
            LockSupport.parkNanos(this, lookEvery);
            // A process that was stopped, or given no time, has not been held up by its workflows.
            watched += Math.min(System.nanoTime() - before, 2 * lookEvery);
            quiet = look(watched) ? 0 : quiet + 1;
        }
    }

    /** Whether anything has happened since the last look, or is happening. */
    private boolean look(long now) {
        boolean busy = false;
        long longest = 0;
        for (var instance : host.instances()) {
            var execution = instance.execution();
            if (execution == null) continue;
            int steps = instance.steps();
            var path = execution.running();
            var seen = instance.seen;
            if (steps != seen.steps) {
                seen.steps = steps;
                seen.since = now;
                seen.uncarried = 0;
                seen.warned = seen.looked = false;
                busy = true;
            } else if (path != null) {
                busy = true;
                if (Path.waitsForCarrier(path.thread)) {
                    seen.uncarried += now - lastLook;
                    longest = Math.max(longest, seen.uncarried);
                } else {
                    stuck(instance, execution, path, now);
                }
            } else if (!seen.looked) {
                seen.looked = true;
                pinned(instance, execution);
            }
        }
        lastLook = now;
        starving(longest);
        return busy;
    }

    private void starving(long longest) {
        if (longest >= warnAfter && !starved) {
            LOGGER.log(
                    Level.WARNING,
                    "workflows wait for a thread to carry them, the first for {0} ms: what runs on virtual threads holds all"
                            + " of them, because it computes or, before JDK 24, waits inside synchronized; have activities do that"
                            + " on platform threads, or set -Djdk.virtualThreadScheduler.parallelism",
                    Long.toString(longest / 1_000_000));
        }
        starved = longest >= warnAfter;
    }

    private void stuck(Instance instance, Execution execution, Path path, long now) {
        var seen = instance.seen;
        long blocked = now - seen.since - seen.uncarried;
        if (blocked >= blockedAfter.toNanos()) {
            var stall = stallOf(path.thread);
            if (execution.takeFrom(path)) instance.giveUp(execution, path, stall);
        } else if (blocked >= warnAfter && !seen.warned) {
            seen.warned = true;
            LOGGER.log(
                    Level.WARNING,
                    "workflow instance {0} has not given its turn back for {1} ms; move what blocks into an activity\n{2}",
                    instance,
                    Long.toString(blocked / 1_000_000),
                    Failures.stackOf(path.thread));
        }
    }

    private Stall stallOf(Thread thread) {
        var stack = Failures.stackOf(thread);
        var limit = blockedAfter.toMillis() + " ms";
        return switch (thread.getState()) {
            case WAITING, TIMED_WAITING -> new Stall(
                    Stall.NON_DURABLE,
                    "the workflow waited for " + limit + " for something that is not durable; do such work in an activity,"
                            + " and wait for activities, timers, events or child workflows",
                    stack);
            default -> new Stall(
                    Stall.BLOCKED,
                    "the workflow did not give its turn back for " + limit + "; move what takes so long into an activity",
                    stack);
        };
    }

    private void pinned(Instance instance, Execution execution) {
        @Nullable Thread thread = execution.pinned();
        if (thread == null) return;
        var stack = Failures.stackOf(thread);
        var message = "the workflow waits inside a synchronized block or method, or a class's initializer, and so holds a"
                + " thread that other workflows need; wait outside of it, use a java.util.concurrent lock in its place, or"
                + " run on JDK 24 or newer, where synchronized does not do that";
        LOGGER.log(Level.WARNING, "workflow instance {0} stalls: {1}\n{2}", instance, message, stack);
        host.drop(instance, execution, instance.seen.steps, new Stall(Stall.BLOCKED, message, stack));
    }
}
