package io.github.everstep.faults;

import static io.github.everstep.faults.Ledger.PATIENCE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.everstep.Client;
import io.github.everstep.ClosedException;
import io.github.everstep.Jvm;
import io.github.everstep.StartOptions;
import io.github.everstep.Worker;
import io.github.everstep.WorkflowHandle;
import io.github.everstep.conformance.Sidecar;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Workers and sidecars of a real Dapr die in the middle of work and come back; every instance ends as if nothing had
 * happened.
 *
 * <p>Each test has a sidecar to itself, with its state in Redis; {@code cluster.py --revive} starts again what dies.
 * The name keeps these out of the tests that need no sidecar: {@code make test-dapr} runs them.
 */
@Timeout(180)
class FaultsOnDapr {
    private static final int TESTS = 5;
    private static final AtomicInteger USED = new AtomicInteger();
    private static final int SIGTERM_STATUS = 143, SIGKILL_STATUS = 137;

    private final Sidecar sidecar = Sidecar.all(TESTS).get(USED.getAndIncrement());
    private final List<Process> begun = new ArrayList<>();

    @TempDir
    private Path folder;

    private Ledger ledger;
    private Client client;

    @BeforeEach
    void open() {
        ledger = new Ledger(folder.resolve("ledger"));
        client = Client.create(sidecar.overGrpc());
    }

    @AfterEach
    void close() {
        client.close();
        begun.forEach(Process::destroyForcibly);
    }

    /** A worker process, which stops in the middle of a step. */
    private Process begin(int hold) throws IOException {
        var builder = Jvm.of(Steps.Program.class, ledger.path().toString(), String.valueOf(hold));
        builder.redirectOutput(ProcessBuilder.Redirect.INHERIT).redirectError(ProcessBuilder.Redirect.INHERIT);
        builder.environment().put("DAPR_GRPC_PORT", String.valueOf(sidecar.grpc()));
        builder.environment().remove("DAPR_GRPC_ENDPOINT");
        var process = builder.start();
        begun.add(process);
        return process;
    }

    private static int ended(Process process) throws Exception {
        assertTrue(process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS), "the worker process is still there");
        return process.exitValue();
    }

    /** Ends a worker process by its standard input. */
    private static void end(Process process) throws Exception {
        process.getOutputStream().close();
        assertEquals(0, ended(process));
    }

    private static void await(String what, BooleanSupplier holds) throws InterruptedException {
        for (long end = System.nanoTime() + PATIENCE.toNanos(); !holds.getAsBoolean(); Thread.sleep(10)) {
            assertTrue(System.nanoTime() < end, () -> what + " after " + PATIENCE);
        }
    }

    private WorkflowHandle<?> start(String workflow, int count, String id) {
        return client.startWorkflow(workflow, count, List.class, StartOptions.instanceId(id));
    }

    /** Every step of so many instances once, but {@code twice} once more. */
    private static Map<String, Integer> ranOnce(List<String> ids, int count, int twice) {
        var runs = new TreeMap<String, Integer>();
        for (var id : ids) {
            for (int step = 0; step < count; step++) runs.put(id + " " + step, step == twice ? 2 : 1);
        }
        return runs;
    }

    @Test
    void anotherWorkerTakesOverFromOneThatWasKilledInAnActivity() throws Exception {
        var first = begin(2);
        var ids = List.of("killed-0", "killed-1", "killed-2", "killed-3");
        var handles = new ArrayList<WorkflowHandle<?>>();
        for (var id : ids) handles.add(start("steps", 4, id));
        ledger.await(3 * ids.size());
        first.destroyForcibly();
        assertEquals(SIGKILL_STATUS, ended(first));
        var second = begin(-1);
        for (var handle : handles) assertEquals(Steps.expected(4), handle.result(PATIENCE));
        end(second);
        assertEquals(ranOnce(ids, 4, 2), ledger.runs());
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aSidecarThatEndsAndComesBackLosesNothing(boolean kill) throws Exception {
        try (var worker = Steps.worker(client, ledger, step -> {}).start()) {
            worker.awaitReady(PATIENCE);
            var handles = new ArrayList<WorkflowHandle<?>>();
            for (var name : List.of("steps", "pauses", "at_once", "asks")) {
                for (int number = 0; number < 6; number++) handles.add(start(name, 4, name + "-" + number));
            }
            ledger.await(handles.size());
            var process = ProcessHandle.of(sidecar.pid()).orElseThrow();
            assertTrue(kill ? process.destroyForcibly() : process.destroy());
            await("the worker is still ready", () -> !worker.isReady());
            worker.awaitReady(PATIENCE);
            assertTrue(worker.isReady());
            for (int number = 0; number < 6; number++) client.raiseWorkflowEvent("asks-" + number, "answer", 0);
            for (var handle : handles) assertEquals(Steps.expected(4), handle.result(PATIENCE), handle::instanceId);
            assertEquals(4 * handles.size(), new HashSet<>(ledger.effects()).size());
        }
    }

    @Test
    void aWorkerThatClosesFinishesWhatItHasAtHandAndOnlyThenLetsGo() throws Exception {
        var within = new CountDownLatch(1);
        var release = new CountDownLatch(1);
        try (Worker worker = Steps.worker(client, ledger, step -> {
            if (step != 1) return;
            within.countDown();
            release.await();
        }).start()) {
            var handle = start("steps", 3, "drained");
            assertTrue(within.await(PATIENCE.toSeconds(), TimeUnit.SECONDS));
            var closing = Thread.ofVirtual().start(() -> worker.close(PATIENCE));
            await("the worker that closes is still ready", () -> !worker.isReady());
            assertThrows(ClosedException.class, () -> worker.awaitReady(PATIENCE));
            assertFalse(worker.isClosed());
            assertTrue(closing.isAlive());
            release.countDown();
            assertTrue(closing.join(PATIENCE));
            assertTrue(worker.isClosed());
            var second = begin(-1);
            assertEquals(Steps.expected(3), handle.result(PATIENCE));
            end(second);
            assertEquals(ranOnce(List.of("drained"), 3, -1), ledger.runs());
        } finally {
            release.countDown();
        }
    }

    @Test
    void aWorkerProcessThatIsToldToEndDrainsAndLeavesTheRestToAnother() throws Exception {
        var first = begin(1);
        var handle = start("steps", 3, "told");
        ledger.await(2);
        // A process's own destroy closes its standard input as well.
        assertTrue(first.toHandle().destroy());
        try (var input = first.outputWriter()) {
            input.write("go on\n");
        }
        assertEquals(SIGTERM_STATUS, ended(first));
        var second = begin(-1);
        assertEquals(Steps.expected(3), handle.result(PATIENCE));
        end(second);
        assertEquals(ranOnce(List.of("told"), 3, -1), ledger.runs());
    }
}
