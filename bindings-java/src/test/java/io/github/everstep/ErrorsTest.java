package io.github.everstep;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.everstep.bridge.NativeLibrary;
import io.github.everstep.ffi.EverstepJava;
import java.io.File;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ErrorsTest {
    private static Map<String, Boolean> table() throws Exception {
        Map<String, Boolean> table = new LinkedHashMap<>();
        for (JsonNode row : new ObjectMapper().readTree(new File("../conformance/errors.json")).get("errors")) {
            table.put(row.get("code").asText(), row.get("retryable").asBoolean());
        }
        return table;
    }

    @Test
    void everyCodeOfTheTableHasAClassOfItsOwn() throws Exception {
        var classes = new java.util.HashSet<Class<?>>();
        table().forEach((code, retryable) -> {
            EverstepException error = EverstepException.of(code, "text", ErrorDetails.NONE);
            assertEquals(code, error.code());
            assertEquals(retryable, error.isRetryable(), code);
            assertTrue(classes.add(error.getClass()), code);
        });
    }

    @Test
    void theNativeLibraryKnowsTheSameTable() throws Exception {
        NativeLibrary.ensureLoaded();
        assertEquals(table(), new ObjectMapper().readValue(EverstepJava.errorKinds(), Map.class));
    }

    @Test
    void aCodeOfANewerCoreIsAnInternalError() {
        EverstepException error = EverstepException.of("of_tomorrow", "text", ErrorDetails.NONE);
        assertInstanceOf(InternalException.class, error);
        assertFalse(error.isRetryable());
    }

    @Test
    void aFailurePrintsAsWhatWasThrown() {
        Failure cause = new Failure("IOException", "the disk is gone", null, false, null, null);
        Failure failure = new Failure("ShipmentError", "", "ShipmentError\n\tat Shop.ship(Shop.java:7)", true, cause, null);
        EverstepException error = new WorkflowFailedException("failed", new ErrorDetails("result", "order-7", failure, null, null));
        assertEquals("result: failed (instance \"order-7\")", error.getMessage());
        assertTrue(error.getCause().toString().contains("Shop.java:7"));
        assertEquals("IOException: the disk is gone", error.getCause().getCause().toString());
        assertTrue(((WorkflowFailedException) error).isCausedBy(java.io.IOException.class));
        assertFalse(((WorkflowFailedException) error).isCausedBy("Exception"));
        assertTrue(failure.isCausedBy(java.io.IOException.class));
        assertNotEquals("", ((WorkflowFailedException) error).errorType());
    }
}
