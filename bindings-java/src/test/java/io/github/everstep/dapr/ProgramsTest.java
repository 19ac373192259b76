package io.github.everstep.dapr;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The programs of {@code examples/dapr/java} print, on an engine in their own memory, what they print with the official SDK
 * on a real sidecar; and there is everything that the official SDK has. {@code make interop} says whether {@code expected/}
 * and {@code surface.txt} still are what it gives.
 */
class ProgramsTest {
    private static final Path PROGRAMS = Path.of("..", "examples", "dapr", "java");
    private static final String CLASS_PATH = System.getProperty("java.class.path");

    /** Of other parts of Dapr, or of what is not made in Java here. */
    private static final Set<String> ELSEWHERE = Set.of(
            "Properties#GRPC_ENABLE_KEEP_ALIVE", "Properties#GRPC_KEEP_ALIVE_TIMEOUT_SECONDS",
            "Properties#GRPC_KEEP_ALIVE_TIME_SECONDS", "Properties#GRPC_KEEP_ALIVE_WITHOUT_CALLS",
            "Properties#GRPC_MAX_INBOUND_MESSAGE_SIZE_BYTES", "Properties#GRPC_MAX_INBOUND_METADATA_SIZE_BYTES",
            "Properties#GRPC_TLS_INSECURE", "Properties#HTTP_CLIENT_MAX_IDLE_CONNECTIONS",
            "Properties#HTTP_CLIENT_MAX_REQUESTS", "Properties#HTTP_CLIENT_READ_TIMEOUT_SECONDS",
            "Properties#HTTP_ENDPOINT", "Properties#HTTP_PORT", "Properties#MAX_RETRIES", "Properties#STRING_CHARSET",
            "Properties#TIMEOUT", "Property#get() Object", "Property#get(String) Object");

    /** What only the SDK itself makes, or what passes on what it is made of. */
    private static final Set<String> INSIDE = Set.of(
            "FailureDetails#getFullStackTrace(Throwable) String",
            "WorkflowRuntime#new(DurableTaskGrpcWorker, ManagedChannel, ExecutorService)",
            "WorkflowRuntimeBuilder#new(Logger)",
            "WorkflowRuntimeBuilder#registerTaskActivityFactory(String, TaskActivityFactory) WorkflowRuntimeBuilder",
            "WorkflowRuntimeBuilder#registerTaskOrchestrationFactory(String, TaskOrchestrationFactory) WorkflowRuntimeBuilder",
            "CompositeTaskFailedException#new()", "CompositeTaskFailedException#new(List)",
            "CompositeTaskFailedException#new(String, List)", "CompositeTaskFailedException#new(String, Throwable, List)",
            "CompositeTaskFailedException#new(Throwable, List)");

    @TempDir
    static Path compiled;

    @BeforeAll
    static void compile() throws Exception {
        var arguments = new ArrayList<>(List.of(tool("javac"), "-nowarn", "-d", compiled.toString(), "-cp", CLASS_PATH));
        programs().forEach(program -> arguments.add(PROGRAMS.resolve(program + ".java").toString()));
        arguments.add(PROGRAMS.resolve("Surface.java").toString());
        var log = Files.createTempFile(compiled, "javac", ".log");
        var javac = new ProcessBuilder(arguments).redirectErrorStream(true).redirectOutput(log.toFile()).start();
        assertTrue(javac.waitFor(120, TimeUnit.SECONDS));
        assertEquals(0, javac.exitValue(), () -> read(log));
    }

    private static String tool(String name) {
        return Path.of(System.getProperty("java.home"), "bin", name).toString();
    }

    static Stream<String> programs() throws IOException {
        try (var files = Files.list(PROGRAMS)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".java") && !name.equals("Surface.java"))
                    .map(name -> name.replace(".java", ""))
                    .sorted()
                    .toList()
                    .stream();
        }
    }

    private static String run(String program, Map<String, String> environment) throws Exception {
        var builder = new ProcessBuilder(
                tool("java"), "-XX:TieredStopAtLevel=1", "--enable-native-access=ALL-UNNAMED", "-cp",
                compiled + File.pathSeparator + CLASS_PATH, program);
        builder.environment().keySet().removeIf(name -> name.startsWith("DAPR_") || name.startsWith("EVERSTEP_"));
        builder.environment().putAll(environment);
        var output = Files.createTempFile(compiled, program, ".txt");
        var errors = Files.createTempFile(compiled, program, ".log");
        var process = builder.redirectOutput(output.toFile()).redirectError(errors.toFile()).start();
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
            process.destroyForcibly();
        }
        assertEquals(0, process.waitFor(), () -> program + ": " + read(errors));
        return read(output);
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException error) {
            throw new java.io.UncheckedIOException(error);
        }
    }

    @ParameterizedTest
    @MethodSource("programs")
    @Timeout(90)
    void itPrintsWhatTheOfficialSdkPrints(String program) throws Exception {
        assertEquals(read(PROGRAMS.resolve("expected/" + program + ".txt")), run(program, Map.of("EVERSTEP_ENDPOINT", "memory:")));
    }

    @ParameterizedTest
    @MethodSource("programs")
    @Timeout(90)
    void itPrintsTheSameWhereEveryTurnIsAReplay(String program) throws Exception {
        var place = Map.of("EVERSTEP_ENDPOINT", "memory:", "EVERSTEP_MAX_CACHED", "0");
        assertEquals(read(PROGRAMS.resolve("expected/" + program + ".txt")), run(program, place));
    }

    @Test
    void everythingIsThereAndTakesTheSame() throws Exception {
        var missing = new ArrayList<String>();
        try (var loader = new java.net.URLClassLoader(new java.net.URL[] {compiled.toUri().toURL()})) {
            var describe = loader.loadClass("Surface").getMethod("describe", Class.class);
            for (var line : Files.readAllLines(PROGRAMS.resolve("surface.txt"))) {
                var parts = line.substring(line.lastIndexOf('.', line.contains("#") ? line.indexOf('#') : line.length()) + 1).split("#", 2);
                var type = Class.forName("io.github.everstep.dapr." + parts[0]);
                var ours = (List<?>) describe.invoke(null, type);
                boolean isThere = parts.length == 1 || ours.contains("#" + parts[1]);
                var name = String.join("#", parts);
                if (!isThere && !ELSEWHERE.contains(name) && !INSIDE.contains(name) && !name.startsWith("DefaultWorkflowContext#new")) {
                    missing.add(name);
                }
            }
        }
        assertEquals(List.of(), missing);
    }

    @Test
    void togetherTheyUseEveryName() throws Exception {
        var sources = new StringBuilder();
        programs().forEach(program -> sources.append(read(PROGRAMS.resolve(program + ".java"))));
        var unused = new HashSet<String>();
        for (var line : Files.readAllLines(PROGRAMS.resolve("surface.txt"))) {
            var name = line.replaceAll("^[\\w.$]*[.$](?=\\w+(#|$))", "");
            if (ELSEWHERE.contains(name) || INSIDE.contains(name) || name.startsWith("DefaultWorkflowContext")) {
                continue;
            }
            var word = name.replaceAll(".*#", "").replaceAll("[( ].*", "");
            if (!word.equals("new") && !sources.toString().matches("(?s).*\\b" + word + "\\b.*")) {
                unused.add(name);
            }
        }
        assertEquals(Set.of(), unused);
    }

    @Test
    void oneImportDecides() throws IOException {
        programs().forEach(program -> assertTrue(
                read(PROGRAMS.resolve(program + ".java")).contains("import io.github.everstep.dapr.DaprWorkflowClient;")));
    }
}
