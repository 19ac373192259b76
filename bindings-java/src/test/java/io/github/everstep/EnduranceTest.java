package io.github.everstep;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What must not pile up or be lost: calls that are given up, workers that close under load, a long run. */
@Timeout(120)
class EnduranceTest {
    private static final Duration LONG = Duration.ofSeconds(30);
    /** How long the long run is. */
    private static final int SOAK_SECONDS = Integer.parseInt(System.getenv().getOrDefault("SOAK_SECONDS", "20"));
    private static final long MEGABYTE = 1_000_000;

    @TempDir
    private Path folder;

    @Test
    void callsThatAreGivenUpLeaveNothingInTheCoreAndTheWorkflowGoesOn() throws Exception {
        var waits = Workflow.of("waits", Void.class, Integer.class, (ctx, none) -> ctx.waitForEvent("go", Integer.class).await());
        try (var client = Client.create("memory:");
                var worker = Worker.builder(client).workflows(waits).start()) {
            worker.awaitReady(LONG);
            var handle = client.startWorkflow(waits, null);
            handle.waitForStart(LONG);
            for (int round = 0; round < 5; round++) {
                var calls = IntStream.range(0, 200).mapToObj(call -> handle.async().result()).toList();
                var given = new AtomicInteger();
                var threads = IntStream.range(0, 50).mapToObj(thread -> Thread.ofVirtual().start(() -> {
                    assertThrows(OperationCancelledException.class, handle::result);
                    given.incrementAndGet();
                })).toList();
                for (var call : calls) assertTrue(call.cancel(true));
                for (var thread : threads) thread.interrupt();
                for (var call : calls) assertThrows(CancellationException.class, call::join);
                for (var thread : threads) assertTrue(thread.join(LONG));
                assertEquals(50, given.get());
                assertEquals(0, client.calls().underWay());
            }
            assertEquals(RuntimeStatus.RUNNING, handle.state().runtimeStatus());
            handle.raiseEvent("go", 7);
            assertEquals(7, handle.result(LONG));
        }
    }

    /** Five activities, one after the other. */
    private static final Workflow<Integer, Integer> ADDS = Workflow.of("adds", Integer.class, Integer.class, (ctx, n) -> {
        int sum = n;
        for (int step = 0; step < 5; step++) sum = ctx.callActivity("add", sum, Integer.class).await();
        return sum;
    });

    private static Worker adder(Client client, AtomicInteger ran) {
        return Worker.builder(client)
                .workflows(ADDS)
                .activity("add", Integer.class, Integer.class, (ctx, n) -> {
                    ran.incrementAndGet();
                    return n + 1;
                })
                .closeOnShutdown(false)
                .start();
    }

    @Test
    void whatClosesUnderLoadLosesNothing() throws Exception {
        var endpoint = "sqlite:" + folder.resolve("load.db");
        var ids = IntStream.range(0, 300).mapToObj(n -> "adds-" + n).toList();
        var ran = new AtomicInteger();
        try (var client = Client.create(endpoint)) {
            for (var id : ids) client.startWorkflow(ADDS, ids.indexOf(id), StartOptions.instanceId(id));
        }
        for (int round = 0; round < 8; round++) {
            var client = Client.create(endpoint);
            var worker = adder(client, ran);
            for (int until = ran.get() + 100; ran.get() < until && !isDone(client, ids); ) Thread.onSpinWait();
            // In every other round the client goes first.
            if (round % 2 == 0) client.close();
            worker.close(round % 4 < 2 ? LONG : Duration.ZERO);
            client.close();
            assertTrue(worker.isClosed());
        }
        try (var client = Client.create(endpoint);
                var worker = adder(client, ran)) {
            for (var id : ids) assertEquals(ids.indexOf(id) + 5, client.getHandle(id, Integer.class).result(LONG));
            assertEquals(Map.of(RuntimeStatus.COMPLETED, (long) ids.size()), client.countWorkflows(Filter.all()));
            assertTrue(worker.isReady());
        }
    }

    private static boolean isDone(Client client, List<String> ids) {
        return client.countWorkflows(Filter.all()).getOrDefault(RuntimeStatus.COMPLETED, 0L) == ids.size();
    }

    @Test
    void clientsOfOneProcessShareTheEngineOfAFile() {
        var endpoint = "sqlite:" + folder.resolve("shared.db");
        var ran = List.of(new AtomicInteger(), new AtomicInteger(), new AtomicInteger());
        var clients = ran.stream().map(counter -> Client.create(endpoint)).toList();
        var workers = IntStream.range(0, 3).mapToObj(i -> adder(clients.get(i), ran.get(i))).toList();
        try {
            var handles = IntStream.range(0, 60).mapToObj(n -> clients.get(n % 3).startWorkflow(ADDS, n)).toList();
            for (int n = 0; n < 60; n++) assertEquals(n + 5, handles.get(n).result(LONG));
            assertEquals(Map.of(RuntimeStatus.COMPLETED, 60L), clients.getFirst().countWorkflows(Filter.all()));
            assertEquals(300, ran.stream().mapToInt(AtomicInteger::get).sum());
            // One is closed, and the others go on.
            workers.getFirst().close();
            clients.getFirst().close();
            int before = ran.getFirst().get();
            assertEquals(12, clients.getLast().startWorkflow(ADDS, 7).result(LONG));
            assertEquals(before, ran.getFirst().get());
        } finally {
            workers.forEach(Worker::close);
            clients.forEach(Client::close);
        }
    }

