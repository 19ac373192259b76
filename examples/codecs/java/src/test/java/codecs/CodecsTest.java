package codecs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.everstep.Activity;
import io.github.everstep.ActivityFailedException;
import io.github.everstep.CallOptions;
import io.github.everstep.ChildFailedException;
import io.github.everstep.Client;
import io.github.everstep.Codec;
import io.github.everstep.DecodeException;
import io.github.everstep.EverstepException;
import io.github.everstep.Failure;
import io.github.everstep.HistoryEvent;
import io.github.everstep.JacksonCodec;
import io.github.everstep.NamedActivity;
import io.github.everstep.NamedWorkflow;
import io.github.everstep.RawPayload;
import io.github.everstep.Retry;
import io.github.everstep.StartOptions;
import io.github.everstep.Task;
import io.github.everstep.TerminateOptions;
import io.github.everstep.Worker;
import io.github.everstep.Workflow;
import io.github.everstep.WorkflowContext;
import io.github.everstep.WorkflowFailedException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Both codecs carry everything that a workflow sends, live and replayed, and leave no clear text in the file. What the
 * programs of other languages have sealed is read here, and the other way round: {@code ../vectors.json}.
 */
@Timeout(60)
class CodecsTest {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final String MARK = "TOPSECRET";
    private static final String LONG = (MARK + " ").repeat(400);
    private static final JacksonCodec JSON = JacksonCodec.create();
    private static final Map<String, byte[]> KEYS = Map.of("old", key(0, 32), "new", key(32, 32));

    private static byte[] key(int first, int length) {
        var key = new byte[length];
        for (int index = 0; index < length; index++) key[index] = (byte) (first + index);
        return key;
    }

    private static Codec codec(String name) {
        return switch (name) {
            case "compressing" -> new Compressing(JSON, 0);
            case "encrypting" -> new Encrypting(JSON, KEYS, "new");
            case "both" -> new Encrypting(new Compressing(JSON, 1024), KEYS, "new");
            default -> throw new AssertionError(name);
        };
    }

    record Order(String note, int count) {}

    record Seen(String errorType, String message, boolean isCausedByInner) {}

    record Result(List<Object> order, List<Seen> seen) {}

    static final class Refused extends RuntimeException {
        private static final long serialVersionUID = 1;

        Refused(String message, Throwable cause) {
            super(message, cause);
        }
    }

    private static final NamedActivity<Order, Order> DOUBLE = Activity.of(
            "double", Order.class, Order.class, (ctx, order) -> new Order(order.note(), order.count() * 2));

    private static final NamedActivity<String, Void> REFUSES =
            Activity.of("refuses", String.class, Void.class, (ctx, text) -> {
                throw new Refused("outer " + text, new IllegalStateException("inner " + text));
            });

    private static final NamedWorkflow<String, Void> CHILD =
            Workflow.of("child", String.class, Void.class, (ctx, text) -> {
                ctx.setCustomStatus(text);
                throw new Refused("child " + text, null);
            });

    private static final NamedWorkflow<Void, Order> LISTENER = Workflow.of(
            "listener", Void.class, Order.class, (ctx, none) -> ctx.waitForEvent("order", Order.class).await());

    private static final NamedWorkflow<Order, Result> EVERYTHING =
            Workflow.of("everything", Order.class, Result.class, CodecsTest::everything);

    private static final NamedWorkflow<String, Void> FAILS =
            Workflow.of("fails", String.class, Void.class, (ctx, text) -> {
                try {
                    return ctx.call(REFUSES, text).await();
                } catch (ActivityFailedException error) {
                    throw new IllegalArgumentException("flow " + text, error);
                }
            });

    private static Result everything(WorkflowContext ctx, Order order) {
        if (order.count() == 1) return ctx.continueAsNew(ctx.call(DOUBLE, order).await());
        ctx.setCustomStatus(Map.of("note", order.note()));
        var raised = ctx.waitForEvent("order", Order.class).await();
        ctx.sendEvent(ctx.instanceId() + "-listener", "order", raised);
        var retry = CallOptions.retry(Retry.maxAttempts(2).withFirstInterval(Duration.ofMillis(1)));
        var seen = new ArrayList<Seen>();
        for (Task<?> call : List.of(ctx.call(REFUSES, order.note(), retry), ctx.call(CHILD, order.note()))) {
            try {
                call.await();
            } catch (ActivityFailedException | ChildFailedException error) {
                seen.add(seen(error));
            }
        }
        return new Result(List.of(order.note(), order.count(), raised.count()), seen);
    }

