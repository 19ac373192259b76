package io.github.everstep.bridge;

import io.github.everstep.ffi.EverstepJava;
import io.github.everstep.host.Nullable;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Properties;

/** Finds, loads and checks the native library. What is generated must not be touched before {@link #ensureLoaded}. */
public final class NativeLibrary {
    /** Names the file of a native library that a program brings itself; the environment has it as {@code EVERSTEP_NATIVE}. */
    private static final String PATH = "everstep.native";

    private static final String OVERRIDE = "uniffi.component.everstep_java.libraryOverride";

    private NativeLibrary() {}

    /**
     * Loads the library, once.
     *
     * @throws UnsatisfiedLinkError with what is missing and the cure; again at every call
     */
    public static void ensureLoaded() {
        if (Loaded.FAULT != null) {
            UnsatisfiedLinkError error = new UnsatisfiedLinkError(Loaded.FAULT.getMessage());
            error.initCause(Loaded.FAULT.getCause());
            throw error;
        }
    }

    /** The version of this package. */
    public static String version() {
        return Loaded.VERSION;
    }

    /** Where the library comes from: the file that the program has named, or the platform whose jar has it. */
    public static String origin() {
        String own = named();
        return own == null ? platform() : own;
    }

    /**
     * What is known of the library and of the endpoint that a client with this argument would use.
     *
     * @param json whether as a JSON object, else as rows for people
     * @throws UnsatisfiedLinkError as {@link #ensureLoaded}
     */
    public static String report(@Nullable String endpoint, boolean json) {
        ensureLoaded();
        return EverstepJava.nativeReport(endpoint, json);
    }

    private static @Nullable String named() {
        return System.getProperty(PATH, System.getenv("EVERSTEP_NATIVE"));
    }

    /** A holder whose initializer runs once; it never throws, since Java would tell the reason at the first call only. */
    private static final class Loaded {
        static final String VERSION = readVersion();
        static final @Nullable UnsatisfiedLinkError FAULT = load();
    }

    private static @Nullable UnsatisfiedLinkError load() {
        String platform = platform();
        Path extracted = null;
        try {
            String own = named();
            if (own == null) {
                extracted = extract(platform);
            }
            System.setProperty(OVERRIDE, (own == null ? extracted : Path.of(own).toAbsolutePath()).toString());
            check(EverstepJava.nativeVersion(), platform);
            return null;
        } catch (Fault fault) {
            return fault;
        } catch (LinkageError | RuntimeException | IOException error) {
            return fault("everstep's native library for " + platform + " cannot be loaded: " + reason(error)
                    + ". If the directory of temporary files forbids execution, set -Djava.io.tmpdir to another one", error);
        } finally {
            remove(extracted);
        }
    }

    private static void check(String found, String platform) {
        if (!found.equals(Loaded.VERSION)) {
            throw fault("everstep " + Loaded.VERSION + " found version " + found + " of its native library; depend on "
                    + "io.github.everstep:everstep:" + Loaded.VERSION + ":" + platform, null);
        }
    }

    /** Copies the library out of its jar: the system loads files only. */
    private static Path extract(String platform) throws IOException {
        String file = System.mapLibraryName("everstep_java");
        // The class loader's: a class of a module finds the resources of its own module alone.
        ClassLoader loader = NativeLibrary.class.getClassLoader();
        try (InputStream in = loader.getResourceAsStream("native/" + platform + "/" + file)) {
            if (in == null) {
                throw fault("everstep's native library for " + platform + " is not on the class path. Add the dependency "
                        + "io.github.everstep:everstep:" + Loaded.VERSION + ":" + platform + " (the last part is its classifier); "
                        + "for a platform that has none, build the library from the sources and set -D" + PATH + " to its path", null);
            }
            // The directory is readable by its owner alone, so nobody can put another file in this one's place.
            Path copy = Files.createTempDirectory("everstep").resolve(file);
            Files.copy(in, copy);
            return copy;
        }
    }

    /** A loaded file can go where the system allows it; elsewhere it goes with the process. */
    private static void remove(@Nullable Path copy) {
        if (copy == null) {
            return;
        }
        try {
            Files.delete(copy);
            Files.delete(copy.getParent());
        } catch (IOException error) {
            copy.getParent().toFile().deleteOnExit();
            copy.toFile().deleteOnExit();
        }
    }

    /** The platform as the classifiers of the native jars have it. */
    static String platform() {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String arch = switch (System.getProperty("os.arch")) {
            case "amd64", "x86_64" -> "x86_64";
            case "aarch64", "arm64" -> "aarch_64";
            case String other -> other;
        };
        if (os.startsWith("linux")) {
            return "linux-" + arch + (isMusl() ? "-musl" : "");
        }
        return (os.startsWith("mac") ? "osx" : os.startsWith("windows") ? "windows" : os.replace(' ', '_')) + "-" + arch;
    }

    /** Whether this JVM was linked for musl instead of glibc: the head of its program names the loader. */
    private static boolean isMusl() {
        try (InputStream program = Files.newInputStream(Path.of("/proc/self/exe"))) {
            return new String(program.readNBytes(4096), StandardCharsets.ISO_8859_1).contains("/ld-musl-");
        } catch (IOException | SecurityException error) {
            return false;
        }
    }

    private static String readVersion() {
        Properties build = new Properties();
        try (InputStream in = NativeLibrary.class.getResourceAsStream("build.properties")) {
            build.load(in);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
        return build.getProperty("version");
    }

    private static String reason(Throwable error) {
        Throwable root = error;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root.getMessage() == null ? root.toString() : root.getMessage();
    }

    private static Fault fault(String message, @Nullable Throwable cause) {
        Fault fault = new Fault(message);
        fault.initCause(cause);
        return fault;
    }

    /** What is said in words of ours; the system has its own. */
    private static final class Fault extends UnsatisfiedLinkError {
        private static final long serialVersionUID = 1;

        Fault(String message) {
            super(message);
        }
    }
}
