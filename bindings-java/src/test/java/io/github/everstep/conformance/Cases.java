package io.github.everstep.conformance;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** The cases of {@code conformance/cases}, and which of them run where. */
final class Cases {
    static final List<String> MODES = List.of("cached", "replayed", "restarted", "awaited");
    static final List<String> EMBEDDED = List.of("memory:", "sqlite:");
    static final List<String> ON_DAPR = List.of("dapr_grpc", "dapr_http");
    static final Map<String, Map<String, Object>> FIXTURES = fixtures();
    static final List<Case> ALL = all();
    private static final Map<String, Object> COVERAGE = Json.file("coverage.json");
    private static final Map<String, Set<String>> CAPABILITIES =
            ON_DAPR.stream().collect(Collectors.toMap(place -> place, Cases::capabilities));
    private static final Set<String> KEYS =
            Set.of("name", "feature", "kind", "about", "needs", "slow", "no_restart", "fixtures", "steps");
    static final List<Run> RUNS = runs(EMBEDDED, MODES);

    private Cases() {}

    /** One behaviour. */
    record Case(Map<String, Object> fields) {
        String name() {
            return (String) fields.get("name");
        }

        String feature() {
            return (String) fields.get("feature");
        }

        List<String> fixtures() {
            return Json.texts(fields.get("fixtures"));
        }

        List<Map<String, Object>> steps() {
            return Json.objects(fields.get("steps"));
        }

        List<String> needs() {
            return Json.texts(fields.get("needs"));
        }
    }

    /** One way to run a case: on a store, in a mode. */
    record Run(Case of, String place, String mode) {
        @Override
        public String toString() {
            return of.name() + " " + place + " " + mode;
        }
    }

    /** Fails on cases that have not their format, and if there are hardly any. */
    static void check() {
        if (ALL.size() < 60) throw new AssertionError("only " + ALL.size() + " cases");
        var known = new TreeSet<>(capabilities("embedded"));
        for (var skip : skips()) if (skip.get("need") instanceof String need) known.add(need);
        for (var one : ALL) {
            Json.only(one.fields(), KEYS);
            if (!known.containsAll(one.needs())) throw new AssertionError(one.name() + " needs " + one.needs());
            if (!FIXTURES.keySet().containsAll(one.fixtures())) throw new AssertionError(one.name() + ": " + one.fixtures());
        }
    }

    /** The cells of the table feature × (happy, error, modes) in which nothing runs. */
    static Set<String> emptyCells() {
        var cells = new TreeSet<String>();
        for (var one : ALL) {
            cells.add(one.feature() + " happy");
            cells.add(one.feature() + " error");
            for (var mode : MODES) cells.add(one.feature() + " " + mode);
        }
        for (var run : RUNS) {
            cells.remove(run.of().feature() + " " + run.mode());
            cells.remove(run.of().feature() + " " + run.of().fields().get("kind"));
        }
        return cells;
    }

    /** The empty cells that {@code coverage.json} gives a reason for. */
    static Set<String> listedCells() {
        var cells = new TreeSet<String>();
        for (var row : Json.objects(COVERAGE.get("empty"))) cells.add(row.get("feature") + " " + row.get("cell"));
        return cells;
    }

    static boolean isOnDapr(String place) {
        return ON_DAPR.contains(place);
    }

    /** What runs on these places in these modes: all of a place before the next one. */
    static List<Run> runs(List<String> places, List<String> modes) {
        var runs = new ArrayList<Run>();
        for (var place : places) {
            for (var one : ALL) {
                for (var mode : modes) if (skipped(one, place, mode).isEmpty()) runs.add(new Run(one, place, mode));
            }
        }
        return List.copyOf(runs);
    }

    /** What a column of {@code capabilities.json} has: on Dapr in the version that the differences are about. */
    private static Set<String> capabilities(String column) {
        var known = new TreeSet<String>();
        for (var row : Json.objects(Json.file("capabilities.json").get("capabilities"))) {
            boolean has = row.get(column) instanceof String since && (!isOnDapr(column) || isSince(since));
            if (has) known.add((String) row.get("name"));
        }
        return known;
    }

    private static boolean isSince(String version) {
        return Runtime.Version.parse(version).compareTo(Runtime.Version.parse(Differences.RUNTIME)) <= 0;
    }

    /** The listed reason why a case is not run here. */
    private static Optional<String> skipped(Case one, String place, String mode) {
        if (mode.equals("restarted") && one.fields().get("no_restart") instanceof String reason) return Optional.of(reason);
        boolean first = mode.equals("cached") && !place.equals("sqlite:");
        boolean again = one.fields().containsKey("slow") && !first;
        return skips().stream()
                .filter(skip -> skip.getOrDefault("runner", "java").equals("java"))
                .filter(skip -> skip.getOrDefault("case", one.name()).equals(one.name()))
                .filter(skip -> skip.getOrDefault("endpoint", place).equals(place))
                .filter(skip -> skip.getOrDefault("mode", mode).equals(mode))
                .filter(skip -> !skip.containsKey("need") || one.needs().contains(skip.get("need")))
                .filter(skip -> !skip.containsKey("step")
                        || one.steps().stream().anyMatch(step -> step.get("do").equals(skip.get("step"))))
                .filter(skip -> skip.get("slow") != Boolean.TRUE || again)
                .map(skip -> Objects.requireNonNull((String) skip.get("reason")))
                .findFirst()
                .or(() -> isOnDapr(place) ? skippedOnDapr(one, place) : Optional.empty());
    }

    private static Optional<String> skippedOnDapr(Case one, String place) {
        var lacking = new TreeSet<>(one.needs());
        lacking.removeAll(CAPABILITIES.get(place));
        if (!lacking.isEmpty()) return Optional.of("Dapr has no " + lacking.first());
        return Differences.isSkipped(one, place) ? Optional.of("a difference of Dapr") : Optional.empty();
    }

    private static List<Map<String, Object>> skips() {
        return Json.objects(COVERAGE.get("skips"));
    }

    private static List<Case> all() {
        try (var files = Files.list(Json.CONFORMANCE.resolve("cases"))) {
            var names = files.map(path -> path.getFileName().toString()).filter(name -> name.endsWith(".json"));
            return names.sorted().map(name -> new Case(Json.file("cases/" + name))).toList();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private static Map<String, Map<String, Object>> fixtures() {
        var fixtures = new LinkedHashMap<String, Map<String, Object>>();
        for (var fixture : Json.objects(Json.file("fixtures.json").get("workflows"))) {
            var variant = fixture.get("variant");
            fixtures.put(fixture.get("name") + (variant == null ? "" : "@" + variant), fixture);
        }
        return fixtures;
    }
}
