package io.github.everstep.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.everstep.Failure;
import io.github.everstep.WorkflowState;
import java.util.List;
import java.util.Map;

/** Compares what was found with what a case expects; what it does not name may be anything. */
final class States {
    private States() {}

    static void check(WorkflowState found, Object expected) {
        if (expected == null) return;
        Json.object(expected).forEach((key, value) -> check(found, key, value));
    }

    static boolean fits(WorkflowState found, Object expected) {
        try {
            check(found, expected);
            return true;
        } catch (AssertionError error) {
            return false;
        }
    }

    private static void check(WorkflowState found, String key, Object value) {
        switch (key) {
            case "status" -> assertEquals(value, found.runtimeStatus().name());
            case "name" -> assertEquals(value, found.name());
            case "version" -> assertEquals(value, found.version());
            case "input" -> same(found.input(Object.class), value);
            case "input_absent" -> assertEquals(value, found.input() == null);
            case "output" -> same(found.output(Object.class), value);
            case "custom_status" -> same(found.customStatus(Object.class), value);
            case "started" -> assertEquals(value, found.startedAt() != null);
            case "completed" -> assertEquals(value, found.completedAt() != null);
            case "failure" -> failure(found.failure(), Json.object(value));
            case "reason_names" -> {
                for (var text : Json.texts(value)) {
                    assertTrue(found.reason() != null && found.reason().contains(text), found::toString);
                }
            }
            case "has_reason" -> assertEquals(value, found.reason() != null);
            case "parent" -> assertEquals(value, found.parentInstanceId());
            case "tags" -> assertEquals(value, found.tags());
            default -> throw new IllegalArgumentException("unknown key " + key);
        }
    }

    static void all(List<WorkflowState> found, Object expected) {
        var states = Json.array(expected);
        for (int i = 0; i < states.size(); i++) check(found.get(i), states.get(i));
    }

    /** Compares decoded payloads; an absent one reads as null. */
    static void same(Object found, Object expected) {
        if (expected instanceof Map<?, ?> map && map.get("$default_child_of") instanceof String parent) {
            assertTrue(found instanceof String id && id.startsWith(parent), () -> found + " is no child of " + parent);
            assertTrue(((String) found).substring(parent.length()).matches(":[0-9a-f]{12}"), () -> found + " has no default ID");
        } else if (!Json.same(found, expected)) {
            assertEquals(Json.text(expected), Json.text(found));
        }
    }

    static void failure(Failure found, Map<String, Object> expected) {
        assertNotNull(found);
        expected.forEach((key, value) -> {
            switch (key) {
                case "type" -> assertEquals(value, found.errorType());
                case "message" -> assertEquals(value, found.message());
                case "cause" -> failure(found.cause(), Json.object(value));
                default -> throw new IllegalArgumentException("unknown key " + key);
            }
        });
    }
}
