package io.github.everstep;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Workflows as a Java program writes them, on an engine in memory. */
@Timeout(60)
class WorkerTest {
    private static final Duration LONG = Duration.ofSeconds(30);

    record Order(String item, int count, Instant placed) {}

    record Receipt(String item, List<Integer> parts, Duration took) {}

    static final class CardDeclined extends RuntimeException {
        private static final long serialVersionUID = 1;

        CardDeclined(String message) {
            super(message, new IllegalStateException("inner"));
        }
    }

    static final class Echo implements Activity<Integer, Integer> {
        @Override
        public Integer run(ActivityContext ctx, Integer input) {
            return input;
        }
    }

    @ActivityName("decline")
    static final class Decline implements Activity<String, Void> {
        @Override
        public Void run(ActivityContext ctx, String message) {
            throw new CardDeclined(message);
        }
    }

    /** A class above another one: types are found through it. */
    abstract static class Counting<T> implements Workflow<T, Receipt> {}

    @WorkflowName("order")
    static final class OrderProcessing extends Counting<Order> {
        @Override
        public Receipt run(WorkflowContext ctx, Order order) {
            var parts = new ArrayList<Task<Integer>>();
            for (int i = 0; i < order.count(); i++) parts.add(ctx.call(Echo.class, i));
            ctx.sleep(Duration.ofMillis(1));
            return new Receipt(order.item(), ctx.all(parts).await(), Duration.between(order.placed(), order.placed()));
        }
    }

    /** Runs a function as a workflow, cached and with every turn a replay; both must give the same. */
    private static <O> O both(Class<O> output, Workflow<Void, O> function) {
        var outputs = new ArrayList<O>();
        for (int maxCached : List.of(1000, 0)) {
            var workflow = Workflow.of("w", Void.class, output, function);
            try (var client = Client.create("memory:");
                    var worker = Worker.builder(client)
                            .workflows(workflow)
                            .activities(new Echo(), new Decline())
                            .maxCached(maxCached)
                            .start()) {
                assertFalse(worker.isClosed());
                outputs.add(client.startWorkflow(workflow, null).result(LONG));
            }
        }
        assertEquals(outputs.get(0), outputs.get(1));
        return outputs.get(0);
    }

    @Test
    void recordsAndTypesFoundInClassesGoThrough() {
        try (var client = Client.create("memory:");
                var worker = Worker.builder(client)
                        .workflows(new OrderProcessing())
                        .activities(new Echo())
                        .start()) {
            var order = new Order("book", 3, Instant.parse("2026-01-02T03:04:05Z"));
            WorkflowHandle<Receipt> handle =
                    client.startWorkflow(OrderProcessing.class, order, StartOptions.instanceId("order-7"));
            assertEquals(new Receipt("book", List.of(0, 1, 2), Duration.ZERO), handle.result(LONG));
            assertTrue(worker.isReady());
            worker.awaitReady(LONG);
        }
    }

    @Test
    void branchesTimersAndCombinatorsAreDurable() {
        var found = both(List.class, (ctx, none) -> {
            var branch = ctx.async(() -> {
                int sum = 0;
                for (int i = 1; i <= 3; i++) sum += ctx.call(Echo.class, i).await();
                return sum;
            });
            var first = ctx.any(List.of(ctx.timer(Duration.ofDays(1)), ctx.call(Echo.class, 7))).await();
            var many = ctx.map(Echo.class, List.of(1, 2, 3, 4, 5), MapOptions.maxConcurrency(2)).await();
            var settled = ctx.allSettled(List.of(ctx.call(Decline.class, "no"), ctx.timer(Duration.ZERO))).await();
            return List.of(
                    branch.await(),
                    first.index(),
                    many,
                    settled.get(0).isFailed(),
                    settled.get(1).isFailed(),
                    ctx.uuid().version());
        });
        assertEquals(6, found.get(0));
        assertEquals(1, found.get(1));
        assertEquals(List.of(1, 2, 3, 4, 5), found.get(2));
        assertEquals(List.of(true, false, 5), found.subList(3, 6));
    }

