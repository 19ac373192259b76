package io.github.everstep;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Workflows that wait inside {@code synchronized}, more of them than there are threads to carry them. */
@Timeout(120)
class SynchronizedTest {
    private static final Duration LONG = Duration.ofSeconds(60);
    private static final int MANY = 2 * Runtime.getRuntime().availableProcessors() + 2;
    /** Whether such a wait keeps the carrier. */
    private static final boolean PINS = Runtime.version().feature() < 24;

    @Test
    void whatWaitsInsideSynchronizedHoldsNobodyUp() throws Exception {
        var left = new CountDownLatch(MANY);
        var guarded = Workflow.of("guarded", Integer.class, Integer.class, (ctx, number) -> {
            synchronized (new Object()) {
                try {
                    return number + ctx.waitForEvent("go", Integer.class).await();
                } finally {
                    left.countDown();
                }
            }
        });
        var plain = Workflow.of("plain", Integer.class, Integer.class, (ctx, number) -> ctx.callActivity(
                        "echo", number, Integer.class)
                .await());
        try (var client = Client.create("memory:");
                var worker = Worker.builder(client)
                        .workflows(guarded, plain)
                        .activity("echo", Integer.class, Integer.class, (ctx, number) -> number)
                        .start()) {
            var waiting = IntStream.range(0, MANY).mapToObj(n -> client.startWorkflow(guarded, n)).toList();
            var others = IntStream.range(0, MANY).mapToObj(n -> client.startWorkflow(plain, n)).toList();
            for (int n = 0; n < MANY; n++) assertEquals(n, others.get(n).result(LONG));
            // Each is let go of, so that its carrier is free, and stalls when something comes for it.
            if (PINS) assertTrue(left.await(LONG.toSeconds(), TimeUnit.SECONDS));
            for (int n = 0; n < MANY; n++) {
                var handle = waiting.get(n);
                handle.raiseEvent("go", 1);
                if (PINS) assertThrows(WorkflowStalledException.class, () -> handle.result(LONG));
                else assertEquals(n + 1, handle.result(LONG));
            }
            assertTrue(worker.isReady());
        }
    }
}
