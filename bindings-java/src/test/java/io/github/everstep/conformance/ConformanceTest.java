package io.github.everstep.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.github.everstep.Codec;
import io.github.everstep.JacksonCodec;
import io.github.everstep.conformance.Cases.Run;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Runs the cases of {@code conformance/} through this library; {@code conformance/README.md} says what a case is.
 *
 * <p>Each runs cached, replayed ({@code maxCached} 0) and restarted (after every step), on {@code memory:} and
 * {@code sqlite:}. Unknown steps, keys and needs are errors, as are skips that {@code coverage.json} gives no reason for. All
 * runs of a case must leave the same histories. All run once more on {@code memory:} with a codec that seals. The environment's {@code CASES} is what the names of those begin with that
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
        var name = Cases.RUNS.size() + " runs of " + Cases.ALL.size() + " cases";
        System.out.println(name);
        return tests(name, Cases.RUNS.stream(), run -> {
            var records = take(run, JacksonCodec.create());
            if (records == null) return;
            var first = FIRST.putIfAbsent(run.of().name(), new Left(run, records));
            if (first != null) assertEquals(first.records(), records, () -> "it left another history than " + first.run());
        });
    }

    /** What is stored shows in histories, with random IDs in it, so those are not compared. */
    @TestFactory
    DynamicContainer casesWithACodecThatSeals() {
        var runs = Cases.RUNS.stream().filter(run -> run.place().equals("memory:")).toList();
        return tests(runs.size() + " runs with a codec", runs.stream(), run -> take(run, new Reversing()));
    }

    /** A way to take a run. */
    private interface Taking {
        void take(Run run) throws Exception;
    }

    private static DynamicContainer tests(String name, Stream<Run> runs, Taking taking) {
        var only = System.getenv().getOrDefault("CASES", "");
        return dynamicContainer(name, runs.filter(run -> run.of().name().startsWith(only)).map(run -> dynamicTest(
                run.toString(), () -> assertTimeoutPreemptively(PATIENCE, () -> named(run, taking)))));
    }

    /** Maven shows a dynamic test's number alone. */
    private static void named(Run run, Taking taking) {
        try {
            taking.take(run);
        } catch (Throwable error) {
            throw new AssertionError(run + ": " + error, error);
        }
    }

    /** Takes a case's steps; gives what it left, or null if it closed its client. */
    private static Map<String, List<String>> take(Run run, Codec codec) throws Exception {
        try (var world = new World(run.place(), run.mode(), codec)) {
            world.openWorker("main", run.of().fixtures());
            var steps = new Steps(world);
            int taken = 0;
            for (var step : run.of().steps()) {
                steps.take(step);
                if (run.mode().equals("restarted") && ++taken < run.of().steps().size()) world.restart();
            }
            // Random values differ from run to run by design.
            boolean payloads = !run.of().feature().equals("determinism");
            return world.client().isClosed() ? null : Records.of(world.client(), world.names.get("id"), payloads);
        }
    }
}