    @WorkflowName("sum")
    static final class Sum implements Workflow<Void, Integer> {
        @Override
        public Integer run(WorkflowContext ctx, Void none) {
            int sum = 0;
            for (int number : ctx.map(Echo.class, List.of(1, 2)).await()) sum += number;
            for (int number : ctx.map(new Echo(), List.of(3, 4)).await()) sum += number;
            return sum;
        }
    }

    @Test
    void whatTakesNoInputAndNoOptionsIsStartedAndMappedWithoutThem() {
        try (var client = Client.create("memory:");
                var worker = Worker.builder(client)
                        .workflows(new Sum())
                        .activities(new Echo())
                        .start()) {
            assertEquals(10, client.startWorkflow(Sum.class).result(LONG));
            assertEquals(10, client.startWorkflow(new Sum()).result(LONG));
            var named = client.startWorkflow("sum");
            assertEquals(10, named.result(LONG));
            assertNull(named.state().input());
            assertEquals(10, client.getHandle(named.instanceId(), new Sum()).result(LONG));
            var async = client.async();
            assertEquals(10, async.getHandle(named.instanceId(), new Sum()).result().join());
            assertEquals(10, async.startWorkflow(Sum.class).join().blocking().result(LONG));
            assertEquals(10, async.startWorkflow(new Sum()).join().blocking().result(LONG));
            assertEquals(10, async.startWorkflow("sum").join().blocking().result(LONG));
            assertFalse(worker.isClosed());
        }
    }

    @Test
    void aFailureKeepsItsTypeMessageCauseAndStack() {
        try (var client = Client.create("memory:");
                var worker = Worker.builder(client)
                        .workflow("w", Void.class, Void.class, (ctx, none) -> ctx.call(Decline.class, "no money").await())
                        .activities(new Decline())
                        .start()) {
            var handle = client.startWorkflow("w", null);
            var error = assertThrows(WorkflowFailedException.class, () -> handle.result(LONG));
            assertEquals("CardDeclined", error.errorType());
            assertEquals("no money", error.failure().message());
            assertTrue(error.isCausedBy(IllegalStateException.class));
            assertTrue(error.remoteStackTrace().contains("WorkerTest"));
            assertFalse(worker.isClosed());
        }
    }

    @Test
    void retriesEndWhereARepetitionCannotHelp() {
        var runs = new AtomicInteger();
        var result = new AtomicReference<Throwable>();
        try (var client = Client.create("memory:");
                var worker = Worker.builder(client)
                        .workflow("w", Void.class, Integer.class, (ctx, none) -> {
                            var retry = Retry.maxAttempts(5).withFirstInterval(Duration.ofMillis(1));
                            try {
                                ctx.callActivity("once", null, Void.class, CallOptions.retry(retry)).await();
                            } catch (ActivityFailedException error) {
                                result.set(error);
                            }
                            return ctx.callActivity("thrice", null, Integer.class, CallOptions.retry(retry)).await();
                        })
                        .activity("once", Void.class, Void.class, (ctx, none) -> {
                            runs.incrementAndGet();
                            throw new NonRetryableException("never");
                        })
                        .activity("thrice", Void.class, Integer.class, (ctx, none) -> {
                            if (ctx.attempt() < 3) throw new IllegalStateException();
                            return ctx.attempt();
                        })
                        .start()) {
            assertEquals(3, client.startWorkflow("w", null, Integer.class, StartOptions.none()).result(LONG));
            assertEquals(1, runs.get());
            assertInstanceOf(ActivityFailedException.class, result.get());
            assertFalse(worker.isClosed());
        }
    }

    @Test
    void aRawPayloadThatIsNoJsonSpoilsNothing() {
        try (var client = Client.create("memory:");
                var worker = Worker.builder(client)
                        .workflow("raw", Void.class, RawPayload.class, (ctx, none) -> {
                            ctx.setCustomStatus(new RawPayload(""));
                            return new RawPayload("{");
                        })
                        .start()) {
            assertFalse(worker.isClosed());
            var id = client.startWorkflow("raw", null).instanceId();
            var state = client.waitForWorkflowCompletion(id, LONG);
            assertEquals("{", state.output().text());
            assertEquals("", state.customStatus().text());
        }
    }

