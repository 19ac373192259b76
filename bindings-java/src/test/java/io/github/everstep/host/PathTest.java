package io.github.everstep.host;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A thread that is about to wait is not mistaken for one that waits on its carrier: its instance would stall. */
@Timeout(60)
class PathTest {
    private static final AtomicBoolean over = new AtomicBoolean();

    /** Waits in its initializer, which keeps the carrier on every JDK. */
    private static final class Pins {
        static {
            while (!over.get()) LockSupport.park();
        }

        static void touch() {}
    }

    private static void until(Thread thread, Thread.State state) {
        while (thread.getState() != state) Thread.onSpinWait();
    }

    @Test
    void onlyWhatWaitsAndIsCarriedIsPinned() throws Exception {
        var running = new AtomicBoolean();
        var spins = Thread.ofVirtual().start(() -> {
            running.set(true);
            while (!over.get()) Thread.onSpinWait();
        });
        while (!running.get()) Thread.onSpinWait();
        assertTrue(spins.toString().contains("runnable@"), spins::toString);
        assertFalse(Path.waitsOnCarrier(spins));
        over.set(true);
        spins.join();
        assertFalse(Path.waitsOnCarrier(spins));

        over.set(false);
        var waits = Thread.ofVirtual().name("a[1]@").start(() -> {
            while (!over.get()) LockSupport.park();
        });
        until(waits, Thread.State.WAITING);
        assertFalse(Path.waitsOnCarrier(waits));
        var pinned = Thread.ofVirtual().name("b[1]").start(Pins::touch);
        while (!Path.waitsOnCarrier(pinned)) Thread.onSpinWait();
        over.set(true);
        LockSupport.unpark(waits);
        LockSupport.unpark(pinned);
        waits.join();
        pinned.join();
        assertFalse(Path.waitsOnCarrier(pinned));
    }
}
