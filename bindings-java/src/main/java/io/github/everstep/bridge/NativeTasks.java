package io.github.everstep.bridge;

import io.github.everstep.ffi.NativeAnswer;
import io.github.everstep.ffi.NativeWorker;
import io.github.everstep.host.TaskSource;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** The tasks of a worker of the core. Its polls and its answers are made by platform threads. */
public final class NativeTasks implements TaskSource {
    private final Calls calls;
    private final NativeWorker worker;

    private NativeTasks(Calls calls, NativeWorker worker) {
        this.calls = calls;
        this.worker = worker;
    }

    /** Opens a worker of the core. Throws what opening the component answers. */
    public static NativeTasks open(Calls calls, @Nullable String component, String opening) {
        var opened = new Operation<>(
                (client, key) -> client.openWorker(key, component, opening),
                answer -> ((NativeAnswer.Worker) answer).worker());
        return new NativeTasks(calls, calls.await(opened));
    }

    @Override
    public @Nullable String pollWorkflows(int max) {
        return worker.pollWorkflows(max, null);
    }

    @Override
    public @Nullable String pollActivities(int max) {
        return worker.pollActivities(max, null);
    }

    @Override
    public @Nullable String complete(ByteBuffer text) {
        var wrong = worker.complete(text);
        return wrong == null ? null : wrong.code() + ": " + wrong.message();
    }

    @Override
    public void abandon() {
        shutdown(Duration.ZERO);
    }

    /** Whether tasks may come. */
    public boolean isReady() {
        try {
            return Carrier.call(worker::isReady);
        } catch (IllegalStateException freed) {
            return false;
        }
    }

    /** Waits until tasks may come. Throws {@code OperationTimeoutException} and what says that waiting is of no use. */
    public void awaitReady(@Nullable Duration timeout) {
        Long millis = timeout == null ? null : timeout.toMillis();
        calls.await(nothing((client, key) -> worker.waitUntilReady(key, millis)));
    }

    /** Takes no more tasks; ends when those at work are answered, or when the deadline is over. */
    public CompletableFuture<@Nullable Void> shutdown(Duration deadline) {
        return CompletableFuture.runAsync(() -> stop(deadline), NativeTasks::start);
    }

    private void stop(Duration deadline) {
        try {
            worker.shutdown(deadline.toMillis());
        } catch (IllegalStateException freed) {
            // It has ended already.
        }
    }

    private static void start(Runnable work) {
        Thread.ofPlatform().daemon().name("everstep-closing").start(work);
    }

    /** Lets go of the worker of the core; no poll may be under way. */
    public void free() {
        Carrier.call(() -> {
            worker.close();
            return true;
        });
    }

    private static Operation<@Nullable Void> nothing(Ask ask) {
        return new Operation<>(ask, answer -> null);
    }
}
