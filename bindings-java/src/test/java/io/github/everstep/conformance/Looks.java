package io.github.everstep.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.everstep.BulkOptions;
import io.github.everstep.Filter;
import io.github.everstep.History;
import io.github.everstep.HistoryEvent;
import io.github.everstep.ListOptions;
import io.github.everstep.RuntimeStatus;
import io.github.everstep.WorkflowState;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;

/** The steps that look at many instances, at histories and at changes. */
final class Looks {
    private final World world;

    Looks(World world) {
        this.world = world;
    }

    void bulk(Step step) {
        var seen = new ArrayList<Long>();
        var options = BulkOptions.progress(seen::add);
        if (step.has("output")) options = options.withOutput(Json.present(step.get("output")));
        if (step.has("recursive")) options = options.withRecursive(step.flag("recursive", true));
        if (step.has("reason")) options = options.withReason(step.text("reason"));
        var client = world.client();
        var filter = filter(step);
        long count = switch (step.text("action")) {
            case "purge" -> client.purgeWorkflows(filter, options);
            case "terminate" -> client.terminateWorkflows(filter, options);
            case "pause" -> client.pauseWorkflows(filter, options);
            case "resume" -> client.resumeWorkflows(filter, options);
            default -> throw new IllegalArgumentException("unknown action " + step.text("action"));
        };
        assertEquals(seen.stream().sorted().toList(), seen);
        assertEquals(count, seen.getLast());
        if (step.has("expect")) States.same(Map.of("count", count), step.expected());
    }

    void count(Step step) {
        var counts = new TreeMap<String, Object>();
        world.client().countWorkflows(filter(step)).forEach((status, count) -> counts.put(status.name(), count));
        if (step.has("expect")) States.same(counts, step.expected());
    }

    void list(Step step) {
        int limit = (int) Json.number(step.fields().getOrDefault("limit", 100));
        var options = ListOptions.pageSize(limit).withPayloads(step.flag("payloads", false));
        var states = listed(filter(step), options);
        var expected = step.expected();
        if (expected == null) return;
        var ids = Json.texts(expected.get("ids"));
        if ("any".equals(expected.get("order"))) states.sort(Comparator.comparingInt(state -> ids.indexOf(state.instanceId())));
        assertEquals(ids, states.stream().map(WorkflowState::instanceId).toList());
        if (expected.containsKey("states")) States.all(states, expected.get("states"));
        if (expected.containsKey("pages")) {
            assertEquals(Json.number(expected.get("pages")), Math.max(1, (states.size() + limit - 1) / limit));
        }
    }

    private List<WorkflowState> listed(Filter filter, ListOptions options) {
        var states = new ArrayList<WorkflowState>();
        String cursor = null;
        do {
            var page = world.reader().listWorkflowsPage(filter, options, cursor);
            states.addAll(page.states());
            cursor = page.cursor();
        } while (cursor != null);
        return states;
    }

    void history(Step step) {
        var history = world.reader().getWorkflowHistory(step.id());
        var expected = step.expected();
        if (expected == null) return;
        Json.only(expected, List.of("kinds", "order", "children"));
        if (expected.containsKey("children")) {
            var tree = world.reader().getWorkflowHistory(step.id(), 64);
            assertEquals(expected.get("children"), below(tree).sorted().toList());
        }
        // WorkflowStarted says only how turns were cut.
        var kinds = history.events().stream().map(HistoryEvent::type).filter(type -> !type.equals("WorkflowStarted"));
        boolean any = "any".equals(expected.get("order"));
        var wanted = Json.texts(expected.get("kinds")).stream();
        assertEquals((any ? wanted.sorted() : wanted).toList(), (any ? kinds.sorted() : kinds).toList());
    }

    /** The names of all workflows below this one. */
    private static Stream<String> below(History history) {
        return history.childIds().stream().map(history::child).filter(Objects::nonNull)
                .flatMap(child -> Stream.concat(Stream.of(child.eventsOf("ExecutionStarted").getFirst().name()), below(child)));
    }

    void watch(Step step) throws Exception {
        var name = step.text("as");
        var watch = name == null ? null : world.watches.get(name);
        if (watch == null) watch = world.client().watchWorkflow(step.id());
        var states = new ArrayList<WorkflowState>();
        boolean found = false;
        for (WorkflowState next; !found && (next = watch.next()) != null; ) {
            if (!states.isEmpty()) assertFalse(states.getLast().runtimeStatus().isTerminal());
            states.add(next);
            found = step.has("until") && States.fits(states.getLast(), step.get("until"));
        }
        if (!found) {
            assertFalse(step.has("until"), states::toString);
            assertTrue(states.isEmpty() || states.getLast().runtimeStatus().isTerminal());
        }
        if (name == null) watch.close();
        else world.watches.put(name, watch);
        if (!step.has("expect")) return;
        Json.only(step.expected(), List.of("last", "states"));
        States.check(states.getLast(), step.expected().get("last"));
        if (step.expected().containsKey("states")) {
            assertEquals(Json.array(step.expected().get("states")).size(), states.size(), states::toString);
            States.all(states, step.expected().get("states"));
        }
    }

    private Filter filter(Step step) {
        var filter = Filter.all();
        if (!step.has("filter")) return filter;
        for (var given : Json.object(step.get("filter")).entrySet()) {
            filter = switch (given.getKey()) {
                case "name" -> filter.withName((String) given.getValue());
                case "parent" -> filter.withParentInstanceId((String) given.getValue());
                case "created_from" -> filter.withCreatedFrom(createdAt((String) given.getValue()));
                case "created_to" -> filter.withCreatedTo(createdAt((String) given.getValue()));
                case "statuses" -> filter.withStatus(
                        Json.texts(given.getValue()).stream().map(RuntimeStatus::valueOf).toArray(RuntimeStatus[]::new));
                default -> throw new IllegalArgumentException("unknown key " + given.getKey());
            };
        }
        return filter;
    }

    /** A moment is named by the instance that was created then. */
    private Instant createdAt(String id) {
        return world.client().getWorkflow(id).createdAt();
    }
}
