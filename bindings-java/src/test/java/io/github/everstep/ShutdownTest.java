package io.github.everstep;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** How a program with a worker ends. */
@Timeout(90)
class ShutdownTest {
    /** A program whose activity takes a while; its arguments are an endpoint and what it does. */
    static final class Program {
        public static void main(String[] arguments) throws Exception {
            var client = Client.create(arguments[0]);
            var worker = Worker.builder(client)
                    .workflow("w", Void.class, String.class, (ctx, none) -> ctx.callActivity("work", null, String.class).await())
                    .activity("work", Void.class, String.class, (ctx, none) -> {
                        System.out.println("begun");
                        ctx.awaitCancelled(Duration.ofMillis(500));
                        System.out.println(ctx.isCancelled() ? "cancelled" : "done");
                        return "result";
                    })
                    .start();
            var handle = client.startWorkflow("w", null, String.class, StartOptions.instanceId("i"));
            switch (arguments[1]) {
                case "wait" -> worker.awaitClosed();
                case "finish" -> System.out.println(handle.result(Duration.ofSeconds(30)));
                case "return" -> client.waitForWorkflowStart("i");
                case "exit" -> {
                    for (int n = 0; n < 50; n++) client.startWorkflow("w", null).async().result();
                    System.exit(7);
                }
                default -> throw new IllegalArgumentException(arguments[1]);
            }
        }
    }

    private static Process begin(String... arguments) throws Exception {
        return Jvm.of(Program.class, arguments).redirectErrorStream(true).start();
    }

    private static List<String> rest(BufferedReader out, Process process) throws Exception {
        var lines = out.lines().toList();
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        return lines;
    }

    @Test
    void aSignalDrainsTheWorker(@TempDir Path folder) throws Exception {
        var endpoint = "sqlite:" + folder.resolve("x.db");
        var process = begin(endpoint, "wait");
        try (var out = process.inputReader()) {
            assertEquals("begun", out.readLine());
            // A process's own destroy closes what it still prints.
            process.toHandle().destroy();
            assertEquals(List.of("done"), rest(out, process));
        } finally {
            process.destroyForcibly();
        }
        // Its result is kept: the next worker goes on from there, and has no such activity.
        try (var client = Client.create(endpoint);
                var worker = Worker.builder(client)
                        .workflow("w", Void.class, String.class, (ctx, none) -> ctx.callActivity("work", null, String.class).await())
                        .start()) {
            assertTrue(worker.isReady());
            assertEquals("result", client.getHandle("i", String.class).result(Duration.ofSeconds(30)));
        }
    }

    @Test
    void aProgramThatReturnsEndsAndDrains(@TempDir Path folder) throws Exception {
        var process = begin("sqlite:" + folder.resolve("x.db"), "return");
        try (var out = process.inputReader()) {
            var lines = rest(out, process);
            assertTrue(lines.isEmpty() || lines.equals(List.of("begun", "done")), lines::toString);
            assertEquals(0, process.exitValue());
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void anExitInTheMidstOfItAllIsNoCrash() throws Exception {
        var process = begin("memory:", "exit");
        try (var out = process.inputReader()) {
            var lines = rest(out, process);
            assertEquals(7, process.exitValue(), lines::toString);
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void aProgramThatIsDoneEndsByItself() throws Exception {
        var process = begin("memory:", "finish");
        try (var out = process.inputReader()) {
            assertEquals(List.of("begun", "done", "result"), rest(out, process));
            assertEquals(0, process.exitValue());
        } finally {
            process.destroyForcibly();
        }
    }
}
