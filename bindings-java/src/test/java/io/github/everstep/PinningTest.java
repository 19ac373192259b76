package io.github.everstep;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import jdk.jfr.consumer.RecordingStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** No virtual thread of a worker, or of a program that uses a client, waits on its carrier. */
@Timeout(60)
class PinningTest {
    /** Waits in its initializer, which pins on every JDK: shows that the recording sees it. */
    private static final class Pins {
        static {
            LockSupport.parkNanos(1_000_000);
        }

        static void touch() {}
    }

    private static void run(Client client, Workflow<Integer, Integer> workflow) throws Exception {
        var results = new ArrayList<Future<Integer>>();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < 300; i++) {
                int n = i;
                results.add(threads.submit(() -> client.startWorkflow(workflow, n).result(Duration.ofSeconds(40))));
            }
            for (int i = 0; i < 300; i++) assertEquals(i + 3, results.get(i).get(40, TimeUnit.SECONDS));
        }
    }

    @Test
    void nothingIsPinned() throws Exception {
        var w = Workflow.of("w", Integer.class, Integer.class, (ctx, n) -> {
            var branch = ctx.async(() -> ctx.callActivity("a", n, Integer.class).await());
            ctx.sleep(Duration.ofMillis(1));
            return branch.await() + ctx.callActivity("a", 1, Integer.class).await();
        });
        var pinned = new CopyOnWriteArrayList<String>();
        try (var client = Client.create("memory:");
                var worker = Worker.builder(client)
                        .workflows(w)
                        .activity("a", Integer.class, Integer.class, (ctx, n) -> n + 1)
                        .start();
                var events = new RecordingStream()) {
            // Classes that several threads need at once are waited for on the carrier, the first time.
            run(client, w);
            events.enable("jdk.VirtualThreadPinned").withoutThreshold().withStackTrace();
            events.onEvent("jdk.VirtualThreadPinned", event -> pinned.add(String.valueOf(event.getStackTrace())));
            events.startAsync();
            run(client, w);
            assertFalse(worker.isClosed());
            Thread.ofVirtual().name("pinned").start(Pins::touch).join();
            events.stop();
        }
        assertEquals(1, pinned.size(), () -> String.join("\n", pinned));
        assertTrue(pinned.getFirst().contains("PinningTest$Pins"), pinned::getFirst);
    }
}
