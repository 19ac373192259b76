package io.github.everstep;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Whether tasks may come. */
@Timeout(30)
class ReadinessTest {
    private static Worker worker(Client client) {
        return Worker.builder(client)
                .activity("echo", String.class, String.class, (ctx, input) -> input)
                .closeOnShutdown(false)
                .start();
    }

    /** A wait on a thread of its own, and how it ended. */
    private record Waiting(Thread thread, CompletableFuture<Void> ended) {
        static Waiting on(Worker worker) {
            var ended = new CompletableFuture<Void>();
            var thread = Thread.ofVirtual().start(() -> {
                try {
                    worker.awaitReady();
                    ended.complete(null);
                } catch (RuntimeException error) {
                    ended.completeExceptionally(error);
                }
            });
            while (thread.getState() != Thread.State.WAITING) Thread.onSpinWait();
            return new Waiting(thread, ended);
        }

        Throwable error() {
            return assertThrows(ExecutionException.class, () -> ended.get(20, TimeUnit.SECONDS)).getCause();
        }
    }

    @Test
    void aWorkerOfTheEngineInTheProcessIsReadyUntilItIsClosed() {
        try (var client = Client.create("memory:");
                var worker = worker(client)) {
            worker.awaitReady(Duration.ofSeconds(1));
            assertTrue(worker.isReady());
            assertThrows(InvalidArgumentException.class, () -> worker.awaitReady(Duration.ofSeconds(-1)));
            worker.close();
            assertFalse(worker.isReady());
            assertTrue(worker.isClosed());
            assertThrows(ClosedException.class, worker::awaitReady);
        }
    }

    @Test
    void aWorkerWithoutItsSidecarIsNotReadyAndSaysWhyAndMayBeGivenUp() {
        // Nobody listens on port 1.
        try (var client = Client.create("grpc://127.0.0.1:1");
                var worker = worker(client)) {
            assertFalse(worker.isReady());
            var late = assertThrows(OperationTimeoutException.class, () -> worker.awaitReady(Duration.ofMillis(20)));
            assertTrue(late.getMessage().contains("127.0.0.1:1"), late::getMessage);
            var given = Waiting.on(worker);
            given.thread().interrupt();
            assertInstanceOf(OperationCancelledException.class, given.error());
            var left = Waiting.on(worker);
            worker.close();
            assertInstanceOf(ClosedException.class, left.error());
        }
    }

    @Test
    void aWorkerIsNotReadyWhileItCloses() throws Exception {
        var begun = new CompletableFuture<Void>();
        var release = new CompletableFuture<Void>();
        var closing = new AtomicReference<Thread>();
        try (var client = Client.create("memory:");
                var worker = Worker.builder(client)
                        .workflow("w", Void.class, String.class, (ctx, none) -> ctx.callActivity("held", null, String.class).await())
                        .activity("held", Void.class, String.class, (ctx, none) -> {
                            begun.complete(null);
                            release.get(20, TimeUnit.SECONDS);
                            return "done";
                        })
                        .closeOnShutdown(false)
                        .start()) {
            client.startWorkflow("w", null);
            begun.get(20, TimeUnit.SECONDS);
            closing.set(Thread.ofVirtual().start(() -> worker.close(Duration.ofSeconds(20))));
            while (worker.isReady()) Thread.onSpinWait();
            assertThrows(ClosedException.class, worker::awaitReady);
            assertFalse(worker.isClosed());
            release.complete(null);
            assertTrue(closing.get().join(Duration.ofSeconds(20)));
            assertTrue(worker.isClosed());
        } finally {
            release.complete(null);
        }
    }
}
