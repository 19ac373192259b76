import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;

/**
 * The closed loop that everstep and its peers are measured in: so many callers, each a virtual thread that begins again when it has
 * got its result.
 */
final class Loop {
    /** The compiler's work in a second, in milliseconds, that does not change what is measured. */
    private static final long LITTLE = 50;

    private static final CompilationMXBean COMPILER = ManagementFactory.getCompilationMXBean();

    private Loop() {}

    /**
     * Keeps {@code inFlight} calls open: until {@code warmUp} have ended and the just-in-time compiler has little to do, or
     * {@code within} is over; then for the seconds that count; then lets them end.
     *
     * @param call gives the number that five activities make of 1
     */
    static Map<String, Number> run(Callable<Integer> call, int inFlight, double seconds, int warmUp, Duration within)
            throws Exception {
        var open = new AtomicBoolean(true);
        var finished = new AtomicLong();
        Callable<Void> caller = () -> {
            while (open.get()) {
                var number = call.call();
                if (number == null || number != 6) {
                    throw new IllegalStateException("a workflow gave " + number + " instead of 6");
                }
                finished.incrementAndGet();
            }
            return null;
        };
        var figures = new LinkedHashMap<String, Number>();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var callers = IntStream.range(0, inFlight)
                    .<Future<Void>>mapToObj(number -> threads.submit(caller))
                    .toList();
            var warm = System.nanoTime() + within.toNanos();
            for (long compiled = 0; System.nanoTime() < warm; ) {
                long before = compiled;
                Thread.sleep(1000);
                compiled = COMPILER.getTotalCompilationTime();
                if (finished.get() >= warmUp && compiled - before < LITTLE) break;
            }
            var count = finished.get();
            var used = Given.cpu();
            var compiling = COMPILER.getTotalCompilationTime();
            var began = System.nanoTime();
            Thread.sleep((long) (seconds * 1000));
            var done = finished.get() - count;
            var took = (System.nanoTime() - began) / 1e9;
            figures.put("wf_per_s", done / took);
            figures.put("cpu_us", (Given.cpu() - used) / done);
            figures.put("compiling_ms", COMPILER.getTotalCompilationTime() - compiling);
            open.set(false);
            for (var each : callers) each.get();
        }
        figures.put("workflows", finished.get());
        return figures;
    }
}
