package io.github.everstep.faults;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What tasks did, in the order in which they did it, also in other processes: a file outside of any engine. */
record Ledger(Path path) {
    /** How long anything may take until a test calls it lost. */
    static final Duration PATIENCE = Duration.ofSeconds(60);

    private static final long LOOK_MS = 20;

    void note(String instanceId, int step) {
        try {
            Files.writeString(path, instanceId + " " + step + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    /** An instance and a step each. */
    List<String> effects() {
        try {
            return Files.exists(path) ? Files.readAllLines(path) : List.of();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    /** How often each step of each instance ran. */
    Map<String, Integer> runs() {
        var runs = new TreeMap<String, Integer>();
        for (var effect : effects()) runs.merge(effect, 1, Integer::sum);
        return runs;
    }

    /** Waits until there are so many effects. Other processes write too, so it looks. */
    void await(int count) throws InterruptedException {
        for (long end = System.nanoTime() + PATIENCE.toNanos(); effects().size() < count; Thread.sleep(LOOK_MS)) {
            if (System.nanoTime() > end) throw new AssertionError(effects().size() + " of " + count + " after " + PATIENCE);
        }
    }
}
