package io.github.everstep.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.github.everstep.conformance.Cases.Run;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Runs the cases of {@code conformance/} through this library; {@code conformance/README.md} says what a case is.
 *
 * <p>Each runs cached, replayed ({@code maxCached} 0) and restarted (after every step), on {@code memory:} and
 * {@code sqlite:}. Unknown steps, keys and needs are errors, as are skips that {@code coverage.json} gives no reason for. All
 * runs of a case must leave the same histories. The environment's {@code CASES} is what the names of those begin with that
 * run; without it all do.
 */
class ConformanceTest {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    /** What the first run of each case left, and which run that was. */
    private static final Map<String, Left> FIRST = new HashMap<>();

    private record Left(Run run, Map<String, List<String>> records) {}

    @Test
    void thereAreCasesAndEachHasItsFormat() {
        Cases.check();
    }

    @Test
    void everyFeatureRunsInEveryMode() {
        assertEquals(Cases.listedCells(), Cases.emptyCells());
    }

    @TestFactory
    DynamicContainer cases() {
        var only = System.getenv().getOrDefault("CASES", "");
        var tests = Cases.RUNS.stream()
                .filter(run -> run.of().name().startsWith(only))
                .map(run -> dynamicTest(run.toString(), () -> assertTimeoutPreemptively(PATIENCE, () -> named(run))));
        var name = Cases.RUNS.size() + " runs of " + Cases.ALL.size() + " cases";
        System.out.println(name);
        return dynamicContainer(name, tests);
    }

    /** Maven shows a dynamic test's number alone. */
    private static void named(Run run) {
        try {
            take(run);
        } catch (Throwable error) {
            throw new AssertionError(run + ": " + error, error);
        }
    }

    private static void take(Run run) throws Exception {
        Map<String, List<String>> records = null;
        try (var world = new World(run.place(), run.mode())) {
            world.openWorker("main", run.of().fixtures());
            var steps = new Steps(world);
            int taken = 0;
            for (var step : run.of().steps()) {
                steps.take(step);
                if (run.mode().equals("restarted") && ++taken < run.of().steps().size()) world.restart();
            }
            // Random values differ from run to run by design.
            boolean payloads = !run.of().feature().equals("determinism");
            if (!world.client().isClosed()) records = Records.of(world.client(), world.names.get("id"), payloads);
        }
        if (records == null) return;
        var first = FIRST.putIfAbsent(run.of().name(), new Left(run, records));
        if (first != null) assertEquals(first.records(), records, () -> run + " left another history than " + first.run());
    }
}
