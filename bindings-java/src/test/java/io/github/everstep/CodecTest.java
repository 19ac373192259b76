package io.github.everstep;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.StdScalarSerializer;
import io.github.everstep.bridge.Payloads;
import io.github.everstep.conformance.Json;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class CodecTest {
    record Line(String item, int count) {}

    record Order(String id, List<Line> lines, Instant at, Duration within, LocalDate day, Optional<String> note) {}

    private final Payloads json = new Payloads(JacksonCodec.create());

    @Test
    void recordsAndTimesGoThereAndBack() {
        Order order = new Order(
                "7", List.of(new Line("lamp", 2)), Instant.parse("2026-01-02T03:04:05.000006Z"), Duration.ofSeconds(90),
                LocalDate.of(2026, 1, 2), Optional.empty());
        String text = json.encode(order, "input");
        assertEquals(
                "{\"id\":\"7\",\"lines\":[{\"item\":\"lamp\",\"count\":2}],\"at\":\"2026-01-02T03:04:05.000006Z\",\"within\":\"PT1M30S\","
                        + "\"day\":\"2026-01-02\",\"note\":null}",
                text);
        assertEquals(order, json.decode(text, Order.class));
    }

    @Test
    void aModuleIsAddedToWhatTheDefaultCanDo() {
        var loud = new SimpleModule().addSerializer(new StdScalarSerializer<Character>(Character.class) {
            private static final long serialVersionUID = 1;

            @Override
            public void serialize(Character value, JsonGenerator out, SerializerProvider provider) throws IOException {
                out.writeString(value + "!");
            }
        });
        var codec = JacksonCodec.with(loud);
        assertEquals("[\"a!\",\"PT1M30S\"]", codec.encode(List.of('a', Duration.ofSeconds(90))));
        assertEquals(new Line("lamp", 1), codec.decode("{\"item\":\"lamp\",\"count\":1,\"new\":0}", Line.class));
    }

    @Test
    void aTypeReferenceKeepsTheTypesOfItsArguments() {
        TypeRef<Map<String, List<Line>>> type = new TypeRef<>() {};
        Map<String, List<Line>> value = Map.of("a", List.of(new Line("lamp", 1)));
        assertEquals(value, json.decode(json.encode(value, "input"), type.type()));
    }

    @Test
    void whatATypeDoesNotKnowIsPassedOver() {
        assertEquals(new Line("lamp", 1), json.decode("{\"item\":\"lamp\",\"count\":1,\"colour\":\"red\"}", Line.class));
    }

    @Test
    void floatsAreWrittenAsTheyAre() {
        assertEquals("[0.1,0.2]", json.encode(List.of(0.1f, 0.2), "input"));
        assertEquals("[1.0,2.5]", json.encode(new double[] {1, 2.5}, "input"));
    }

    @Test
    void nullAndNothingDiffer() {
        assertNull(json.optional(null, "input"));
        assertEquals("null", json.optional(new RawPayload("null"), "input"));
        assertNull(json.decode("null", Line.class));
        assertNull(json.decode("", Line.class));
    }

    static Object[] unwritable() {
        Object[] ring = new Object[1];
        ring[0] = ring;
        return new Object[] {Double.NaN, new double[] {Double.POSITIVE_INFINITY}, Float.NaN, "half \ud83d", ring};
    }

    @ParameterizedTest
    @MethodSource("unwritable")
    void whatIsNoJsonIsRefused(Object value) {
        assertThrows(InvalidArgumentException.class, () -> json.encode(value, "input"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"{", "[1]", "{} {}", "{\"item\":\"lamp\",\"count\":null}", "{\"item\":\"lamp\",\"count\":\"many\"}"})
    void whatDoesNotFitKeepsItsText(String text) {
        DecodeException error = assertThrows(DecodeException.class, () -> json.decode(text, Line.class));
        assertEquals(text, error.text());
    }

    static Stream<Map<String, Object>> marks() {
        return Json.objects(Json.file("vectors/marks.json").get("vectors")).stream();
    }

    @ParameterizedTest
    @MethodSource("marks")
    void theMarksOfDaprsPythonSdkAreNoPartOfWhatItSent(Map<String, Object> vector) {
        assertEquals(vector.get("meant"), json.decode((String) vector.get("stored"), Object.class));
    }

    @Test
    void aMarkedPayloadIsReadAsAnyOther() {
        String marked = "{\"price\":0.1234567890123456789012,\"__durabletask_autoobject__\":true}";
        assertEquals(new Price(new BigDecimal("0.1234567890123456789012")), json.decode(marked, Price.class));
        assertThrows(DecodeException.class, () -> json.decode(marked + " []", Price.class));
        assertThrows(DecodeException.class, () -> json.decode(marked.substring(0, marked.length() - 1), Price.class));
    }

    record Price(BigDecimal price) {}

    @Test
    void aRawPayloadMayBeNoJson() {
        assertEquals(new Payloads.Encoded("{", false), json.forBatch(new RawPayload("{"), "input"));
        assertEquals(new Payloads.Encoded("1", true), json.forBatch(1, "input"));
        assertEquals(new Payloads.Encoded("}", false), new Payloads(new Backwards()).forBatch(new RawPayload("}"), "input"));
    }

    /** Writes each text backwards. */
    private static final class Backwards implements Codec {
        private final Codec json = JacksonCodec.create();

        @Override
        public String encode(Object value) {
            return json.encode(value);
        }

        @Override
        public Object decode(String text, java.lang.reflect.Type type) {
            return json.decode(text, type);
        }

        @Override
        public String seal(String text) {
            return new StringBuilder(text).reverse().toString();
        }

        @Override
        public String unseal(String text) {
            if (!text.endsWith("{")) {
                throw new IllegalStateException("not mine");
            }
            return seal(text);
        }
    }

    @Test
    void aSealingCodecSealsPayloadsAndFailures() {
        Payloads sealed = new Payloads(new Backwards());
        assertEquals("}1:\"tnuoc\",\"pmal\":\"meti\"{", sealed.encode(new Line("lamp", 1), "input"));
        assertEquals(new Line("lamp", 1), sealed.decode("}1:\"tnuoc\",\"pmal\":\"meti\"{", Line.class));
        assertThrows(DecodeException.class, () -> sealed.decode("{}", Line.class));
        Failure failure = sealed.reveal(new Failure("Oops", "not sealed", "}kcats{", false, null, null));
        assertEquals("not sealed", failure.message());
    }

    @Test
    @Timeout(60)
    void anExceptionSaysInClearWhatFailed() {
        var fails = Workflow.of("fails", Void.class, Void.class, (ctx, none) -> {
            throw new IllegalStateException("{lamp}");
        });
        try (var client = Client.builder().endpoint("memory:").codec(new Backwards()).build();
                var worker = Worker.builder(client).workflows(fails).start()) {
            assertTrue(worker.isReady());
            var handle = client.startWorkflow(fails, null);
            var error = assertThrows(WorkflowFailedException.class, () -> handle.result(Duration.ofSeconds(30)));
            assertEquals("{lamp}", error.failure().message());
            assertTrue(error.getMessage().contains("{lamp}"), error.getMessage());
        }
    }
}