    private static Seen seen(EverstepException error) {
        assertTrue(error.getMessage().contains(MARK));
        var inner = error.failure().chain().stream().anyMatch(each -> each.errorType().equals("IllegalStateException"));
        return new Seen(error.failure().errorType(), error.failure().message(), inner);
    }

    private static final Result EXPECTED = new Result(
            List.of(LONG, 2, 7),
            List.of(new Seen("Refused", "outer " + LONG, true), new Seen("Refused", "child " + LONG, false)));

    private static Client open(Path folder, Codec codec) {
        return Client.builder().endpoint("sqlite:" + folder.resolve("workflows.db")).codec(codec).build();
    }

    /** Whether a file of the folder holds the mark. */
    private static boolean isClear(Path folder) throws IOException {
        try (var files = Files.newDirectoryStream(folder)) {
            for (var file : files) {
                if (Files.readString(file, StandardCharsets.ISO_8859_1).contains(MARK)) return true;
            }
        }
        return false;
    }

    @ParameterizedTest
    @CsvSource({
        "compressing, 1000", "compressing, 0", "encrypting, 1000", "encrypting, 0", "both, 1000", "both, 0"
    })
    void everythingGoesThereAndBack(String name, int maxCached, @TempDir Path folder) throws Exception {
        try (var client = open(folder, codec(name));
                var worker = Worker.builder(client)
                        .workflows(CHILD, LISTENER, EVERYTHING, FAILS)
                        .activities(DOUBLE, REFUSES)
                        .maxCached(maxCached)
                        .start()) {
            var listens = client.startWorkflow(LISTENER, null, StartOptions.instanceId("all-listener"));
            var handle = client.startWorkflow(EVERYTHING, new Order(LONG, 1), StartOptions.instanceId("all"));
            handle.raiseEvent("order", new Order(LONG, 7));
            assertEquals(EXPECTED, handle.result(SOON));
            assertEquals(new Order(LONG, 7), listens.result(SOON));
            var state = handle.state();
            assertEquals(new Order(LONG, 2), state.input(Order.class));
            assertEquals(EXPECTED, state.output(Result.class));
            assertEquals(Map.of("note", LONG), state.customStatus(Object.class));
            var stored = state.input().text() + state.output().text() + state.customStatus().text();
            assertFalse(stored.contains(MARK));

            var failed = client.startWorkflow(FAILS, LONG);
            var error = assertThrows(WorkflowFailedException.class, () -> failed.result(SOON));
            checkFailure(error.failure());
            assertTrue(error.getMessage().contains("flow " + LONG));
            checkFailure(failed.state().failure());
            var history = failed.history();
            assertEquals(List.of("outer " + LONG, "flow " + LONG), messages(history.failures().stream()));
            assertEquals(LONG, history.calls().getFirst().input().as(String.class));

            var ended = client.startWorkflow(LISTENER, null);
            ended.terminate(TerminateOptions.output(new Order(LONG, 3)));
            assertEquals(new Order(LONG, 3), ended.waitForCompletion(SOON).output(Order.class));
            var raw = new RawPayload("{\"note\":\"" + LONG + "\",\"count\":4}");
            client.startWorkflow("everything", raw, Result.class, StartOptions.instanceId("raw"));
            assertEquals(new Order(LONG, 4), client.getWorkflow("raw").input(Order.class));
            assertFalse(isClear(folder));
        }
        assertFalse(isClear(folder));
    }

    private static List<String> messages(Stream<HistoryEvent> events) {
        return events.map(event -> event.failure().message()).toList();
    }

    private static void checkFailure(Failure failure) {
        var chain = failure.chain();
        assertEquals(
                List.of("IllegalArgumentException", "Refused", "IllegalStateException"),
                chain.stream().map(Failure::errorType).toList());
        assertEquals(
                List.of("flow " + LONG, "outer " + LONG, "inner " + LONG),
                chain.stream().map(Failure::message).toList());
        for (var each : chain) assertTrue(each.stackTrace().contains("\tat "), each.stackTrace());
    }

    @Test
    void withoutACodecTheTextIsFound(@TempDir Path folder) throws Exception {
        try (var client = open(folder, JSON)) {
            client.startWorkflow(EVERYTHING, new Order(LONG, 1));
        }
        assertTrue(isClear(folder));
    }

