package io.github.everstep.bridge;

import io.github.everstep.ffi.EverstepJava;
import io.github.everstep.host.Nullable;
import io.github.everstep.host.TaskSource;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/** The tasks of a worker of the core. Its polls and its answers are made by platform threads. */
public final class NativeTasks implements TaskSource {
    private final Calls calls;
    private final long worker;

    private NativeTasks(Calls calls, long worker) {
        this.calls = calls;
        this.worker = worker;
    }

    /** Opens a worker of the core. Throws what opening the component answers. */
    public static NativeTasks open(Calls calls, @Nullable String component, String opening) {
        var request = Request.of("openWorker").with("component", component).json("open", opening);
        return new NativeTasks(calls, calls.await(Operation.of(request, Answer::held)));
    }

    @Override
    public @Nullable String pollWorkflows(int max) {
        return EverstepJava.workerPollWorkflows(worker, max, -1);
    }

    @Override
    public @Nullable String pollActivities(int max) {
        return EverstepJava.workerPollActivities(worker, max, -1);
    }

    @Override
    public @Nullable String complete(ByteBuffer text) {
        return EverstepJava.workerComplete(worker, text);
    }

    @Override
    public void abandon() {
        shutdown(Duration.ZERO);
    }

    /** Whether tasks may come. */
    public boolean isReady() {
        return Carrier.call(() -> EverstepJava.workerIsReady(worker));
    }

    /** Waits until tasks may come. Throws {@code OperationTimeoutException} and what says that waiting is of no use. */
    public void awaitReady(@Nullable Duration timeout) {
        Long millis = timeout == null ? null : timeout.toMillis();
        var request = Request.of("ready").json("worker", worker).json("timeoutMs", millis);
        calls.await(Operation.of(request, answer -> null));
    }

    /** Takes no more tasks; ends when those at work are answered, or when the deadline is over. */
    public CompletableFuture<@Nullable Void> shutdown(Duration deadline) {
        return CompletableFuture.runAsync(() -> stop(deadline), NativeTasks::start);
    }

    private void stop(Duration deadline) {
        EverstepJava.workerShutdown(worker, deadline.toMillis());
    }

    private static void start(Runnable work) {
        Thread.ofPlatform().daemon().name("everstep-closing").start(work);
    }

    /** Lets go of the worker of the core; no poll may be under way. */
    public void free() {
        Answer.release(worker);
    }
}
