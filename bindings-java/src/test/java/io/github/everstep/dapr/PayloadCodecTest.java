package io.github.everstep.dapr;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.everstep.conformance.Json;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Payloads of programs that were written for Dapr's Java SDK. */
class PayloadCodecTest {
    private final PayloadCodec codec = new PayloadCodec();

    record Line(String item, int count) {}

    static Stream<Map<String, Object>> marks() {
        return Json.objects(Json.file("vectors/marks.json").get("vectors")).stream();
    }

    @ParameterizedTest
    @MethodSource("marks")
    void theMarksOfDaprsPythonSdkAreNoPartOfWhatItSent(Map<String, Object> vector) {
        var given = (PayloadCodec.Given) codec.decode((String) vector.get("stored"), PayloadCodec.Given.class);
        assertEquals(vector.get("meant"), PayloadCodec.read(given, Object.class));
    }

    @Test
    void aRecordThatPythonHasSentIsOneHere() {
        var sent = "{\"item\": \"lamp\", \"count\": 2, \"__durabletask_autoobject__\": true}";
        assertEquals(new Line("lamp", 2), PayloadCodec.read(new PayloadCodec.Given(sent), Line.class));
        assertEquals(7, PayloadCodec.read(new PayloadCodec.Given("7"), int.class));
        assertNull(PayloadCodec.read(new PayloadCodec.Given(sent), Void.class));
        assertThrows(UncheckedIOException.class, () -> codec.decode("[]", Line.class));
    }
}
