package io.github.everstep;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.everstep.bridge.NativeLibrary;
import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a bug report needs, in a process of its own. */
@Timeout(120)
class MainTest {
    private record Done(int code, String out, String err) {}

    @TempDir
    Path place;

    private Done run(Map<String, String> variables, String... arguments) throws Exception {
        return run(List.of(), variables, arguments);
    }

    private Done run(List<String> options, Map<String, String> variables, String... arguments) throws Exception {
        var program = Jvm.of(options, Main.class, arguments).directory(place.toFile());
        program.environment().keySet().removeIf(name -> name.matches("(EVERSTEP|DAPR|KUBERNETES)_.*"));
        program.environment().putAll(variables);
        var err = place.resolve("stderr").toFile();
        var process = program.redirectError(err).start();
        var out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        var said = Files.readString(err.toPath());
        Files.delete(err.toPath());
        return new Done(process.exitValue(), out, said);
    }

    private JsonNode facts(Map<String, String> variables, String... arguments) throws Exception {
        var done = run(variables, Stream.concat(Stream.of("--json"), Stream.of(arguments)).toArray(String[]::new));
        assertEquals("", done.err());
        return new ObjectMapper().readTree(done.out());
    }

    @Test
    void theDefaultIsNamedAndNotMade() throws Exception {
        var done = run(Map.of());
        assertEquals(0, done.code(), done.out());
        assertTrue(done.out().startsWith("everstep    " + NativeLibrary.version() + "\njava        " + Runtime.version()));
        assertTrue(done.out().contains("/.everstep/workflows.db (from default)"), done.out());
        try (var files = Files.list(place)) {
            assertEquals(List.of(), files.toList());
        }
        assertEquals(NativeLibrary.origin(), facts(Map.of()).get("native").asText());
    }

    @Test
    void whatNamesTheEndpointIsSaid() throws Exception {
        var variables = Map.of("EVERSTEP_ENDPOINT", "memory:b");
        assertEquals("argument", facts(variables, "memory:").get("endpoint_from").asText());
        var found = facts(Map.of("DAPR_GRPC_PORT", "50002"));
        assertEquals("grpc://127.0.0.1:50002", found.get("endpoint").asText());
        assertEquals("DAPR_GRPC_PORT", found.get("endpoint_from").asText());
    }

    @Test
    void aStoreIsDescribedBesideItsOwnerWithoutPayloads() throws Exception {
        var endpoint = "sqlite:" + place.resolve("workflows.db");
        var echo = Workflow.of("echo", String.class, String.class, (ctx, text) -> text);
        try (var client = Client.create(endpoint);
                var worker = Worker.builder(client).workflows(echo).start()) {
            client.startWorkflow(echo, "secret text", StartOptions.instanceId("secret-id")).result(Duration.ofSeconds(30));
            var store = facts(Map.of("DAPR_API_TOKEN", "secret token"), endpoint).get("store");
            assertEquals(1, store.get("instances").get("COMPLETED").asInt());
            assertEquals(ProcessHandle.current().pid(), store.get("owner").get("pid").asLong());
            var done = run(Map.of(), endpoint);
            assertEquals(0, done.code());
            assertTrue(done.out().contains("1 COMPLETED"), done.out());
            assertFalse((done.out() + store).contains("secret"));
        }
    }

    @Test
    void whatIsWrongIsSaidAndIsTheExitCode() throws Exception {
        assertEquals("invalid_argument", facts(Map.of(), "ftp:").get("problems").get(0).get("code").asText());
        var done = run(Map.of(), "ftp:");
        assertEquals(1, done.code());
        assertTrue(done.out().contains("\nproblem     invalid_argument: "), done.out());
    }

    @Test
    void aLibraryThatCannotBeLoadedIsOneOfTheFacts() throws Exception {
        var missing = Map.of("EVERSTEP_NATIVE", place.resolve("nowhere.so").toString());
        var done = run(missing);
        assertEquals(1, done.code());
        assertTrue(done.out().contains("\nproblem     failed_precondition: "), done.out());
        assertEquals("failed_precondition", facts(missing).get("problems").get(0).get("code").asText());
    }

    @Test
    void arguments() {
        for (var wrong : Set.of(List.of("--loud"), List.of("a", "b"))) {
            assertEquals(2, Main.run(wrong, System.out, new PrintStream(OutputStream.nullOutputStream())));
        }
        var out = new ByteArrayOutputStream();
        assertEquals(0, Main.run(List.of("--version"), new PrintStream(out), System.err));
        assertEquals("everstep " + NativeLibrary.version(), out.toString(StandardCharsets.UTF_8).strip());
    }
}
