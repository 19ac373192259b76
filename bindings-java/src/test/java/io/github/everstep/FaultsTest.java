package io.github.everstep;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What breaks around the embedded engine, or is broken by the program itself. */
@Timeout(120)
class FaultsTest {
    private static final Duration LONG = Duration.ofSeconds(60);

    /** Five steps, each noted in a file; the third one may never end. */
    private static Worker stepping(Client client, Path ledger, boolean mayEnd) {
        return Worker.builder(client)
                .workflow("steps", Void.class, Integer.class, (ctx, none) -> {
                    int sum = 0;
                    for (int n = 1; n <= 5; n++) sum += ctx.callActivity("step", n, Integer.class).await();
                    return sum;
                })
                .activity("step", Integer.class, Integer.class, (ctx, n) -> {
                    Files.writeString(ledger, n + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
                    if (n == 3 && !mayEnd) {
                        System.out.println("three");
                        new CountDownLatch(1).await();
                    }
                    return n;
                })
                .start();
    }

    /** A program that is killed; its arguments are an endpoint and the ledger. */
    static final class Killed {
        public static void main(String[] arguments) throws Exception {
            var client = Client.create(arguments[0]);
            client.startWorkflow("steps", null, Integer.class, StartOptions.instanceId("i"));
            stepping(client, Path.of(arguments[1]), false).awaitClosed();
        }
    }

    @Test
    void aProgramThatIsKilledGoesOnWhereItWas(@TempDir Path folder) throws Exception {
        var endpoint = "sqlite:" + folder.resolve("x.db");
        var ledger = folder.resolve("ledger");
        var process = Jvm.of(Killed.class, endpoint, ledger.toString()).redirectErrorStream(true).start();
        try (var out = process.inputReader()) {
            assertEquals("three", out.readLine());
            // As long as it lives others only read its file.
            try (var client = Client.create(endpoint)) {
                assertEquals(RuntimeStatus.RUNNING, client.getWorkflow("i").runtimeStatus());
                assertThrows(StoreLockedException.class, () -> client.terminateWorkflow("i"));
            }
        } finally {
            process.destroyForcibly();
        }
        process.waitFor();
        try (var client = Client.create(endpoint);
                var worker = stepping(client, ledger, true)) {
            assertTrue(worker.isReady());
            assertEquals(15, client.getHandle("i", Integer.class).result(LONG));
        }
        assertEquals(List.of("1", "2", "3", "3", "4", "5"), Files.readAllLines(ledger));
    }

    /** A program that has too little memory for one of its answers. */
    static final class Small {
        public static void main(String[] arguments) {
            try (var client = Client.create("memory:");
                    var worker = Worker.builder(client)
                            .workflow("w", String.class, String.class, (ctx, name) -> {
                                return ctx.callActivity(name, null, String.class).await();
                            })
                            .workflow("large", Void.class, String.class, (ctx, none) -> "x".repeat(3_000_000))
                            .activity("large", Void.class, String.class, (ctx, none) -> "x".repeat(3_000_000))
                            .activity("small", Void.class, String.class, (ctx, none) -> "small")
                            .start()) {
                worker.awaitReady(LONG);
                var activity = client.startWorkflow("w", "large", String.class, StartOptions.none());
                try {
                    activity.result(LONG);
                } catch (WorkflowFailedException error) {
                    System.out.println(error.failure().errorType());
                }
                var workflow = client.startWorkflow("large", null, String.class, StartOptions.none());
                try {
                    workflow.result(LONG);
                } catch (EverstepException error) {
                    System.out.println(error.code());
                }
                System.out.println(client.startWorkflow("w", "small", String.class, StartOptions.none()).result(LONG));
            }
        }
    }

    @Test
    void anAnswerThatFindsNoMemoryIsOneFailureAndTheWorkerLives() throws Exception {
        var process = Jvm.of(List.of("-XX:MaxDirectMemorySize=1m"), Small.class).start();
        try (var out = process.inputReader()) {
            assertEquals(List.of("EncodeError", "workflow_stalled", "small"), out.lines().toList());
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void aWorkerMayBeClosedByWhatItRuns() throws Exception {
        var closing = new AtomicReference<Worker>();
        try (var client = Client.create("memory:")) {
            for (var kind : List.of("activity", "workflow")) {
                var worker = Worker.builder(client)
                        .workflow("w", String.class, Void.class, (ctx, from) -> {
                            if (from.equals("workflow")) closing.get().close(Duration.ofMillis(50));
                            return ctx.callActivity("close", null, Void.class).await();
                        })
                        .activity("close", Void.class, Void.class, (ctx, none) -> {
                            closing.get().close(Duration.ofMillis(50));
                            return null;
                        })
                        .closeOnShutdown(false)
                        .start();
                closing.set(worker);
                client.startWorkflow("w", kind);
                assertTrue(worker.awaitClosed(LONG), kind);
            }
        }
    }

    @Test
    void textsOfAnyKindCross() throws Exception {
        var strange = "\0 \u0007 \u2028 \ud83d\ude00 \\ \" \n";
        var half = "half \ud83d";
        try (var client = Client.create("memory:");
                var worker = Worker.builder(client)
                        .workflow("echo", Object.class, Object.class, (ctx, input) -> {
                            return ctx.callActivity("echo", input, Object.class).await();
                        })
                        .workflow("fails", Object.class, Object.class, (ctx, input) -> {
                            throw new ApplicationException(half, half + strange);
                        })
                        .activity("echo", Object.class, Object.class, (ctx, input) -> input)
                        .start()) {
            assertTrue(worker.isReady());
            Object deep = strange;
            for (int depth = 0; depth < 400; depth++) deep = List.of(deep);
            for (var value : List.of(strange, strange.repeat(50_000), deep)) {
                assertEquals(value, client.startWorkflow("echo", value, Object.class, StartOptions.none()).result(LONG));
            }
            var failure = assertThrows(
                            WorkflowFailedException.class,
                            () -> client.startWorkflow("fails", null, Object.class, StartOptions.none()).result(LONG))
                    .failure();
            assertEquals("half \ufffd" + strange, failure.message());
            var refused = assertThrows(InvalidArgumentException.class, () -> client.startWorkflow("echo", half));
            assertEquals("invalid_argument", refused.code());
        }
    }
}
