package io.github.everstep.host;

import io.github.everstep.ActivityContext;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** The context of an activity that runs. */
final class RunningActivity implements ActivityContext {
    private final Batch.ActivityTask task;
    private final Thread thread;
    private final CountDownLatch cancelled = new CountDownLatch(1);

    RunningActivity(Batch.ActivityTask task, Thread thread) {
        this.task = task;
        this.thread = thread;
    }

    /** Nobody waits for it any more. */
    void cancel() {
        cancelled.countDown();
        thread.interrupt();
    }

    @Override
    public String name() {
        return task.name();
    }

    @Override
    public String instanceId() {
        return task.id();
    }

    @Override
    public String executionId() {
        return task.run();
    }

    @Override
    public int taskId() {
        return task.task();
    }

    @Override
    public String taskKey() {
        return task.key();
    }

    @Override
    public int attempt() {
        return task.attempt();
    }

    @Override
    public @Nullable Instant deadline() {
        return task.deadline() == Batch.ActivityTask.NO_DEADLINE ? null : Instant.ofEpochMilli(task.deadline());
    }

    @Override
    public boolean isCancelled() {
        return cancelled.getCount() == 0;
    }

    @Override
    public boolean awaitCancelled(Duration timeout) {
        try {
            return cancelled.await(TimeUnit.NANOSECONDS.convert(timeout), TimeUnit.NANOSECONDS);
        } catch (InterruptedException told) {
            // Nothing else interrupts it but the activity's own code.
            Thread.currentThread().interrupt();
            return isCancelled();
        }
    }
}
