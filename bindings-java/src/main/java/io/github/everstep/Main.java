package io.github.everstep;

import io.github.everstep.bridge.NativeLibrary;
import io.github.everstep.host.JsonWriter;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code java io.github.everstep.Main}: prints what a bug report needs. */
final class Main {
    private static final String USAGE =
            """
            usage: java io.github.everstep.Main [--json] [--version] [endpoint]

            Prints what a bug report needs: versions, the endpoint that a client would use and why, and the facts of its
            store. It makes no file, takes no lock and shows no payload.

            endpoint   where workflows run, for example sqlite:workflows.db; without it, what Client.create() would use

            Exit codes: 0 when nothing is wrong, 1 when something is, 2 for wrong arguments.
            """;

    /** The code of a native library that cannot be loaded. */
    private static final String PROBLEM = "failed_precondition";

    static {
        JavaVersion.require();
    }

    private Main() {}

    /** Ends the program with the exit code. */
    public static void main(String[] arguments) {
        System.exit(run(List.of(arguments), System.out, System.err));
    }

    static int run(List<String> arguments, PrintStream out, PrintStream err) {
        var options = arguments.stream().filter(each -> each.startsWith("-")).toList();
        var endpoints = new ArrayList<>(arguments);
        endpoints.removeAll(options);
        if (!List.of("--json", "--version", "--help", "-h").containsAll(options) || endpoints.size() > 1) {
            err.print(USAGE);
            return 2;
        }
        if (options.contains("--help") || options.contains("-h")) {
            out.print(USAGE);
            return 0;
        }
        if (options.contains("--version")) {
            out.println("everstep " + NativeLibrary.version());
            return 0;
        }
        return report(endpoints.isEmpty() ? null : endpoints.get(0), options.contains("--json"), out);
    }

    private static int report(@Nullable String endpoint, boolean json, PrintStream out) {
        var own = new LinkedHashMap<String, String>();
        own.put("everstep", NativeLibrary.version());
        own.put("java", Runtime.version() + ", " + System.getProperty("java.vm.name"));
        own.put("platform", System.getProperty("os.name") + " " + System.getProperty("os.version") + " "
                + System.getProperty("os.arch"));
        own.put("native", NativeLibrary.origin());
        String rows;
        String facts;
        try {
            rows = NativeLibrary.report(endpoint, false);
            facts = json ? NativeLibrary.report(endpoint, true) : "";
        } catch (UnsatisfiedLinkError error) {
            // That this is so may be what the report is wanted for.
            rows = row("problem", PROBLEM + ": " + error.getMessage());
            facts = "{\"problems\":[{\"code\":\"" + PROBLEM + "\",\"message\":" + quoted(error.getMessage()) + "}]}";
        }
        var text = new StringBuilder();
        if (json) {
            own.forEach((name, value) -> text.append(quoted(name)).append(':').append(quoted(value)).append(','));
            out.println(text.insert(0, '{').append(facts, 1, facts.length()));
        } else {
            own.forEach((name, value) -> text.append(row(name, value)).append('\n'));
            out.println(text.append(rows));
        }
        return rows.lines().anyMatch(row -> row.startsWith("problem ")) ? 1 : 0;
    }

    private static String row(String name, String value) {
        return String.format("%-11s %s", name, value);
    }

    private static String quoted(String text) {
        return JsonWriter.quote(new StringBuilder(), text).toString();
    }
}
