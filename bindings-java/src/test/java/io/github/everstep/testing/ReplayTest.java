package io.github.everstep.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.everstep.Activity;
import io.github.everstep.ActivityFailedException;
import io.github.everstep.CallOptions;
import io.github.everstep.Client;
import io.github.everstep.Filter;
import io.github.everstep.InvalidArgumentException;
import io.github.everstep.MapOptions;
import io.github.everstep.NamedActivity;
import io.github.everstep.NamedWorkflow;
import io.github.everstep.NotFoundException;
import io.github.everstep.OperationCancelledException;
import io.github.everstep.Retry;
import io.github.everstep.RuntimeStatus;
import io.github.everstep.StartOptions;
import io.github.everstep.Worker;
import io.github.everstep.Workflow;
import io.github.everstep.WorkflowContext;
import io.github.everstep.WorkflowFailedException;
import io.github.everstep.WorkflowStalledException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Stored histories against changed code. */
@Timeout(60)
class ReplayTest {
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final Duration SHORT = Duration.ofMillis(1);

    private static final NamedActivity<Integer, Integer> ECHO =
            Activity.of("echo", Integer.class, Integer.class, (ctx, value) -> value);
    private static final NamedActivity<Integer, Integer> BROKEN =
            Activity.of("broken", Integer.class, Integer.class, (ctx, value) -> {
                throw new IllegalArgumentException(value.toString());
            });

    private static final NamedWorkflow<Integer, Integer> CHILD = Workflow.of(
            "child", Integer.class, Integer.class, (ctx, value) -> ctx.call(ECHO, value).await());

    private static final NamedWorkflow<Boolean, Integer> FLOW =
            Workflow.of("flow", Boolean.class, Integer.class, ReplayTest::flow);

    private static final NamedWorkflow<Void, Void> FAILING =
            Workflow.of("failing", Void.class, Void.class, (ctx, none) -> {
                ctx.call(ECHO, 1).await();
                throw new IllegalArgumentException("no");
            });

    private static final NamedWorkflow<Integer, Integer> COUNTING =
            Workflow.of("counting", Integer.class, Integer.class, (ctx, number) -> {
                ctx.call(ECHO, number).await();
                return number == 3 ? number : ctx.continueAsNew(number + 1);
            });

    private static final Workflow<?, ?>[] ALL = {FLOW, CHILD, FAILING, COUNTING};

    private static Integer flow(WorkflowContext ctx, Boolean wait) {
        int total = ctx.call(ECHO, 1).await();
        var twice = CallOptions.retry(Retry.maxAttempts(2).withFirstInterval(SHORT));
        assertThrows(ActivityFailedException.class, () -> ctx.call(BROKEN, 2, twice).await());
        total += ctx.call(CHILD, 3).await();
        ctx.sleep(SHORT);
        if (ctx.isPatched("more")) {
            for (var one : ctx.map(ECHO, List.of(4, 5, 6), MapOptions.maxConcurrency(2)).await()) total += one;
        }
        if (wait) {
            ctx.setCustomStatus("waits");
            total += ctx.waitForEvent("go", Integer.class, Duration.ofDays(1)).await();
        }
        ctx.call(ECHO, total).await();
        return total;
    }

    /** Starts an instance and waits until it says that it waits. */
    private static void untilItWaits(Client client, Workflow<Boolean, Integer> workflow, String id) {
        client.startWorkflow(workflow, true, StartOptions.instanceId(id));
        try (var watch = client.watchWorkflow(id)) {
            assertTrue(watch.stream().anyMatch(state -> "waits".equals(state.customStatus(String.class))), "it ended");
        }
    }

    /** Leaves runs of all workflows: ended in every way, waiting, paused, never begun. */
    private static void store(Client client) {
        client.startWorkflow(FLOW, false, StartOptions.instanceId("ended")).result(LONG);
        for (var id : List.of("waits", "paused", "terminated")) untilItWaits(client, FLOW, id);
        client.pauseWorkflow("paused");
        client.terminateWorkflow("terminated");
        assertThrows(
                WorkflowFailedException.class,
                () -> client.startWorkflow(FAILING, null, StartOptions.instanceId("failed")).result(LONG));
        client.startWorkflow(COUNTING, 1, StartOptions.instanceId("counted")).result(LONG);
        client.startWorkflow(COUNTING, 1, StartOptions.instanceId("later").withDelay(Duration.ofDays(1)));
    }

    @Test
    void codeFitsWhatItWrote() throws Exception {
        try (var client = Client.create("memory:")) {
            try (var worker = Worker.builder(client).workflows(ALL).activities(ECHO, BROKEN).start()) {
                assertTrue(worker.isReady());
                store(client);
            }
            int count = (int) client.listWorkflows(Filter.all()).count();
            assertTrue(count >= 10);
            assertEquals(count, Replay.histories(client, ALL));
            assertEquals(count, Replay.histories(client, Filter.all(), ALL));
            var ended = Filter.status(RuntimeStatus.COMPLETED);
            assertEquals(1, Replay.histories(client, ended, COUNTING));
            assertEquals(1, Replay.histories(client, List.of("ended"), ALL));
            assertThrows(NotFoundException.class, () -> Replay.histories(client, List.of("nobody"), ALL));
            assertThrows(InvalidArgumentException.class, () -> Replay.histories(client, (ctx, input) -> input));
            var beside = CompletableFuture.supplyAsync(() -> Replay.histories(client, ALL), Thread::startVirtualThread);
            assertEquals(count, Replay.histories(client, ALL));
            assertEquals(count, beside.get(30, TimeUnit.SECONDS));
        }
    }