    /** As two applications in one server have it: each has loaded the library itself. */
    @Test
    void twoCopiesOfTheLibraryDoNotShareAFile() throws Exception {
        var endpoint = "sqlite:" + folder.resolve("apart.db");
        var urls = new ArrayList<URL>();
        for (var entry : Jvm.classPath().split(File.pathSeparator)) urls.add(Path.of(entry).toUri().toURL());
        try (var loader = new URLClassLoader(urls.toArray(URL[]::new), ClassLoader.getPlatformClassLoader());
                var client = Client.create(endpoint);
                var worker = adder(client, new AtomicInteger())) {
            assertTrue(worker.isReady());
            var other = loader.loadClass(Other.class.getName());
            assertTrue(other != Other.class);
            assertEquals("store_locked", other.getMethod("open", String.class).invoke(null, endpoint));
            assertEquals("4", other.getMethod("open", String.class).invoke(null, "sqlite:" + folder.resolve("own.db")));
            assertEquals(6, client.startWorkflow(ADDS, 1).result(LONG));
        }
    }

    /** What the other copy does: it runs a workflow, or says why not. */
    public static final class Other {
        private Other() {}

        public static String open(String endpoint) {
            try (var client = Client.create(endpoint);
                    var worker = Worker.builder(client)
                            .workflow("w", Integer.class, Integer.class, (ctx, n) -> n + 1)
                            .closeOnShutdown(false)
                            .start()) {
                worker.awaitReady(LONG);
                return String.valueOf(client.startWorkflow("w", 3, Integer.class, StartOptions.none()).result(LONG));
            } catch (EverstepException error) {
                return error.code();
            }
        }
    }

    @Test
    void whatNobodyWaitsForEndsNobody() {
        var heard = new ConcurrentLinkedQueue<Throwable>();
        var before = Thread.getDefaultUncaughtExceptionHandler();
        Thread.setDefaultUncaughtExceptionHandler((thread, error) -> heard.add(error));
        var strays = Workflow.of("strays", Void.class, String.class, (ctx, none) -> {
            ctx.callActivity("fails", null, String.class);
            ctx.async((Runnable) () -> {
                throw new AssertionError("of a branch");
            });
            ctx.sleep(Duration.ofMillis(20));
            return ctx.callActivity("echo", "done", String.class).await();
        });
        try (var client = Client.create("memory:");
                var worker = Worker.builder(client)
                        .workflows(strays)
                        .activity("fails", Void.class, String.class, (ctx, none) -> {
                            throw new StackOverflowError();
                        })
                        .activity("echo", String.class, String.class, (ctx, text) -> text)
                        .start()) {
            assertEquals("done", client.startWorkflow(strays, null).result(LONG));
            var attached = client.async().startWorkflow(strays, null).thenCompose(AsyncWorkflowHandle::result);
            CompletableFuture<Void> wrong = attached.thenAccept(done -> {
                throw new IllegalStateException("of the program");
            });
            var error = assertThrows(Exception.class, () -> wrong.get(20, TimeUnit.SECONDS));
            assertInstanceOf(IllegalStateException.class, error.getCause());
            assertEquals("done", client.startWorkflow(strays, null).result(LONG));
            assertTrue(worker.isReady());
        } finally {
            Thread.setDefaultUncaughtExceptionHandler(before);
        }
        assertEquals(List.of(), List.copyOf(heard));
    }

    @Test
    void clientsAndWorkersThatAreClosedGiveBackThreadsAndFiles() throws Exception {
        var said = said(Jvm.of(Soak.OPTIONS, Soak.class, "close", folder.toString()));
        var counts = said.getLast().split(" ");
        assertTrue(Integer.parseInt(counts[0]) <= 0, () -> counts[0] + " threads more");
        assertTrue(Integer.parseInt(counts[1]) <= 0, () -> counts[1] + " files more");
    }

    @Test
    void nothingGrowsInALongRunOfEverything() throws Exception {
        var marks = said(Jvm.of(Soak.OPTIONS, Soak.class, "soak", folder.toString(), String.valueOf(SOAK_SECONDS)))
                .stream()
                .map(line -> Arrays.stream(line.split(" ")).mapToLong(Long::parseLong).toArray())
                .toList();
        assertTrue(marks.size() >= 4, () -> marks.size() + " looks");
        // The first third is warm-up.
        var first = marks.get((marks.size() + 2) / 3);
        var last = marks.getLast();
        assertTrue(last[0] - first[0] < 2 * MEGABYTE, () -> "the heap has grown by " + (last[0] - first[0]) + " bytes");
        assertTrue(last[1] - first[1] < 24 * MEGABYTE, () -> "the process has grown by " + (last[1] - first[1]) + " bytes");
        assertTrue(last[2] - first[2] <= 2, () -> last[2] - first[2] + " threads more");
        assertTrue(last[3] - first[3] <= 0, () -> last[3] - first[3] + " files more");
    }

    /** What a program prints, which ends well. */
    private static List<String> said(ProcessBuilder program) throws Exception {
        var process = program.redirectError(ProcessBuilder.Redirect.INHERIT).start();
        try (var out = process.inputReader()) {
            var lines = out.lines().toList();
            assertTrue(process.waitFor(60, TimeUnit.SECONDS));
            assertEquals(0, process.exitValue(), lines::toString);
            return lines;
        } finally {
            process.destroyForcibly();
        }
    }
}
