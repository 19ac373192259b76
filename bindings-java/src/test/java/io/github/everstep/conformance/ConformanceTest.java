package io.github.everstep.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import io.github.everstep.Codec;
import io.github.everstep.JacksonCodec;
import io.github.everstep.conformance.Cases.Run;
import io.github.everstep.conformance.Lanes.Lane;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Runs the cases of {@code conformance/} through this library; {@code conformance/README.md} says what a case is.
 *
 * <p>Each runs cached, replayed ({@code maxCached} 0), restarted (after every step) and awaited (through {@code
 * AsyncClient}), on {@code memory:} and {@code sqlite:}. Unknown steps, keys and needs are errors, as are skips that
 * {@code coverage.json} gives no reason for. All runs of a case must leave the same histories. All run once more on
 * {@code memory:} with a codec that seals. The environment's {@code CASES} is what the names of those begin with that
 * run; without it all do.
 */
class ConformanceTest {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final int SIDE_BY_SIDE = 4;

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
        var taking = new Taking(false);
        return tests(name, Cases.RUNS, run -> taking.compare(run, take(taking, run, JacksonCodec.create())));
    }

    /** What is stored shows in histories, with random IDs in it, so those are not compared. */
    @TestFactory
    DynamicContainer casesWithACodecThatSeals() {
        var runs = Cases.RUNS.stream().filter(run -> run.place().equals("memory:")).toList();
        var taking = new Taking(false);
        return tests(runs.size() + " runs with a codec", runs, run -> take(taking, run, new Reversing()));
    }

    private static DynamicContainer tests(String name, List<Run> runs, Lane lane) {
        Lane patient = run -> assertTimeoutPreemptively(PATIENCE, () -> lane.take(run));
        return Lanes.tests(name, runs, Collections.nCopies(SIDE_BY_SIDE, patient));
    }

    private static Map<String, List<String>> take(Taking taking, Run run, Codec codec) throws Exception {
        try (var world = new World(run, codec, null)) {
            world.openWorker("main", run.of().fixtures());
            return taking.steps(run, world);
        }
    }
}
