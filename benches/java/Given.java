import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What every bench is told, and how it answers; nothing here knows everstep, so that its peers can use it.
 *
 * @param dir a directory on the disk to be measured
 * @param numbers the other arguments by name
 */
record Given(Path dir, Map<String, Double> numbers) {
    /** Apart, since a small program does without it. */
    private static final class Processor {
        static final OperatingSystemMXBean SYSTEM =
                (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    }

    int count(String name) {
        return numbers.get(name).intValue();
    }

    double number(String name) {
        return numbers.get(name);
    }

    /** Reads the command line: {@code --dir} and what {@code usual} names, each with a number as its default. */
    static Given of(String[] arguments, Map<String, Double> usual) throws IOException {
        var numbers = new LinkedHashMap<>(usual);
        Path dir = null;
        for (int at = 0; at + 1 < arguments.length; at += 2) {
            var name = arguments[at].substring(2);
            if (name.equals("dir")) dir = Path.of(arguments[at + 1]);
            else if (numbers.replace(name, Double.valueOf(arguments[at + 1])) == null)
                throw new IllegalArgumentException("unknown argument --" + name + "; known are dir, " + usual.keySet());
        }
        if (dir == null) throw new IllegalArgumentException("--dir must name a directory on the disk to be measured");
        Files.createDirectories(dir);
        return new Given(dir, numbers);
    }

    /** Ends a bench: its figures as the one line of JSON that the driver reads. */
    static void report(Map<String, ? extends Number> figures) {
        var members = figures.entrySet().stream().map(each -> '"' + each.getKey() + "\": " + each.getValue());
        System.out.println(members.collect(Collectors.joining(", ", "{", "}")));
    }

    /** The smallest sample that at least {@code part} of all do not exceed. */
    static double percentile(double[] samples, double part) {
        var ordered = samples.clone();
        Arrays.sort(ordered);
        return ordered[Math.max(0, (int) Math.ceil(part * ordered.length) - 1)];
    }

    /** Microseconds of CPU of all threads, also of those that have ended. */
    static double cpu() {
        return Processor.SYSTEM.getProcessCpuTime() / 1e3;
    }

    /** Megabytes of memory that this process holds now. */
    static double residentMb() throws IOException {
        var status = Files.readString(Path.of("/proc/self/status"));
        var held = status.lines().filter(line -> line.startsWith("VmRSS:")).findFirst().orElseThrow();
        return Long.parseLong(held.replaceAll("\\D", "")) * 1024 / 1e6;
    }
}
