package io.github.everstep.testing;

import io.github.everstep.ActivityContext;
import io.github.everstep.host.Cancellation;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A context to run an activity with: {@code new Charge().run(TestActivityContext.create().withAttempt(2), order)}. What a
 * test does not say has a value that means nothing. Immutable, but for {@link #cancel}, which tells it and all that were
 * made from it.
 */
public final class TestActivityContext implements ActivityContext {
    private final String name;
    private final String instanceId;
    private final String taskKey;
    private final int attempt;
    private final @Nullable Instant deadline;
    private final Cancellation cancellation;

    private TestActivityContext(
            String name,
            String instanceId,
            String taskKey,
            int attempt,
            @Nullable Instant deadline,
            Cancellation cancellation) {
        this.name = name;
        this.instanceId = instanceId;
        this.taskKey = taskKey;
        this.attempt = attempt;
        this.deadline = deadline;
        this.cancellation = cancellation;
    }

    /**
     * A context of the first attempt, without a deadline.
     *
     * @return the context
     */
    public static TestActivityContext create() {
        return new TestActivityContext("activity", "test-instance", "test-task", 1, null, new Cancellation());
    }

    /**
     * The same with a name.
     *
     * @param name the activity's name
     * @return the context
     */
    public TestActivityContext withName(String name) {
        return new TestActivityContext(name, instanceId, taskKey, attempt, deadline, cancellation);
    }

    /**
     * The same of an instance.
     *
     * @param instanceId the instance that asked for it
     * @return the context
     */
    public TestActivityContext withInstanceId(String instanceId) {
        return new TestActivityContext(name, instanceId, taskKey, attempt, deadline, cancellation);
    }

    /**
     * The same with a task key.
     *
     * @param taskKey the key
     * @return the context
     */
    public TestActivityContext withTaskKey(String taskKey) {
        return new TestActivityContext(name, instanceId, taskKey, attempt, deadline, cancellation);
    }

    /**
     * The same of an attempt.
     *
     * @param attempt which, from 1
     * @return the context
     */
    public TestActivityContext withAttempt(int attempt) {
        return new TestActivityContext(name, instanceId, taskKey, attempt, deadline, cancellation);
    }

    /**
     * The same with a deadline.
     *
     * @param deadline when the attempt times out
     * @return the context
     */
    public TestActivityContext withDeadline(Instant deadline) {
        return new TestActivityContext(name, instanceId, taskKey, attempt, deadline, cancellation);
    }

    /**
     * Tells the activity that nobody waits for it any more. No thread is interrupted.
     *
     * @return the same context
     */
    public TestActivityContext cancel() {
        cancellation.tell();
        return this;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String instanceId() {
        return instanceId;
    }

    @Override
    public String executionId() {
        return "test-run";
    }

    @Override
    public int taskId() {
        return 0;
    }

    @Override
    public String taskKey() {
        return taskKey;
    }

    @Override
    public int attempt() {
        return attempt;
    }

    @Override
    public @Nullable Instant deadline() {
        return deadline;
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