    @Test
    void aKeyCanBeChangedAndClearTextIsRefusedUnlessItIsAskedFor(@TempDir Path folder) {
        var order = new Order(MARK, 1);
        try (var client = open(folder, new Encrypting(JSON, KEYS, "old"))) {
            client.startWorkflow(EVERYTHING, order, StartOptions.instanceId("before"));
        }
        try (var client = open(folder, new Encrypting(JSON, KEYS, "new"))) {
            assertEquals(order, client.getWorkflow("before").input(Order.class));
            var after = client.startWorkflow(EVERYTHING, order, StartOptions.instanceId("after"));
            assertTrue(after.state().input().text().startsWith("\"aes-gcm:new:"));
        }
        try (var client = open(folder, new Encrypting(JSON, Map.of("new", KEYS.get("new")), "new"))) {
            var state = client.getWorkflow("before");
            var error = assertThrows(DecodeException.class, () -> state.input(Order.class));
            assertTrue(error.getMessage().contains("no key \"old\""));
            assertEquals(state.input().text(), error.text());
        }
        try (var client = open(folder, JSON)) {
            client.startWorkflow(EVERYTHING, order, StartOptions.instanceId("clear"));
        }
        try (var client = open(folder, new Encrypting(JSON, KEYS, "new"))) {
            var state = client.getWorkflow("clear");
            assertThrows(DecodeException.class, () -> state.input(Order.class));
        }
        try (var client = open(folder, new Encrypting(JSON, KEYS, "new").acceptingClear())) {
            assertEquals(order, client.getWorkflow("clear").input(Order.class));
        }
    }

    // What programs of any language have sealed.

    record Vectors(
            String about,
            Map<String, String> keys,
            List<Map<String, String>> unseal,
            List<Map<String, String>> refuse) {}

    private static Vectors vectors() throws IOException {
        return new ObjectMapper().readValue(Path.of("..", "vectors.json").toFile(), new TypeReference<>() {});
    }

    private static Codec reader(String name) throws IOException {
        var keys = vectors().keys().entrySet().stream()
                .collect(Collectors.toMap(Map.Entry::getKey, each -> HexFormat.of().parseHex(each.getValue())));
        return switch (name) {
            case "compressing" -> new Compressing(JSON, 1024);
            case "encrypting" -> new Encrypting(JSON, keys, "new");
            case "both" -> new Encrypting(new Compressing(JSON, 1024), keys, "new");
            default -> throw new AssertionError(name);
        };
    }

    static List<Map<String, String>> sealed() throws IOException {
        return vectors().unseal();
    }

    @ParameterizedTest
    @MethodSource("sealed")
    void whatAnyLanguageHasSealedIsReadHere(Map<String, String> vector) throws Exception {
        var codec = reader(vector.get("codec"));
        for (var language : List.of("python", "node", "java")) {
            assertEquals(vector.get("clear"), codec.unseal(vector.get(language)), language);
        }
    }

    static List<Map<String, String>> damaged() throws IOException {
        return vectors().refuse();
    }

    @ParameterizedTest
    @MethodSource("damaged")
    void whatNoLanguageReads(Map<String, String> vector) throws Exception {
        var codec = reader(vector.get("codec"));
        assertThrows(RuntimeException.class, () -> codec.unseal(vector.get("text")));
    }

    @Test
    void compressionLeavesSmallTextsAndPacksLargeOnes() {
        var codec = new Compressing(JSON, 1024);
        assertEquals("[1]", codec.seal("[1]"));
        assertTrue(codec.seal(LONG).length() < LONG.length() / 10);
        for (var text : List.of("\"zlib:not packed\"", "\"zlib:", "", LONG)) {
            assertEquals(text, codec.unseal(codec.seal(text)));
        }
    }

    @Test
    void encryptionNeverGivesOneTextTwiceAndChecksItsKeys() {
        var codec = new Encrypting(JSON, KEYS, "new");
        assertNotEquals(codec.seal("[1]"), codec.seal("[1]"));
        assertThrows(IllegalArgumentException.class, () -> new Encrypting(JSON, KEYS, "lost"));
        assertThrows(IllegalArgumentException.class, () -> new Encrypting(JSON, Map.of("a", key(0, 7)), "a"));
    }

    @Test
    void theDemoRuns(@TempDir Path folder) throws Exception {
        var said = new ByteArrayOutputStream();
        Demo.run(folder, new PrintStream(said, true, StandardCharsets.UTF_8));
        var text = said.toString(StandardCharsets.UTF_8);
        assertTrue(text.contains("not sent (ConnectException): Ada Morgenstern: hay fever"), text);
        assertTrue(text.contains("the name is in the file: false"), text);
    }
}
