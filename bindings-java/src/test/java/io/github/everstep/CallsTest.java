package io.github.everstep;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How calls are waited for, given up and ended. */
@Timeout(60)
class CallsTest {
    private static Thread thread(boolean virtual, Runnable run) {
        return (virtual ? Thread.ofVirtual() : Thread.ofPlatform().daemon()).start(run);
    }

    private static void untilItWaits(Thread thread) {
        while (thread.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anInterruptGivesTheCallUpAndStays(boolean virtual) throws Exception {
        try (Client client = Client.create("memory:")) {
            WorkflowHandle<Object> handle = client.startWorkflow("nobody", null);
            AtomicReference<Throwable> thrown = new AtomicReference<>();
            CountDownLatch interrupted = new CountDownLatch(1);
            Thread thread = thread(virtual, () -> {
                thrown.set(assertThrows(RuntimeException.class, handle::result));
                if (Thread.currentThread().isInterrupted()) {
                    interrupted.countDown();
                }
            });
            untilItWaits(thread);
            thread.interrupt();
            assertTrue(interrupted.await(30, TimeUnit.SECONDS));
            assertInstanceOf(OperationCancelledException.class, thrown.get());
            assertEquals(0, client.calls().underWay());
            assertEquals(RuntimeStatus.PENDING, handle.state().runtimeStatus());
        }
    }

    @Test
    void aWaitEndsInTime() {
        try (Client client = Client.create("memory:")) {
            WorkflowHandle<Object> handle = client.startWorkflow("nobody", null);
            assertThrows(OperationTimeoutException.class, () -> handle.result(Duration.ofMillis(20)));
            assertThrows(OperationTimeoutException.class, () -> handle.waitForCompletion(Duration.ZERO));
        }
    }

    @Test
    void aFutureThatIsCancelledOrTimesOutIsGivenUp() throws Exception {
        try (Client client = Client.create("memory:")) {
            AsyncWorkflowHandle<Object> handle = client.startWorkflow("nobody", null).async();
            CompletableFuture<Object> result = handle.result();
            assertTrue(result.cancel(true));
            assertThrows(CancellationException.class, result::join);
            CompletableFuture<Object> late = handle.result().orTimeout(10, TimeUnit.MILLISECONDS);
            assertInstanceOf(TimeoutException.class, assertThrows(ExecutionException.class, late::get).getCause());
            assertEquals(0, client.calls().underWay());
        }
    }

    @Test
    void whatIsDerivedLeavesTheCallAlone() {
        try (Client client = Client.create("memory:")) {
            AsyncWorkflowHandle<Object> handle = client.startWorkflow("nobody", null).async();
            CompletableFuture<Object> result = handle.result();
            assertTrue(result.thenApply(value -> value).cancel(true));
            assertFalse(result.isDone());
            assertEquals(1, client.calls().underWay());
        }
    }

    @Test
    void aFutureFailsWithTheExceptionOfTheCall() {
        try (Client client = Client.create("memory:")) {
            AsyncClient async = client.async();
            assertInstanceOf(
                    NotFoundException.class, assertThrows(ExecutionException.class, () -> async.getWorkflow("a").get()).getCause());
            assertInstanceOf(
                    InvalidArgumentException.class,
                    assertThrows(CompletionException.class, () -> async.getWorkflow(null).join()).getCause());
        }
    }

    @Test
    void whatIsAttachedMayBlock() {
        try (Client client = Client.create("memory:")) {
            List<CompletableFuture<WorkflowState>> states = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                // The stage asks again and waits: on the thread that brings answers it would wait for itself.
                states.add(client.async().startWorkflow("nobody", null).thenApply(handle -> handle.blocking().state()));
            }
            states.forEach(state -> assertEquals(RuntimeStatus.PENDING, state.join().runtimeStatus()));
        }
    }

    @Test
    void manyWaitsNeedNoThreadEach() {
        try (Client client = Client.create("memory:")) {
            WorkflowHandle<Object> handle = client.startWorkflow("nobody", null);
            int before = Thread.getAllStackTraces().size();
            List<CompletableFuture<Object>> results = new ArrayList<>();
            for (int i = 0; i < 10_000; i++) {
                results.add(handle.async().result());
            }
            assertTrue(Thread.getAllStackTraces().size() <= before + 4);
            handle.terminate();
            for (CompletableFuture<Object> result : results) {
                CompletionException error = assertThrows(CompletionException.class, result::join);
                assertInstanceOf(WorkflowTerminatedException.class, error.getCause());
            }
        }
    }

    @Test
    void anAsyncWatchGivesEachStateToTheLast() {
        try (Client client = Client.create("memory:")) {
            AsyncWorkflowHandle<Object> handle = client.startWorkflow("nobody", null).async();
            AsyncWatch watch = handle.watch();
            assertEquals(RuntimeStatus.PENDING, watch.next().join().runtimeStatus());
            CompletableFuture<WorkflowState> given = watch.next();
            assertTrue(given.cancel(true));
            CompletableFuture<WorkflowState> next = watch.next();
            handle.terminate().join();
            assertEquals(RuntimeStatus.TERMINATED, next.join().runtimeStatus());
            assertNull(watch.next().join());
            assertEquals(0, client.calls().underWay());
        }
    }

    @Test
    void closingEndsWhatWaitsAndWhatComes() throws Exception {
        Client client = Client.create("memory:");
        WorkflowHandle<Object> handle = client.startWorkflow("nobody", null);
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        Thread waiter = thread(true, () -> thrown.set(assertThrows(EverstepException.class, handle::result)));
        CompletableFuture<Object> future = handle.async().result();
        untilItWaits(waiter);
        client.close();
        assertTrue(waiter.join(Duration.ofSeconds(30)));
        assertInstanceOf(ClosedException.class, thrown.get());
        assertInstanceOf(ClosedException.class, assertThrows(CompletionException.class, future::join).getCause());
        assertThrows(ClosedException.class, handle::state);
        assertInstanceOf(
                ClosedException.class, assertThrows(CompletionException.class, () -> client.async().getWorkflow("a").join()).getCause());
        assertTrue(client.isClosed());
        client.close();
    }

    @Test
    void closingUnderLoadEndsEveryCall() throws Exception {
        Client client = Client.create("memory:");
        List<Thread> threads = new ArrayList<>();
        CountDownLatch begun = new CountDownLatch(50);
        for (int i = 0; i < 50; i++) {
            threads.add(thread(i % 2 == 0, () -> {
                try {
                    for (;;) {
                        client.startWorkflow("nobody", null).state();
                        begun.countDown();
                    }
                } catch (ClosedException end) {
                    // That is what it waits for.
                }
            }));
        }
        assertTrue(begun.await(30, TimeUnit.SECONDS));
        client.close();
        for (Thread thread : threads) {
            assertTrue(thread.join(Duration.ofSeconds(30)));
        }
        assertEquals(0, client.calls().underWay());
    }

    @Test
    void aThousandClientsLeaveNothing() throws Exception {
        Client.create("memory:").close();
        int threads = 0;
        for (int i = 0; i < 1000; i++) {
            try (Client client = Client.create("memory:")) {
                client.startWorkflow("nobody", i);
            }
            if (i == 100) {
                threads = settled();
            }
        }
        int after = settled();
        assertTrue(after <= threads + 2, () -> after + " threads and files");
    }

    /** The threads of this process and its open files, as the system counts them. */
    private static int settled() throws Exception {
        File tasks = new File("/proc/self/task");
        File files = new File("/proc/self/fd");
        if (!tasks.exists()) {
            return 0;
        }
        int least = Integer.MAX_VALUE;
        for (int i = 0; i < 50; i++) {
            least = Math.min(least, tasks.list().length + files.list().length);
            TimeUnit.MILLISECONDS.sleep(10);
        }
        return least;
    }

    @Test
    void aClientThatNobodyHoldsIsClosed(@TempDir Path directory) throws Exception {
        String endpoint = "sqlite:" + directory.resolve("lost.db");
        forget(endpoint);
        // Another durability is refused as long as the first client is open.
        boolean closed = false;
        for (int i = 0; i < 200 && !closed; i++) {
            System.gc();
            try {
                Client.create(endpoint).close();
                closed = true;
            } catch (FailedPreconditionException stillThere) {
                TimeUnit.MILLISECONDS.sleep(20);
            }
        }
        assertTrue(closed);
    }

    private static void forget(String endpoint) {
        Client lost = Client.builder().endpoint(endpoint).durability(Durability.PROCESS).build();
        lost.startWorkflow("nobody", null);
        assertThrows(FailedPreconditionException.class, () -> Client.create(endpoint));
    }
}
