package io.github.everstep;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.everstep.bridge.NativeLibrary;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How the native library is found, in processes of their own. */
class LoaderTest {
    private static final String CLASS_PATH = System.getProperty("java.class.path");

    /** What another process says. */
    public static final class Program {
        private Program() {}

        public static void main(String[] arguments) {
            for (int i = 0; i < 2; i++) {
                try {
                    NativeLibrary.ensureLoaded();
                    System.out.println("loaded " + NativeLibrary.version());
                } catch (UnsatisfiedLinkError error) {
                    System.out.println(error.getMessage());
                }
            }
        }
    }

    private static List<String> run(String classPath, String... options) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "--enable-native-access=ALL-UNNAMED"));
        command.addAll(List.of(options));
        command.addAll(List.of("-cp", classPath, Program.class.getName()));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        return said.lines().toList();
    }

    private static String withoutNatives() {
        return Stream.of(CLASS_PATH.split(File.pathSeparator))
                .filter(element -> !Files.isDirectory(Path.of(element, "native")))
                .collect(Collectors.joining(File.pathSeparator));
    }

    @Test
    void theCopyIsGoneOnceItIsLoaded(@TempDir Path directory) throws Exception {
        String loaded = "loaded " + NativeLibrary.version();
        assertEquals(List.of(loaded, loaded), run(CLASS_PATH, "-Djava.io.tmpdir=" + directory));
        try (Stream<Path> left = Files.list(directory)) {
            assertEquals(List.of(), left.toList());
        }
    }

    @Test
    void aMissingJarIsNamedWithItsClassifierEachTime() throws Exception {
        List<String> said = run(withoutNatives());
        assertEquals(2, said.size());
        for (String line : said) {
            assertTrue(line.contains("io.github.everstep:everstep:" + NativeLibrary.version() + ":"), line);
        }
    }

    @Test
    void aFileThatIsNoLibraryIsSaidSo(@TempDir Path directory) throws Exception {
        Path file = Files.writeString(directory.resolve("libeverstep_java.so"), "no library");
        List<String> said = run(withoutNatives(), "-Deverstep.native=" + file);
        assertTrue(said.getLast().contains("everstep's native library"), said::toString);
        assertTrue(said.getLast().contains(file.toString()), said::toString);
    }

    @Test
    void aProgramMayBringItsOwn() throws Exception {
        Path own = Stream.of(CLASS_PATH.split(File.pathSeparator))
                .map(element -> Path.of(element, "native"))
                .filter(Files::isDirectory)
                .flatMap(LoaderTest::files)
                .findFirst()
                .orElseThrow();
        assertEquals("loaded " + NativeLibrary.version(), run(withoutNatives(), "-Deverstep.native=" + own).getFirst());
    }

    private static Stream<Path> files(Path folder) {
        try {
            return Files.walk(folder).filter(Files::isRegularFile);
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
    }
}
