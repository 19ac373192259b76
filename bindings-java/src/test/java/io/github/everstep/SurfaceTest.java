package io.github.everstep;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.everstep.testing.Environment;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every public name of Python's package is here in Java's casing, or is different on purpose and listed below. */
class SurfaceTest {
    private static final Path PYTHON = Path.of("..", "bindings-python", "python", "everstep");

    /** What stands here for a name of Python's, or why nothing does. {@code docs/guide/languages.md} tells readers. */
    private static final Map<String, String> DIFFERENT = Map.ofEntries(
            Map.entry("DurableFuture", "Task"),
            Map.entry("WaitTimeout", "WaitTimeoutException"),
            Map.entry("ActivityError", "ActivityFailedException: the class of its code"),
            Map.entry("ChildWorkflowError", "ChildFailedException: the class of its code"),
            Map.entry("WorkflowBlocked", "nothing can interrupt code that holds its thread; it stalls"),
            Map.entry("activity", "Activity and Activity.of"),
            Map.entry("workflow", "Workflow and Workflow.of"),
            Map.entry("current_activity", "the context is the first parameter of every activity"),
            Map.entry("AsyncClient.list_workflows", "listWorkflowsPage: no iterator of Java waits without a thread"),
            Map.entry("WorkflowHandle.get", "state"),
            Map.entry("AsyncWorkflowHandle.get", "state"),
            Map.entry("WorkflowContext.create_timer", "timer"),
            Map.entry("Worker.start", "WorkerBuilder.start"),
            Map.entry("Worker.wait", "awaitClosed"),
            Map.entry("Worker.wait_until_ready", "awaitReady"),
            Map.entry("ActivityContext.cancel", "what the worker does"),
            Map.entry("ActivityContext.wait_cancelled", "awaitCancelled"),
            Map.entry("WorkflowState.input_as", "input(type)"),
            Map.entry("WorkflowState.output_as", "output(type)"),
            Map.entry("WorkflowState.raw_input", "input().text()"),
            Map.entry("WorkflowState.raw_output", "output().text()"),
            Map.entry("WorkflowState.raw_custom_status", "customStatus().text()"),
            Map.entry("HistoryEvent.raw_input", "input().text()"),
            Map.entry("HistoryEvent.raw_result", "result().text()"),
            Map.entry("Failure.non_retryable", "isNonRetryable"),
            Map.entry("Failure.revealed", "what a client gives has been unsealed"),
            Map.entry("Retry.text", "what crosses to the core"),
            Map.entry("_RemoteError.stack_trace", "remoteStackTrace: every Throwable has one of its own"),
            Map.entry("EverstepError.message", "getMessage"),
            Map.entry("EverstepError.retryable", "isRetryable"));

    private static String source(String file) throws IOException {
        return Files.readString(PYTHON.resolve(file)).replaceAll("(?s)\"\"\".*?\"\"\"", "");
    }

    private static String camel(String name) {
        return Pattern.compile("_([a-z])").matcher(name).replaceAll(found -> found.group(1).toUpperCase(Locale.ROOT));
    }

    private static Stream<String> all(String pattern, String text) {
        return Pattern.compile(pattern, Pattern.MULTILINE).matcher(text).results().map(found -> found.group(1));
    }

    /** The public methods, properties and fields that the text of a Python class defines. */
    private static Set<String> members(String file, String name) throws IOException {
        var parts = Pattern.compile("^class " + name + "\\b.*:\\n", Pattern.MULTILINE).split(source(file), 2);
        var own = Pattern.compile("^\\S", Pattern.MULTILINE).split(parts.length < 2 ? "" : parts[1], 2)[0];
        var defined = all("^ {4}(?:async )?(?:def )?([a-z]\\w*)(?:\\(|: )", own);
        var assigned = all("^ {8}self\\.([a-z]\\w*)(?:: [^=]+)? = ", own);
        return Stream.concat(defined, assigned).collect(Collectors.toCollection(TreeSet::new));
    }

