import io.github.everstep.Client;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingStream;

/** How often a virtual thread waits on its carrier, and so holds it, while the load of {@code Load} runs. */
public final class Pinned {
    private static final String EVENT = "jdk.VirtualThreadPinned";

    private Pinned() {}

    /** Waits in its initializer, which pins on every JDK: shows that the recording sees it. */
    private static final class Pins {
        static {
            LockSupport.parkNanos(1_000_000);
        }

        static void touch() {}
    }

    public static void main(String[] arguments) throws Exception {
        var given = Given.of(arguments, Map.of("in-flight", 256.0, "seconds", 3.0, "warm-up", 5000.0));
        var pinned = new AtomicInteger();
        var proofs = new AtomicInteger();
        var figures = new LinkedHashMap<String, Number>();
        try (var client = Subject.openClient(Subject.database(given.dir(), "pinned"));
                var worker = Subject.startWorker(client);
                var events = new RecordingStream()) {
            events.enable(EVENT).withoutThreshold().withStackTrace();
            events.onEvent(EVENT, event -> {
                if (isProof(event)) proofs.incrementAndGet();
                else if (pinned.getAndIncrement() == 0) System.err.println(event);
            });
            // Classes that several threads need at once are waited for on the carrier, the first time.
            Loop.run(() -> five(client), given.count("in-flight"), 0.1, given.count("warm-up"), Duration.ofSeconds(40));
            events.startAsync();
            figures.putAll(Loop.run(() -> five(client), given.count("in-flight"), given.number("seconds"), 0, Duration.ZERO));
            Thread.ofVirtual().start(Pins::touch).join();
            events.stop();
        }
        if (proofs.get() != 1) throw new IllegalStateException("the recording does not see what is pinned");
        figures.put("pinned", pinned.get());
        Given.report(figures);
    }

    private static Integer five(Client client) {
        return client.startWorkflow(Subject.FIVE_ACTIVITIES, 1).result(Duration.ofMinutes(1));
    }

    private static boolean isProof(RecordedEvent event) {
        return event.getStackTrace().getFrames().stream()
                .anyMatch(frame -> frame.getMethod().getType().getName().equals(Pins.class.getName()));
    }
}
