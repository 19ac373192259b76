package io.github.everstep.conformance;

import io.github.everstep.Client;
import io.github.everstep.Failure;
import io.github.everstep.Filter;
import io.github.everstep.HistoryEvent;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** The histories of a case, so that its runs in different modes can be compared. */
final class Records {
    /** How turns are cut, and how often stalled code is tried again. */
    private static final Set<String> DIFFER_BY_DESIGN = Set.of("WorkflowStarted", "ExecutionStalled");
    /** Generated IDs and times. */
    private static final Set<String> MADE_ANEW = Set.of(
            "executionId", "firstExecutionId", "fireAt", "startAt", "taskExecutionId", "traceParent", "spanId");
    /** What a real Dapr keeps of an event as well: it drops what is everstep's own, and adds what is its own. */
    private static final Set<String> EVERYWHERE = Set.of("name", "status", "input", "result");
    private static final Set<String> PAYLOADS = Set.of("input", "result", "customStatus");

    private Records() {}

    /**
     * What happened, per instance: the events without what is made anew in every run, in no order, as what runs side by side
     * may end in any.
     *
     * @param id the case's own
     * @param payloads whether these are compared, too
     * @param besideDapr whether what only one of both has is left out
     */
    static Map<String, List<String>> of(Client client, String id, boolean payloads, boolean besideDapr) {
        var records = new TreeMap<String, List<String>>();
        client.listWorkflows(Filter.all()).forEach(state -> {
            var lines = records.computeIfAbsent(name(state.instanceId(), state.name(), id), name -> new ArrayList<>());
            for (var event : client.getWorkflowHistory(state.instanceId()).events()) {
                if (!DIFFER_BY_DESIGN.contains(event.type())) lines.add(line(event, id, payloads, besideDapr));
            }
        });
        records.values().forEach(Collections::sort);
        return records;
    }

    /** A generated ID differs from run to run, so its instance stands under its workflow's name. */
    private static String name(String instanceId, String workflow, String id) {
        boolean own = instanceId.startsWith(id) && !instanceId.substring(id.length()).contains(":");
        return own ? "{id}" + instanceId.substring(id.length()) : "some " + workflow;
    }

    private static String line(HistoryEvent event, String id, boolean payloads, boolean besideDapr) {
        var said = new TreeMap<String, Object>(event.attributes());
        said.keySet().removeIf(key -> besideDapr ? !EVERYWHERE.contains(key) : MADE_ANEW.contains(key));
        // An empty payload and none both read as null, and Dapr's HTTP API makes the one of the other.
        said.entrySet().removeIf(entry -> PAYLOADS.contains(entry.getKey()) && entry.getValue().equals(""));
        said.replaceAll((key, value) -> {
            if (PAYLOADS.contains(key)) return payloads ? decoded((String) value) : "some";
            return value instanceof Failure failure ? described(failure) : value;
        });
        return (event.eventId() + " " + event.type() + " " + Json.text(said))
                .replace(id, "{id}")
                .replaceAll("\\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\\b", "{made}")
                .replaceAll(":[0-9a-f]{12}\\b", ":{made}");
    }

    private static Object decoded(String payload) {
        try {
            return Json.parse(payload);
        } catch (IllegalArgumentException unreadable) {
            return payload;
        }
    }

    private static List<Object> described(Failure failure) {
        return failure.chain().stream()
                .<Object>map(one -> List.of(one.errorType(), one.message(), one.isNonRetryable()))
                .toList();
    }
}
