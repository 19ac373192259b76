package io.github.everstep;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Another JVM, which has the class path of this one. */
public final class Jvm {
    private Jvm() {}

    /** One that runs a program. */
    public static ProcessBuilder of(Class<?> program, String... arguments) {
        return of(List.of(), program, arguments);
    }

    /** One with options of its own. */
    public static ProcessBuilder of(List<String> options, Class<?> program, String... arguments) {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--enable-native-access=ALL-UNNAMED");
        command.addAll(options);
        command.addAll(List.of("-cp", classPath(), program.getName()));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command);
    }

    /** Where the classes of the tests are; Maven may have put them behind a jar that names them. */
    public static String classPath() {
        return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    }
}
