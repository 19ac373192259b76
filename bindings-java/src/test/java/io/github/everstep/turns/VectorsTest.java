package io.github.everstep.turns;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.github.everstep.conformance.Json;
import io.github.everstep.conformance.Program;
import io.github.everstep.host.NamedUuids;
import io.github.everstep.host.SplitMix64;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The vectors of {@code conformance/bridge}, without an engine. */
class VectorsTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    /** What is not durable is told by how long it waits. */
    private static final Duration BLOCKED_AFTER = Duration.ofSeconds(1);

    @TestFactory
    Stream<DynamicTest> randomNumbersAndUuidsAreTheCores() {
        var runs = Json.objects(Json.file("bridge/random.json").get("runs"));
        assertTrue(runs.size() > 2);
        return runs.stream().map(run -> dynamicTest("run \"" + run.get("run") + "\"", () -> random(run)));
    }

    private static void random(Map<String, Object> vector) {
        long seed = Long.parseUnsignedLong((String) vector.get("seed"));
        var numbers = new SplitMix64(seed, () -> {});
        for (var number : Json.texts(vector.get("u64"))) assertEquals(number, Long.toUnsignedString(numbers.nextLong()));
        var floats = new SplitMix64(seed, () -> {});
        for (var number : Json.texts(vector.get("f64"))) assertEquals(Double.parseDouble(number), floats.nextDouble());
        var uuids = new NamedUuids((String) vector.get("run"));
        var made = Stream.generate(uuids::next).limit(12).map(UUID::toString).toList();
        assertEquals(vector.get("uuids"), List.of(made.get(0), made.get(1), made.get(2), made.get(11)));
    }

    @TestFactory
    Stream<DynamicTest> turnsAreAnsweredAsTheVectorsSay() {
        var file = Json.file("bridge/turns.json");
        var vectors = Json.objects(file.get("vectors"));
        assertTrue(vectors.size() > 10);
        return vectors.stream().map(vector -> dynamicTest(
                (String) vector.get("name"), () -> assertTimeoutPreemptively(PATIENCE, () -> turns(file, vector))));
    }

    private static void turns(Map<String, Object> file, Map<String, Object> vector) throws Exception {
        var fixture = new LinkedHashMap<String, Object>();
        fixture.put("name", "program");
        fixture.put("body", vector.get("body"));
        if (vector.containsKey("version")) fixture.put("version", vector.get("version"));
        try (var core = new ScriptedCore(BLOCKED_AFTER, List.of(Program.of(fixture)), List.of())) {
            int index = 0;
            for (var expected : Json.objects(vector.get("tasks"))) {
                var task = new LinkedHashMap<String, Object>();
                var token = String.valueOf(index++);
                task.put("t", token);
                task.put("id", file.get("id"));
                task.put("run", file.get("run"));
                task.put("more", expected.get("more"));
                task.put("jobs", expected.get("jobs"));
                core.give(Json.text(task));
                var answer = Json.object(Json.parse(core.answer(token).toString()));
                if (expected.containsKey("stall")) {
                    assertEquals(expected.get("stall"), Json.object(answer.get("stall")).get("code"));
                } else {
                    var steps = comparable(expected.getOrDefault("steps", List.of()));
                    var found = comparable(answer.get("steps"));
                    if (!Json.same(steps, found)) assertEquals(Json.text(steps), Json.text(found));
                }
            }
        }
    }

    /** Steps without stacks, and without what an absent key says as well. */
    private static List<Object> comparable(Object steps) {
        var all = new ArrayList<>();
        for (var step : Json.array(steps)) {
            var commands = new ArrayList<>();
            for (var given : Json.objects(step)) {
                var command = new LinkedHashMap<>(given);
                if (command.containsKey("error")) command.put("error", error(Json.object(command.get("error"))));
                command.remove("keep_events", true);
                command.entrySet().removeIf(entry -> entry.getValue() == Boolean.FALSE && !entry.getKey().equals("status"));
                commands.add(command);
            }
            all.add(commands);
        }
        return all;
    }

    private static Map<String, Object> error(Map<String, Object> given) {
        var error = new LinkedHashMap<>(given);
        error.remove("stack");
        error.remove("retryable", true);
        if (error.containsKey("cause")) error.put("cause", error(Json.object(error.get("cause"))));
        return error;
    }
}
