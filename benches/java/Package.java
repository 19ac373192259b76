import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarFile;
import java.util.stream.IntStream;
import javax.tools.ToolProvider;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Element;

/**
 * What the package takes: its two jars, which are on the class path, what it asks for beside them, and a small program in fresh
 * processes: from its first line to an open client and to the first result, and its memory beside an empty one's.
 */
public final class Package {
    private static final Path HERE = Path.of(System.getProperty("jdk.launcher.sourcefile")).toAbsolutePath().getParent();
    private static final String CLASS_PATH = System.getProperty("java.class.path");

    private Package() {}

    public static void main(String[] arguments) throws Exception {
        var given = Given.of(arguments, Map.of("times", 11.0));
        var figures = new LinkedHashMap<String, Number>();
        figures.put("classes_kb", jar("io/github/everstep/Client.class").length() / 1e3);
        figures.put("native_mb", jar("native/").length() / 1e6);
        figures.put("dependencies", dependencies());
        var classes = Files.createTempDirectory("everstep-bench-");
        try {
            compile(classes, "Small.java", "Given.java");
            var runs = new ArrayList<double[]>();
            for (int run = 0; run < given.count("times"); run++) {
                runs.add(small(classes, Subject.database(given.dir(), "small").toString()));
            }
            figures.put("open_ms", median(runs, 0));
            figures.put("first_result_ms", median(runs, 1));
            figures.put("rss_mb", median(runs, 2));
            figures.put("jvm_rss_mb", small(classes)[0]);
        } finally {
            try (var files = Files.list(classes)) {
                for (var file : files.toList()) Files.delete(file);
            }
            Files.delete(classes);
        }
        Given.report(figures);
    }

    /** The jar of the class path that holds an entry. */
    private static File jar(String entry) throws IOException {
        for (var path : CLASS_PATH.split(File.pathSeparator)) {
            if (!path.endsWith(".jar")) continue;
            try (var jar = new JarFile(path)) {
                if (jar.getEntry(entry) != null) return new File(path);
            }
        }
        throw new IllegalStateException("no jar of the class path holds " + entry + "; `make bench-java` packs them");
    }

    /** How many packages a program gets with it that it did not ask for, but the annotations of JSpecify. */
    private static int dependencies() throws Exception {
        var pom = HERE.resolve("../../bindings-java/pom.xml").toFile();
        var project = DocumentBuilderFactory.newDefaultInstance().newDocumentBuilder().parse(pom);
        var declared = project.getElementsByTagName("dependency");
        var required = IntStream.range(0, declared.getLength())
                .mapToObj(at -> (Element) declared.item(at))
                .filter(each -> !text(each, "optional").equals("true") && !text(each, "scope").equals("test"))
                .map(each -> text(each, "artifactId"))
                .toList();
        if (!required.contains("jspecify")) throw new IllegalStateException("read " + required + " in " + pom);
        return required.size() - 1;
    }

    private static String text(Element element, String name) {
        var found = element.getElementsByTagName(name);
        return found.getLength() == 0 ? "" : found.item(0).getTextContent();
    }

    private static void compile(Path into, String... sources) {
        var arguments = new ArrayList<>(List.of("-cp", CLASS_PATH, "-d", into.toString()));
        for (var source : sources) arguments.add(HERE.resolve(source).toString());
        int status = ToolProvider.getSystemJavaCompiler().run(null, null, null, arguments.toArray(String[]::new));
        if (status != 0) throw new IllegalStateException("the small program does not compile");
    }

    /** The numbers that the small program prints. */
    private static double[] small(Path classes, String... arguments) throws Exception {
        var command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                classes + File.pathSeparator + CLASS_PATH,
                "Small"));
        command.addAll(List.of(arguments));
        var process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        try {
            var ended = process.waitFor(1, TimeUnit.MINUTES);
            var said = ended ? new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8) : "";
            if (!ended || process.exitValue() != 0) throw new IllegalStateException("the small program failed: " + said);
            return Arrays.stream(said.strip().split(" ")).mapToDouble(Double::parseDouble).toArray();
        } finally {
            process.destroyForcibly();
        }
    }

    private static double median(List<double[]> runs, int figure) {
        return Given.percentile(runs.stream().mapToDouble(run -> run[figure]).toArray(), 0.5);
    }
}
