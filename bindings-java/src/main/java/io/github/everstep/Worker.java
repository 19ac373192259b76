package io.github.everstep;

import io.github.everstep.bridge.NativeTasks;
import io.github.everstep.host.WorkerHost;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Runs workflows and activities of a client's component, until it is closed.
 *
 * <pre>{@code
 * try (var client = Client.create();
 *         var worker = Worker.builder(client).workflows(new OrderProcessing()).activities(new Reserve()).start()) {
 *     worker.awaitClosed();
 * }
 * }</pre>
 *
 * <p>Each active workflow has a virtual thread, which is parked while it waits, and each activity has one. What computes for
 * long in them keeps other virtual threads of the program waiting: move it to a thread of its own. The worker's own threads are
 * daemons: a program whose {@code main} returns ends, after the worker has been closed by {@link WorkerBuilder#closeOnShutdown}.
 */
public final class Worker implements AutoCloseable {
    private final WorkerHost host;
    private final NativeTasks tasks;
    private final Duration shutdownTimeout;
    private final @Nullable Thread hook;
    private @Nullable CompletableFuture<?> closing;

    Worker(WorkerHost host, NativeTasks tasks, Duration shutdownTimeout, boolean closeOnShutdown) {
        this.host = host;
        this.tasks = tasks;
        this.shutdownTimeout = shutdownTimeout;
        this.hook = closeOnShutdown ? Thread.ofPlatform().name("everstep-shutdown").unstarted(this::close) : null;
        if (hook != null) Runtime.getRuntime().addShutdownHook(hook);
        host.onClosed(this::ended);
    }

    /**
     * Says what a worker runs, and how.
     *
     * @param client the client whose component has the tasks; it stays open at least as long as the worker
     * @return a builder
     */
    public static WorkerBuilder builder(Client client) {
        return new WorkerBuilder(Arguments.present(client, "client"));
    }

    /**
     * Whether the worker is closed: nothing of it runs any more.
     *
     * @return {@code true} if it is
     */
    public boolean isClosed() {
        return host.closed().getCount() == 0;
    }

    /**
     * Whether tasks may come: always on the embedded engine, on Dapr while the sidecar's stream stands.
     *
     * @return {@code true} if they may
     */
    public boolean isReady() {
        return !isClosed() && tasks.isReady();
    }

    /**
     * Waits until tasks may come, as long as it takes; returns at once on the embedded engine.
     *
     * @throws UnauthenticatedException and its like at once where waiting is of no use
     * @throws ClosedException if the worker is closed
     * @throws OperationCancelledException if the thread is interrupted
     */
    public void awaitReady() {
        ready(null);
    }

    /**
     * Waits until tasks may come; returns at once on the embedded engine.
     *
     * @param timeout how long at most
     * @throws OperationTimeoutException if the time has passed; it says why there is no connection
     * @throws UnauthenticatedException and its like at once where waiting is of no use
     * @throws ClosedException if the worker is closed
     * @throws OperationCancelledException if the thread is interrupted
     */
    public void awaitReady(Duration timeout) {
        Arguments.millis(timeout, "timeout");
        ready(timeout);
    }

    private void ready(@Nullable Duration timeout) {
        if (isClosed()) throw new ClosedException("the worker is closed; start another one");
        tasks.awaitReady(timeout);
    }

    /**
     * Waits until the worker is closed by another thread, by the end of the program, or because its client was closed.
     *
     * @throws InterruptedException if the thread is interrupted
     */
    public void awaitClosed() throws InterruptedException {
        host.closed().await();
    }

    /**
     * Waits until the worker is closed.
     *
     * @param timeout how long at most
     * @return whether it is closed
     * @throws InterruptedException if the thread is interrupted
     */
    public boolean awaitClosed(Duration timeout) throws InterruptedException {
        return host.closed().await(Arguments.millis(timeout, "timeout"), TimeUnit.MILLISECONDS);
    }

    /**
     * Takes no more tasks, waits for those at work up to {@link WorkerBuilder#shutdownTimeout}, tells the activities that are
     * left to stop, and unwinds the workflows that wait. What did not finish in time is handed out again later, to this
     * program's next run or another worker.
     *
     * <p>Twice is once; the second one waits, too. A thread that is interrupted gives up waiting for what is at work, and stays
     * interrupted.
     */
    @Override
    public void close() {
        close(shutdownTimeout);
    }

    /**
     * The same with another limit than the builder's.
     *
     * @param timeout how long to wait for what is at work
     */
    public void close(Duration timeout) {
        Arguments.millis(timeout, "timeout");
        boolean interrupted = false;
        var ended = shutdown(timeout);
        while (true) {
            try {
                host.closed().await();
                break;
            } catch (InterruptedException interrupt) {
                interrupted = true;
                tasks.shutdown(Duration.ZERO);
            }
        }
        // Until then the core holds the engine, and with it the store.
        ended.join();
        if (interrupted) Thread.currentThread().interrupt();
    }

    private synchronized CompletableFuture<?> shutdown(Duration timeout) {
        if (closing == null) closing = tasks.shutdown(timeout);
        return closing;
    }

    /** Whatever has ended it. */
    private void ended() {
        tasks.free();
        if (hook == null) return;
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException shuttingDown) {
            // It runs already.
        }
    }
}
