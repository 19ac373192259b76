package io.github.everstep.host;

import io.github.everstep.ActivityContext;
import java.time.Duration;
import java.time.Instant;

/** The context of an activity that runs. */
final class RunningActivity implements ActivityContext {
    private final Batch.ActivityTask task;
    private final Thread thread;
    private final Cancellation cancellation = new Cancellation();

    RunningActivity(Batch.ActivityTask task, Thread thread) {
        this.task = task;
        this.thread = thread;
    }

    /** Nobody waits for it any more. */
    void cancel() {
        cancellation.tell();
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
        return cancellation.isTold();
    }

    @Override
    public boolean awaitCancelled(Duration timeout) {
        return cancellation.await(timeout);
    }
}