    static Stream<Arguments> classes() {
        return Stream.of(
                Arguments.of("client.py", "BaseClient", Client.class),
                Arguments.of("client.py", "BaseClient", AsyncClient.class),
                Arguments.of("client.py", "Client", Client.class),
                Arguments.of("aio.py", "AsyncClient", AsyncClient.class),
                Arguments.of("handle.py", "WorkflowHandle", WorkflowHandle.class),
                Arguments.of("handle.py", "BaseHandle", WorkflowHandle.class),
                Arguments.of("handle.py", "AsyncWorkflowHandle", AsyncWorkflowHandle.class),
                Arguments.of("context.py", "WorkflowContext", WorkflowContext.class),
                Arguments.of("fanout.py", "FanOut", WorkflowContext.class),
                Arguments.of("worker.py", "Worker", Worker.class),
                Arguments.of("activities.py", "ActivityContext", ActivityContext.class),
                Arguments.of("models.py", "WorkflowState", WorkflowState.class),
                Arguments.of("models.py", "Failure", Failure.class),
                Arguments.of("models.py", "RuntimeStatus", RuntimeStatus.class),
                Arguments.of("history.py", "History", History.class),
                Arguments.of("history.py", "HistoryEvent", HistoryEvent.class),
                Arguments.of("retry.py", "Retry", Retry.class),
                Arguments.of("codecs.py", "Codec", Codec.class),
                Arguments.of("errors.py", "EverstepError", EverstepException.class),
                Arguments.of("errors.py", "_RemoteError", RemoteFailureException.class),
                Arguments.of("testing.py", "Environment", Environment.class));
    }

    @ParameterizedTest(name = "{1}")
    @MethodSource("classes")
    void theMembersOfPythonsClassesAreHere(String file, String python, Class<?> type) throws IOException {
        var names = members(file, python);
        assertTrue(!names.isEmpty(), "the text of " + python + " is not understood");
        var here = Arrays.stream(type.getMethods()).map(Method::getName).collect(Collectors.toSet());
        var missing = names.stream()
                .filter(name -> !DIFFERENT.containsKey(python + "." + name) && !here.contains(camel(name)))
                .map(name -> python + "." + name)
                .toList();
        assertEquals(List.of(), missing);
    }

    @Test
    void theNamesOfPythonsPackageAreHere() throws IOException {
        var homes = source("__init__.py").split("_HOMES = \\{")[1].split("\n}\n")[0];
        var names = all("\"([A-Za-z]\\w*)\"(?=[,)])", homes).toList();
        assertTrue(names.size() > 40);
        var missing = names.stream().filter(name -> !DIFFERENT.containsKey(name) && !isHere(name)).toList();
        assertEquals(List.of(), missing);
    }

    private static boolean isHere(String name) {
        var spelled = name.endsWith("Error") ? name.substring(0, name.length() - 5) + "Exception" : name;
        try {
            Class.forName(SurfaceTest.class.getPackageName() + "." + spelled);
            return true;
        } catch (ClassNotFoundException absent) {
            return false;
        }
    }

    @Test
    void whatIsListedAsDifferentIsPythons() throws IOException {
        var home = Map.of(
                "AsyncClient", "aio.py", "WorkflowHandle", "handle.py", "AsyncWorkflowHandle", "handle.py",
                "WorkflowContext", "context.py", "Worker", "worker.py", "ActivityContext", "activities.py",
                "HistoryEvent", "history.py", "Retry", "retry.py", "EverstepError", "errors.py",
                "_RemoteError", "errors.py");
        for (var name : DIFFERENT.keySet()) {
            var parts = name.split("\\.");
            if (parts.length == 1) assertTrue(source("__init__.py").contains('"' + name + '"'), name);
            else assertTrue(members(home.getOrDefault(parts[0], "models.py"), parts[0]).contains(parts[1]), name);
        }
    }
}
