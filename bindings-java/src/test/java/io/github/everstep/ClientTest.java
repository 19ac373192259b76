package io.github.everstep;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What needs no worker. */
@Timeout(60)
class ClientTest {
    record Order(String item, int count) {}

    private final Client client = Client.create("memory:");

    @AfterEach
    void close() {
        client.close();
    }

    private WorkflowHandle<Object> start(String id) {
        return client.startWorkflow("ship", new Order("lamp", 2), Object.class, StartOptions.instanceId(id));
    }

    @Test
    void aStartIsThereAndSaysWhatItWasGiven() {
        Instant before = Instant.now().minusSeconds(1);
        var options = StartOptions.instanceId("order-7").withTags(Map.of("shop", "main")).withDelay(Duration.ofHours(1));
        WorkflowHandle<String> handle = client.startWorkflow("ship", new Order("lamp", 2), String.class, options);
        assertEquals("order-7", handle.instanceId());
        assertNotNull(handle.executionId());
        WorkflowState state = handle.state();
        assertEquals("ship", state.name());
        assertEquals(RuntimeStatus.PENDING, state.runtimeStatus());
        assertEquals(new Order("lamp", 2), state.input(Order.class));
        assertEquals("{\"item\":\"lamp\",\"count\":2}", state.input().text());
        assertEquals(Map.of("shop", "main"), state.tags());
        assertTrue(state.createdAt().isAfter(before));
        assertTrue(state.startAt().isAfter(state.createdAt().plusSeconds(3500)));
        assertNull(state.output());
        assertNull(client.getWorkflow("order-7", false).input());
        assertEquals(Set.of("dapr.workflow.input"), state.properties().keySet());
    }

    @Test
    void aHandleReadsAndDeletesWithOrWithoutChildren() throws Exception {
        var handle = start("a");
        assertEquals(handle.history().events().size(), handle.history(2).events().size());
        handle.terminate();
        assertEquals(1, handle.purge(false));
        var other = start("b").async();
        assertEquals("b", other.history(2).get(20, TimeUnit.SECONDS).instanceId());
        other.terminate().get(20, TimeUnit.SECONDS);
        assertEquals(1L, other.purge(false).get(20, TimeUnit.SECONDS));
    }

    @Test
    void bothFormsOfAClientSayTheSameOfIt() {
        var async = client.async();
        assertEquals(client.endpoint(), async.endpoint());
        assertFalse(async.isClosed());
        client.close();
        assertTrue(async.isClosed());
    }

    @Test
    void aStartWithoutInputHasNone() {
        assertNull(client.startWorkflow("ship", null).state().input());
        assertEquals("null", client.startWorkflow("ship", new RawPayload("null")).state().input().text());
    }

    @Test
    void theClassOfAWorkflowIsNotTheTypeOfItsOutput() {
        assertThrows(InvalidArgumentException.class, () -> client.getHandle("a", Workflow.class));
        assertThrows(InvalidArgumentException.class, () -> client.async().getHandle("a", Workflow.class));
    }

    @Test
    void anIdIsForOneRunningInstance() {
        start("a");
        AlreadyExistsException error = assertThrows(AlreadyExistsException.class, () -> start("a"));
        assertEquals("start_workflow", error.operation());
        assertEquals("a", error.instanceId());
        client.terminateWorkflow("a", TerminateOptions.output("done"));
        assertEquals("done", client.getWorkflow("a").output(String.class));
        assertThrows(AlreadyExistsException.class, () -> client.startWorkflow(
                "ship", null, Object.class, StartOptions.instanceId("a").withReuse(Reuse.NEVER)));
        start("a");
    }

    @Test
    void argumentsThatCannotBeRightAreRefusedByName() {
        assertThrows(InvalidArgumentException.class, () -> start("not an id"));
        assertThrows(InvalidArgumentException.class, () -> client.getWorkflow(null));
        assertThrows(InvalidArgumentException.class, () -> client.getWorkflow("half \ud83d"));
        assertThrows(InvalidArgumentException.class, () -> client.startWorkflow("ship", Double.NaN));
        assertThrows(InvalidArgumentException.class, () -> client.waitForWorkflowStart("a", Duration.ofSeconds(-1)));
        assertThrows(InvalidArgumentException.class, () -> client.listWorkflows(Filter.all(), ListOptions.pageSize(0)));
        assertThrows(InvalidArgumentException.class, () -> Client.create("ftp://nowhere"));
        assertThrows(InvalidArgumentException.class, () -> client.component("nobody").getWorkflow("a"));
        assertThrows(NotFoundException.class, () -> client.getWorkflow("nobody"));
    }

    @Test
    void pauseResumeTerminatePurge() {
        WorkflowHandle<Object> handle = start("a");
        handle.pause("because");
        assertEquals(RuntimeStatus.SUSPENDED, handle.state().runtimeStatus());
        handle.resume();
        assertEquals(RuntimeStatus.PENDING, handle.state().runtimeStatus());
        handle.raiseEvent("approval", Map.of("by", "me"));
        assertThrows(FailedPreconditionException.class, handle::purge);
        handle.terminate();
        WorkflowTerminatedException error = assertThrows(WorkflowTerminatedException.class, handle::result);
        assertEquals("a", error.instanceId());
        assertEquals(1, handle.purge());
        assertThrows(NotFoundException.class, handle::state);
    }

