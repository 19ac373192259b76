package io.github.everstep;

import java.io.File;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;

/** Programs that look at themselves: what of their memory, threads and files grows while they work. */
final class Soak {
    /** A heap of one size, all of which is there from the beginning: what the process grows by is not Java's. */
    static final List<String> OPTIONS = List.of("-Xms128m", "-Xmx128m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC");

    private static final Duration LONG = Duration.ofSeconds(30);
    private static final int LANES = 64;
    private static final int PAGE_BYTES = 4096;

    private Soak() {}

    public static void main(String[] arguments) throws Exception {
        var folder = Path.of(arguments[1]);
        if (arguments[0].equals("close")) close(folder);
        else soak(folder, Integer.parseInt(arguments[2]));
    }

    private static int count(String which) {
        var names = new File("/proc/self/" + which).list();
        return names == null ? 0 : names.length;
    }

    /** Opens and closes clients and workers; prints how many threads and files there are more than after the first. */
    private static void close(Path folder) throws Exception {
        for (int n = 0; n < 5; n++) once(folder, n);
        int threads = count("task"), files = count("fd");
        for (int n = 0; n < 40; n++) once(folder, n);
        // What ends takes a moment to be gone.
        for (int look = 0; look < 200 && (count("task") > threads || count("fd") > files); look++) {
            System.gc();
            Thread.sleep(50);
        }
        System.out.println(count("task") - threads + " " + (count("fd") - files));
    }

    private static void once(Path folder, int number) {
        try (var client = Client.create("sqlite:" + folder.resolve("closed-" + number + ".db"));
                var worker = Worker.builder(client)
                        .workflow("w", Void.class, Integer.class, (ctx, none) -> 1)
                        .start()) {
            worker.awaitReady(LONG);
            client.startWorkflow("w", null).result(LONG);
        }
    }

    private static WorkerBuilder worker(Client client) {
        return Worker.builder(client)
                .workflow("child", Integer.class, Integer.class, (ctx, n) -> ctx.callActivity("add", n, Integer.class).await())
                .workflow("mixed", Integer.class, Integer.class, (ctx, n) -> {
                    var one = ctx.callActivity("add", n, Integer.class);
                    var other = ctx.callChild("child", n, Integer.class);
                    ctx.all(one, other).await();
                    ctx.any(ctx.timer(Duration.ofMillis(2)), ctx.waitForEvent("never", Integer.class)).await();
                    ctx.allSettled(List.of(ctx.callActivity("fails", null, Integer.class))).await();
                    int event = ctx.waitForEvent("go", Integer.class).await();
                    ctx.setCustomStatus(List.of(event));
                    return one.await() + other.await() + event;
                })
                .activity("add", Integer.class, Integer.class, (ctx, n) -> n + 1)
                .activity("fails", Void.class, Integer.class, (ctx, none) -> {
                    throw new IllegalStateException("no");
                })
                .maxCached(20);
    }

    /** Runs some of everything for so long; prints heap, memory, threads and files from time to time. */
    private static void soak(Path folder, int seconds) throws Exception {
        try (var client = Client.builder()
                        .endpoint("sqlite:" + folder.resolve("soak.db"))
                        .durability(Durability.PROCESS)
                        .build();
                var worker = worker(client).start()) {
            worker.awaitReady(LONG);
            long end = System.nanoTime() + Duration.ofSeconds(seconds).toNanos(), next = System.nanoTime();
            while (System.nanoTime() < end) {
                var lanes = IntStream.range(0, LANES).mapToObj(lane -> lane(client, lane)).toList();
                for (var lane : lanes) lane.get();
                client.purgeWorkflows(Filter.all());
                if (System.nanoTime() < next) continue;
                next = System.nanoTime() + Duration.ofSeconds(seconds).toNanos() / 10;
                look();
            }
        }
    }

    private static CompletableFuture<Void> lane(Client client, int lane) {
        return client.async().startWorkflow("mixed", lane, Integer.class, StartOptions.none())
                .thenCompose(handle -> handle.raiseEvent("go", 1).thenCompose(raised -> handle.result(LONG)))
                .thenAccept(found -> {
                    if (found != 2 * lane + 3) throw new AssertionError(lane + " gave " + found);
                });
    }

    private static void look() throws Exception {
        for (int collection = 0; collection < 3; collection++) System.gc();
        long heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
        var memory = Path.of("/proc/self/statm");
        long resident = Files.exists(memory) ? Long.parseLong(Files.readString(memory).split(" ")[1]) * PAGE_BYTES : 0;
        System.out.println(heap + " " + resident + " " + count("task") + " " + count("fd"));
    }
}
