import java.io.File;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.stream.Collectors;

/**
 * The surface of the official Java SDK that concerns workflows: what {@code surface.txt} holds, a class or one of its
 * methods and constants a line.
 *
 * <pre>java -cp 'JARS/*' examples/dapr/java/Surface.java JARS/dapr-sdk-workflows-*.jar > examples/dapr/java/surface.txt</pre>
 */
public class Surface {
    /** What programs meet of other parts of the SDK. */
    private static final List<String> BESIDE = List.of(
            "io.dapr.config.Properties",
            "io.dapr.config.Property",
            "io.dapr.durabletask.CompositeTaskFailedException",
            "io.dapr.durabletask.FailureDetails",
            "io.dapr.durabletask.Task",
            "io.dapr.durabletask.TaskCanceledException",
            "io.dapr.durabletask.TaskFailedException");

    /** What nobody but the SDK itself makes or calls. */
    private static final List<String> INSIDE = List.of("internal.", "Wrapper", "Converter", "runtime.Default");

    public static void main(String[] args) throws Exception {
        var names = new TreeSet<>(BESIDE);
        names.add("io.dapr.workflows.runtime.DefaultWorkflowContext");
        try (var jar = new JarFile(new File(args[0]))) {
            jar.stream()
                    .map(entry -> entry.getName())
                    .filter(name -> name.endsWith(".class") && !name.matches(".*\\$\\d.*"))
                    .map(name -> name.replace(".class", "").replace('/', '.'))
                    .filter(name -> INSIDE.stream().noneMatch(name::contains))
                    .forEach(names::add);
        }
        for (var name : names) {
            describe(Class.forName(name, false, Surface.class.getClassLoader())).forEach(line -> System.out.println(name + line));
        }
    }

    /** What is public of a class, without the packages of types. */
    public static List<String> describe(Class<?> type) {
        var lines = new TreeSet<String>();
        for (var method : type.getMethods()) {
            boolean isOwn = method.getDeclaringClass() != Object.class && method.getDeclaringClass() != Enum.class
                    && !Throwable.class.equals(method.getDeclaringClass()) && !method.isSynthetic();
            if (isOwn && !method.getName().equals("toString")) {
                lines.add("#" + signature(method));
            }
        }
        for (var constructor : type.getConstructors()) {
            lines.add("#new" + parameters(constructor.getParameterTypes()));
        }
        for (var field : type.getFields()) {
            if (Modifier.isStatic(field.getModifiers())) {
                lines.add("#" + field.getName());
            }
        }
        var all = new ArrayList<>(List.of(""));
        all.addAll(lines);
        return all;
    }

    private static String signature(Method method) {
        return method.getName() + parameters(method.getParameterTypes()) + " " + method.getReturnType().getSimpleName();
    }

    private static String parameters(Class<?>[] types) {
        return Arrays.stream(types).map(Class::getSimpleName).collect(Collectors.joining(", ", "(", ")"));
    }
}