    @Test
    void aRerunGoesOnFromAnEventOfWhatHasFinished() {
        var ship = Activity.of("ship", String.class, String.class, (ctx, item) -> "shipped " + item);
        var order = Workflow.of("order", String.class, String.class, (ctx, item) -> ctx.call(ship, item).await());
        try (Worker worker = Worker.builder(client).workflows(order).activities(ship).start()) {
            WorkflowHandle<String> first = client.startWorkflow(order, "lamp");
            assertEquals("shipped lamp", first.result(Duration.ofSeconds(30)));
            int event = first.history().eventsOf("TaskScheduled").getFirst().eventId();
            RerunOptions options = RerunOptions.input("table");
            WorkflowHandle<String> second = first.rerun(event, options.withNewInstanceId("again"));
            assertEquals("again", second.instanceId());
            assertEquals("shipped table", second.result(Duration.ofSeconds(30)));
            assertEquals("shipped table", first.async().rerun(event, options).join().result().join());
            assertThrows(NotFoundException.class, () -> first.rerun(99, RerunOptions.none()));
            assertTrue(worker.isReady());
        }
        WorkflowHandle<Object> unfinished = start("a");
        assertThrows(FailedPreconditionException.class, () -> unfinished.rerun(0, RerunOptions.none()));
    }

    @Test
    void manyAreListedCountedAndEnded() {
        for (int i = 0; i < 25; i++) {
            start("a-" + i);
        }
        client.startWorkflow("bill", null);
        Filter ship = Filter.name("ship");
        assertEquals(Map.of(RuntimeStatus.PENDING, 25L), client.countWorkflows(ship));
        List<WorkflowState> states = client.listWorkflows(ship, ListOptions.pageSize(10).withPayloads(true)).toList();
        assertEquals(25, states.stream().map(WorkflowState::instanceId).collect(Collectors.toSet()).size());
        assertEquals(new Order("lamp", 2), states.getLast().input(Order.class));
        Page page = client.listWorkflowsPage(ship, ListOptions.pageSize(10), null);
        assertEquals(10, page.states().size());
        assertNotNull(page.cursor());
        List<Long> told = new ArrayList<>();
        assertEquals(25, client.terminateWorkflows(ship, BulkOptions.progress(told::add)));
        assertEquals(25, told.getLast());
        assertEquals(25, client.async().purgeWorkflows(Filter.status(RuntimeStatus.TERMINATED)).join());
        assertEquals(Map.of(RuntimeStatus.PENDING, 1L), client.countWorkflows(Filter.all()));
    }

    @Test
    void aListingIsLazyAndMayBeLeft() {
        for (int i = 0; i < 7; i++) start("w-" + i);
        var newest = client.listWorkflows(Filter.all(), ListOptions.pageSize(2)).limit(3).map(WorkflowState::instanceId);
        assertEquals(List.of("w-6", "w-5", "w-4"), newest.toList());
        var since = Filter.all().withCreatedFrom(client.getWorkflow("w-3").createdAt());
        assertEquals(
                List.of("w-6", "w-5", "w-4", "w-3"),
                client.listWorkflows(since).map(WorkflowState::instanceId).toList());
    }

    @Test
    void aWatchGivesEachStateToTheLast() {
        WorkflowHandle<Object> handle = start("a");
        try (Watch watch = handle.watch()) {
            assertEquals(RuntimeStatus.PENDING, watch.next().runtimeStatus());
            handle.pause();
            assertEquals(RuntimeStatus.SUSPENDED, watch.next().runtimeStatus());
            handle.terminate();
            assertEquals(RuntimeStatus.TERMINATED, watch.next().runtimeStatus());
            assertFalse(watch.hasNext());
        }
    }

    @Test
    void aWatchThatIsClosedEndsItsWait() throws Exception {
        Watch watch = start("a").watch();
        watch.next();
        Thread waiter = Thread.ofVirtual().start(() -> assertFalse(watch.hasNext()));
        while (waiter.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
        }
        watch.close();
        assertTrue(waiter.join(Duration.ofSeconds(30)));
    }

    @Test
    void aHistoryIsReadAndDrawn() {
        WorkflowHandle<Object> handle = start("a");
        handle.pause("because");
        handle.terminate();
        History history = handle.history();
        assertEquals("a", history.instanceId());
        HistoryEvent started = history.eventsOf("ExecutionStarted").getFirst();
        assertEquals("ship", started.name());
        assertEquals("{\"item\":\"lamp\",\"count\":2}", started.attributes().get("input"));
        assertEquals(history.events().get(started.index()), started);
        assertTrue(history.toMermaid().startsWith("sequenceDiagram"));
        assertEquals(List.of(), history.childIds());
    }

    @Test
    void componentsAreAskedByName(@TempDir Path directory) {
        try (Client both = Client.builder()
                .endpoint("memory:")
                .component("archive", "sqlite:" + directory.resolve("archive.db"))
                .durability(Durability.PROCESS)
                .callTimeout(Duration.ofSeconds(20))
                .maxPayloadBytes(100)
                .build()) {
            both.component("archive").startWorkflow("ship", 1, Object.class, StartOptions.instanceId("a"));
            assertEquals(1, both.component("archive").getWorkflow("a").input(int.class));
            assertThrows(NotFoundException.class, () -> both.getWorkflow("a"));
            assertThrows(PayloadTooLargeException.class, () -> both.startWorkflow("ship", "x".repeat(200)));
            assertThrows(
                    FailedPreconditionException.class, () -> Client.create("sqlite:" + directory.resolve("archive.db")).close());
        }
    }
}
