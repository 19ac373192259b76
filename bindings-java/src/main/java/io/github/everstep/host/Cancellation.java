package io.github.everstep.host;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Whether an activity has been told that nobody waits for it any more. */
public final class Cancellation {
    private final CountDownLatch told = new CountDownLatch(1);

    /** Tells it. Twice is once. */
    public void tell() {
        told.countDown();
    }

    /** Whether it has been told. */
    public boolean isTold() {
        return told.getCount() == 0;
    }

    /** Waits until it is told; whether it was. An interrupt ends the wait, and the thread stays interrupted. */
    public boolean await(Duration timeout) {
        try {
            // Not toNanos(), which refuses what is longer than three centuries.
            return told.await(TimeUnit.NANOSECONDS.convert(timeout), TimeUnit.NANOSECONDS);
        } catch (InterruptedException interrupt) {
            Thread.currentThread().interrupt();
            return isTold();
        }
    }
}