    @Test
    void eventsChildrenAndContinueAsNew() {
        var child = Workflow.of("child", Integer.class, Integer.class, (ctx, n) -> n * 2);
        var parent = Workflow.of("parent", Integer.class, Map.class, (ctx, n) -> {
            if (n == 0) return ctx.continueAsNew(1);
            ctx.setCustomStatus(Map.of("waits", true));
            var data = ctx.waitForEvent("go", String.class, Duration.ofMinutes(1)).await();
            int doubled = ctx.call(child, 21, ChildOptions.instanceId("kid")).await();
            return Map.of("data", data, "doubled", doubled, "id", ctx.instanceId());
        });
        try (var client = Client.create("memory:");
                var worker = Worker.builder(client).workflows(child, parent).start()) {
            var handle = client.startWorkflow(parent, 0, StartOptions.instanceId("p"));
            client.raiseWorkflowEvent("p", "GO", "there");
            assertEquals(Map.of("data", "there", "doubled", 42, "id", "p"), handle.result(LONG));
            assertEquals(RuntimeStatus.COMPLETED, client.getWorkflow("kid").runtimeStatus());
            assertFalse(worker.isClosed());
        }
    }

    @Test
    void whatBlocksStallsAndItsLaterWorkerGoesOn() {
        var blocks = Workflow.of("w", Void.class, String.class, (ctx, none) -> {
            new CountDownLatch(1).await();
            return "never";
        });
        var corrected = Workflow.of("w", Void.class, String.class, (ctx, none) -> "corrected");
        try (var client = Client.create("memory:")) {
            WorkflowHandle<String> handle;
            try (var worker = Worker.builder(client).workflows(blocks).blockedAfter(Duration.ofMillis(200)).start()) {
                handle = client.startWorkflow(blocks, null);
                assertThrows(WorkflowStalledException.class, () -> handle.result(LONG));
                assertFalse(worker.isClosed());
            }
            try (var worker = Worker.builder(client).workflows(corrected).start();
                    var watch = client.watchWorkflow(handle.instanceId())) {
                assertTrue(watch.stream().anyMatch(state -> state.runtimeStatus() == RuntimeStatus.COMPLETED));
                assertEquals("corrected", handle.result(LONG));
                assertFalse(worker.isClosed());
            }
        }
    }

    @Test
    void anActivityIsToldWhenItsAttemptHasTimedOut() throws Exception {
        var told = new CountDownLatch(1);
        try (var client = Client.create("memory:");
                var worker = Worker.builder(client)
                        .workflow("w", Void.class, Boolean.class, (ctx, none) -> {
                            // On a busy machine an attempt's time may be over before it begins; one of them has begun.
                            var retry = Retry.maxAttempts(3).withFirstInterval(Duration.ofMillis(1));
                            var options = CallOptions.timeout(Duration.ofMillis(100)).withRetry(retry);
                            try {
                                ctx.callActivity("slow", null, Void.class, options).await();
                                return false;
                            } catch (WaitTimeoutException error) {
                                return true;
                            }
                        })
                        .activity("slow", Void.class, Void.class, (ctx, none) -> {
                            if (ctx.awaitCancelled(LONG)) told.countDown();
                            return null;
                        })
                        .start()) {
            assertTrue(client.startWorkflow("w", null, Boolean.class, StartOptions.none()).result(LONG));
            assertTrue(told.await(30, TimeUnit.SECONDS));
            assertFalse(worker.isClosed());
        }
    }

    @Test
    void closingWaitsForWhatIsAtWork() throws Exception {
        var begun = new CountDownLatch(1);
        var go = new CountDownLatch(1);
        try (var client = Client.create("memory:")) {
            var worker = Worker.builder(client)
                    .workflow("w", Void.class, String.class, (ctx, none) -> ctx.callActivity("work", null, String.class).await())
                    .activity("work", Void.class, String.class, (ctx, none) -> {
                        begun.countDown();
                        go.await();
                        return "done";
                    })
                    .start();
            var handle = client.startWorkflow("w", null, String.class, StartOptions.none());
            assertTrue(begun.await(30, TimeUnit.SECONDS));
            var closer = Thread.ofVirtual().start(worker::close);
            assertFalse(worker.awaitClosed(Duration.ofMillis(50)));
            go.countDown();
            assertTrue(worker.awaitClosed(LONG));
            closer.join();
            worker.close();
            assertThrows(ClosedException.class, worker::awaitReady);
            // The activity's result was taken; the turn that it causes waits for the next worker.
            try (var next = Worker.builder(client)
                    .workflow("w", Void.class, String.class, (ctx, none) -> ctx.callActivity("work", null, String.class).await())
                    .start()) {
                assertEquals("done", handle.result(LONG));
                assertFalse(next.isClosed());
            }
        }
    }