    private static int sometimesWait(WorkflowContext ctx, boolean wait) {
        if (wait) {
            ctx.setCustomStatus("waits");
            ctx.waitForEvent("go", Integer.class).await();
        }
        return ctx.call(ECHO, 2).await();
    }

    private static NamedWorkflow<Boolean, Integer> changed(Workflow<Boolean, Integer> function) {
        return Workflow.of("short", Boolean.class, Integer.class, function);
    }

    private static final NamedWorkflow<Boolean, Integer> AS_IT_WAS = changed((ctx, wait) -> {
        ctx.call(ECHO, 1).await();
        return sometimesWait(ctx, wait);
    });

    static Stream<Arguments> changes() {
        var both = List.of("ended", "waits");
        return Stream.of(
                Arguments.of("nothing changed", AS_IT_WAS, List.of()),
                Arguments.of("behind a patch", changed((ctx, wait) -> {
                    return ctx.isPatched("other") ? 0 : AS_IT_WAS.run(ctx, wait);
                }), List.of()),
                Arguments.of("one more behind", changed((ctx, wait) -> {
                    AS_IT_WAS.run(ctx, wait);
                    return ctx.call(ECHO, 3).await();
                }), List.of("ended")),
                Arguments.of("the last one left out", changed((ctx, wait) -> {
                    ctx.call(ECHO, 1).await();
                    if (wait) ctx.waitForEvent("go", Integer.class).await();
                    return 0;
                }), List.of("ended")),
                Arguments.of("another activity", changed((ctx, wait) -> ctx.call(BROKEN, 1).await()), both),
                Arguments.of("one more before", changed((ctx, wait) -> {
                    ctx.call(ECHO, 1).await();
                    return AS_IT_WAS.run(ctx, wait);
                }), both),
                Arguments.of("one more beside", changed((ctx, wait) -> {
                    ctx.call(ECHO, 1).await();
                    ctx.call(ECHO, 1);
                    return sometimesWait(ctx, wait);
                }), both),
                Arguments.of("nothing left", changed((ctx, wait) -> 0), both),
                Arguments.of("a version", AS_IT_WAS.withVersion("v2"), both),
                Arguments.of("not durable", changed((ctx, wait) -> {
                    ctx.call(ECHO, 1).await();
                    return CompletableFuture.supplyAsync(() -> ctx.call(ECHO, 2)).join().await();
                }), both));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("changes")
    void changedCodeIsFoundOut(String name, NamedWorkflow<Boolean, Integer> changed, List<String> unfit) {
        try (var client = Client.create("memory:")) {
            try (var worker = Worker.builder(client).workflows(AS_IT_WAS).activities(ECHO).start()) {
                assertTrue(worker.isReady());
                client.startWorkflow(AS_IT_WAS, false, StartOptions.instanceId("ended")).result(LONG);
                untilItWaits(client, AS_IT_WAS, "waits");
            }
            var before = histories(client);
            for (var id : List.of("ended", "waits")) {
                if (unfit.contains(id)) {
                    var error = assertThrows(
                            WorkflowStalledException.class, () -> Replay.histories(client, List.of(id), changed));
                    assertEquals(id, error.instanceId());
                    assertEquals("replay", error.operation());
                } else {
                    assertEquals(1, Replay.histories(client, List.of(id), changed));
                }
            }
            assertEquals(before, histories(client));
        }
    }

    private static List<List<Object>> histories(Client client) {
        var events = new ArrayList<List<Object>>();
        for (var id : List.of("ended", "waits")) {
            for (var event : client.getWorkflowHistory(id).events()) {
                events.add(List.of(event.type(), event.attributes()));
            }
        }
        return events;
    }

    @Test
    void anInterruptEndsIt() {
        try (var client = Client.create("memory:");
                var worker = Worker.builder(client).workflows(CHILD).activities(ECHO).start()) {
            assertTrue(worker.isReady());
            client.startWorkflow(CHILD, 1).result(LONG);
            Thread.currentThread().interrupt();
            assertThrows(OperationCancelledException.class, () -> Replay.histories(client, CHILD));
            assertTrue(Thread.interrupted());
        }
    }

    @Test
    void aFileIsReplayedWhileItsOwnerWorks(@TempDir Path folder) throws Exception {
        var endpoint = "sqlite:" + folder.resolve("work.db");
        try (var client = Client.create(endpoint);
                var worker = Worker.builder(client).workflows(CHILD).activities(ECHO).start()) {
            assertTrue(worker.isReady());
            client.startWorkflow(CHILD, 1).result(LONG);
            var process = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                            "--enable-native-access=ALL-UNNAMED",
                            "-cp",
                            System.getProperty("java.class.path"),
                            Other.class.getName(),
                            endpoint)
                    .redirectErrorStream(true)
                    .start();
            assertTrue(process.waitFor(40, TimeUnit.SECONDS));
            assertEquals("1\n", new String(process.getInputStream().readAllBytes()));
        }
    }

    /** The other process. */
    static final class Other {
        public static void main(String[] args) {
            try (var client = Client.create(args[0])) {
                System.out.println(Replay.histories(client, CHILD));
            }
        }
    }
}
