package io.github.everstep.conformance;

import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.github.everstep.conformance.Cases.Run;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DynamicContainer;

/** Takes runs side by side, as most of a run is waiting. Each shows as a test, which waits for its run. */
final class Lanes {
    /** For a run and those that are under way before it. */
    private static final long PATIENCE_MINUTES = 10;

    private final Queue<Run> waiting = new ConcurrentLinkedQueue<>();
    private final LinkedHashMap<Run, CompletableFuture<Void>> runs = new LinkedHashMap<>();
    private final AtomicInteger open;

    /** What takes one run at a time. */
    interface Lane extends AutoCloseable {
        void take(Run run) throws Exception;

        /** Whether it can take no more. */
        default boolean isLost() {
            return false;
        }

        @Override
        default void close() throws Exception {}
    }

    private Lanes(List<Run> runs, int lanes) {
        var only = System.getenv().getOrDefault("CASES", "");
        for (var run : runs) if (run.of().name().startsWith(only)) this.runs.put(run, new CompletableFuture<>());
        waiting.addAll(this.runs.keySet());
        open = new AtomicInteger(lanes);
    }

    /** The runs as tests; those begin with the environment's {@code CASES}. They begin now. */
    static DynamicContainer tests(String name, List<Run> runs, List<? extends Lane> open) {
        var lanes = new Lanes(runs, open.size());
        for (var lane : open) Thread.ofPlatform().daemon().name("lane").start(() -> lanes.work(lane));
        return dynamicContainer(name, lanes.runs.entrySet().stream()
                .map(run -> dynamicTest(run.getKey().toString(), () -> await(run.getKey(), run.getValue()))));
    }

    private void work(Lane lane) {
        try (lane) {
            while (!lane.isLost()) {
                var run = waiting.poll();
                if (run == null) break;
                try {
                    lane.take(run);
                    runs.get(run).complete(null);
                } catch (Throwable error) {
                    runs.get(run).completeExceptionally(error);
                }
            }
        } catch (Exception closing) {
            throw new AssertionError(closing);
        } finally {
            if (open.decrementAndGet() == 0) {
                runs.values().forEach(run -> run.completeExceptionally(new AssertionError("no lane is left")));
            }
        }
    }

    /** Maven shows a dynamic test's number alone. */
    private static void await(Run run, CompletableFuture<Void> taken) throws Exception {
        try {
            taken.get(PATIENCE_MINUTES, TimeUnit.MINUTES);
        } catch (ExecutionException error) {
            throw new AssertionError(run + ": " + error.getCause(), error.getCause());
        }
    }
}