    @Test
    void aThreadThatIsInterruptedWhileItClosesGivesUpWhatIsAtWork() throws Exception {
        var begun = new CountDownLatch(1);
        var stopped = new CountDownLatch(1);
        try (var client = Client.create("memory:")) {
            var worker = Worker.builder(client)
                    .workflow("w", Void.class, Void.class, (ctx, none) -> ctx.callActivity("work", null, Void.class).await())
                    .activity("work", Void.class, Void.class, (ctx, none) -> {
                        begun.countDown();
                        ctx.awaitCancelled(LONG);
                        stopped.countDown();
                        return null;
                    })
                    .start();
            client.startWorkflow("w", null);
            assertTrue(begun.await(30, TimeUnit.SECONDS));
            var kept = new AtomicReference<Boolean>();
            var closer = Thread.ofPlatform().start(() -> {
                worker.close(Duration.ofMinutes(10));
                kept.set(Thread.currentThread().isInterrupted());
            });
            closer.interrupt();
            closer.join();
            assertTrue(kept.get());
            assertTrue(worker.isClosed());
            assertTrue(stopped.await(30, TimeUnit.SECONDS));
        }
    }

    @Test
    void aWorkerCanBeClosedAfterItsClient() throws Exception {
        var client = Client.create("memory:");
        var begun = new CountDownLatch(1);
        var worker = Worker.builder(client)
                .workflow("w", Void.class, Void.class, (ctx, none) -> {
                    begun.countDown();
                    return ctx.waitForEvent("never", Void.class).await();
                })
                .start();
        client.startWorkflow("w", null);
        assertTrue(begun.await(30, TimeUnit.SECONDS));
        client.close();
        assertFalse(worker.isClosed());
        worker.close();
        assertTrue(worker.isClosed());
        assertFalse(worker.isReady());
    }

    @Test
    void aWorkerRefusesWhatItCannotRun() {
        var w = Workflow.of("w", Void.class, Void.class, (ctx, none) -> null);
        Workflow<Void, Void> bare = (ctx, none) -> null;
        try (var client = Client.create("memory:")) {
            assertThrows(InvalidArgumentException.class, () -> Worker.builder(client).workflows(bare));
            assertThrows(InvalidArgumentException.class, () -> Worker.builder(client).workflows(w, w).start());
            assertThrows(
                    InvalidArgumentException.class,
                    () -> Worker.builder(client).activities(new Echo(), new Echo()).start());
            assertThrows(
                    InvalidArgumentException.class,
                    () -> Worker.builder(client)
                            .workflows(w.withVersion("1").asLatest(), w.withVersion("2").asLatest())
                            .start());
            assertThrows(InvalidArgumentException.class, () -> Worker.builder(client).workflowSlots(0));
            assertThrows(InvalidArgumentException.class, () -> Worker.builder(client).blockedAfter(Duration.ZERO));
            client.close();
            assertThrows(ClosedException.class, () -> Worker.builder(client).workflows(w).start());
        }
    }

    @Test
    void versionsLiveSideBySide() {
        var one = Workflow.of("w", Void.class, String.class, (ctx, none) -> "one " + ctx.version()).withVersion("1");
        var two = Workflow.of("w", Void.class, String.class, (ctx, none) -> "two " + ctx.version()).withVersion("2");
        try (var client = Client.create("memory:");
                var worker = Worker.builder(client).workflows(one.asLatest(), two).start()) {
            assertEquals("one 1", client.startWorkflow("w", null, String.class, StartOptions.none()).result(LONG));
            assertEquals("two 2", client.startWorkflow(two, null).result(LONG));
            assertFalse(worker.isClosed());
        }
    }
}
