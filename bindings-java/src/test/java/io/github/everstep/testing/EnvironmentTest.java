package io.github.everstep.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.everstep.Activity;
import io.github.everstep.ActivityContext;
import io.github.everstep.Client;
import io.github.everstep.Filter;
import io.github.everstep.InvalidArgumentException;
import io.github.everstep.JacksonCodec;
import io.github.everstep.NamedWorkflow;
import io.github.everstep.NotFoundException;
import io.github.everstep.OperationTimeoutException;
import io.github.everstep.RuntimeStatus;
import io.github.everstep.StartOptions;
import io.github.everstep.WaitTimeoutException;
import io.github.everstep.Workflow;
import io.github.everstep.WorkflowState;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** An engine whose time skips, and contexts for activities. */
@Timeout(60)
class EnvironmentTest {
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final Duration DAY = Duration.ofDays(1);

    private static final NamedWorkflow<Integer, Long> PATIENT =
            Workflow.of("patient", Integer.class, Long.class, (ctx, days) -> {
                var began = ctx.now();
                ctx.sleep(Duration.ofDays(days));
                return Duration.between(began, ctx.now()).toDays();
            });

    private static final NamedWorkflow<Void, String> APPROVAL =
            Workflow.of("approval", Void.class, String.class, (ctx, none) -> {
                try {
                    return ctx.waitForEvent("approval", String.class, DAY.multipliedBy(3)).await();
                } catch (WaitTimeoutException late) {
                    return "nobody answered";
                }
            });

    @ParameterizedTest
    @ValueSource(ints = {0, 1000})
    void tenYearsPassAtOnce(int maxCached) {
        try (var env = Environment.start(worker -> worker.workflows(PATIENT).maxCached(maxCached))) {
            assertTrue(env.client().startWorkflow(PATIENT, 3650).result(LONG) >= 3650);
        }
    }

    @Test
    void timeStandsUntilSomebodyWaits() {
        try (var env = Environment.start(worker -> worker.workflows(APPROVAL))) {
            var answered = env.client().startWorkflow(APPROVAL, null);
            var forgotten = env.client().startWorkflow(APPROVAL, null);
            answered.raiseEvent("approval", "yes");
            assertEquals("yes", answered.result(LONG));
            assertEquals("nobody answered", forgotten.result(LONG));
        }
    }

    @Test
    void sleepLetsHappenWhatIsDue() {
        try (var env = Environment.start(worker -> worker.workflows(PATIENT, APPROVAL))) {
            var client = env.client();
            var day = client.startWorkflow(PATIENT, 1);
            var week = client.startWorkflow(PATIENT, 7);
            var waits = client.startWorkflow(APPROVAL, null);
            var before = env.now();
            var passed = Duration.between(before, env.sleep(DAY.multipliedBy(2)));
            assertTrue(passed.compareTo(DAY.multipliedBy(2)) >= 0 && passed.toHours() == 48, passed.toString());
            assertEquals(RuntimeStatus.COMPLETED, day.state().runtimeStatus());
            assertEquals(RuntimeStatus.RUNNING, week.state().runtimeStatus());
            waits.raiseEvent("approval", "in time");
            assertEquals("in time", waits.result(LONG));
            // Nothing is left of the aid itself.
            var ids = client.listWorkflows(Filter.all()).map(WorkflowState::instanceId).collect(Collectors.toSet());
            assertEquals(Set.of(day.instanceId(), week.instanceId(), waits.instanceId()), ids);
        }
    }

    @Test
    void timeDoesNotSkipWhileAnActivityRuns() throws Exception {
        var gate = new CountDownLatch(1);
        var held = Activity.of("held", Void.class, String.class, (ctx, none) -> {
            assertTrue(gate.await(30, TimeUnit.SECONDS));
            return "held";
        });
        var race = Workflow.of("race", Void.class, String.class, (ctx, none) ->
                ctx.any(ctx.call(held, null), ctx.timer(DAY)).await().index() == 0 ? "held" : "skipped");
        try (var env = Environment.start(worker -> worker.workflows(race).activities(held))) {
            var handle = env.client().startWorkflow(race, null);
            CompletableFuture<String> result = handle.async().result(LONG);
            // Time would have skipped by the time that this wait is over.
            assertThrows(OperationTimeoutException.class, () -> handle.result(Duration.ofMillis(200)));
            gate.countDown();
            assertEquals("held", result.get(30, TimeUnit.SECONDS));
        }
    }

    @Test
    void aStartMayBeDelayedByEngineTime() {
        try (var env = Environment.start(worker -> worker.workflows(PATIENT))) {
            env.sleep(DAY.multipliedBy(30));
            assertTrue(env.now().isAfter(Instant.now().plus(DAY.multipliedBy(29))));
            var handle = env.client().startWorkflow(PATIENT, 0, StartOptions.startAt(env.now().plus(DAY)));
            assertEquals(RuntimeStatus.PENDING, handle.state().runtimeStatus());
            assertEquals(0, handle.result(LONG));
            assertTrue(handle.state().startedAt().isAfter(Instant.now().plus(DAY.multipliedBy(30))));
        }
    }

    @Test
    void environmentsAreApart() {
        try (var one = Environment.start(worker -> worker.workflows(PATIENT));
                var other = Environment.start(worker -> worker.workflows(PATIENT));
                var more = Client.create(one.endpoint())) {
            one.client().startWorkflow(PATIENT, 0, StartOptions.instanceId("mine"));
            assertThrows(NotFoundException.class, () -> other.client().getWorkflow("mine"));
            assertEquals("mine", more.getWorkflow("mine").instanceId());
        }
    }

    @Test
    void aCodecServesClientAndWorker() {
        try (var env = Environment.start(new Reversed(), worker -> worker.workflows(PATIENT))) {
            var handle = env.client().startWorkflow(PATIENT, 12);
            assertEquals(12, handle.result(LONG));
            assertEquals("\"21\"", handle.state().input().text());
            assertTrue(env.now().isAfter(Instant.now().plus(DAY.multipliedBy(11))));
        }
    }

    @Test
    void argumentsAreChecked() {
        try (var env = Environment.start(worker -> {})) {
            assertThrows(InvalidArgumentException.class, () -> env.sleep(Duration.ofMillis(-1)));
        }
        assertThrows(
                InvalidArgumentException.class, () -> Environment.start(worker -> worker.workflows(PATIENT, PATIENT)));
    }

    @Test
    void closesWhatItOpened() {
        var env = Environment.start(worker -> worker.workflows(PATIENT));
        assertFalse(env.worker().isClosed());
        env.close();
        assertTrue(env.worker().isClosed());
        assertTrue(env.client().isClosed());
        env.close();
    }

    @Test
    void anActivityRunsWithAContextThatSaysWhatTheTestSays() throws Exception {
        Activity<Integer, String> charge =
                (ctx, amount) -> ctx.taskKey() + " " + amount + " " + ctx.attempt() + " " + ctx.isCancelled();
        ActivityContext nothing = TestActivityContext.create();
        assertEquals("test-task 7 1 false", charge.run(nothing, 7));
        assertFalse(nothing.awaitCancelled(Duration.ZERO));
        var context = TestActivityContext.create()
                .withName("charge")
                .withInstanceId("order-7")
                .withTaskKey("k")
                .withAttempt(2)
                .withDeadline(Instant.EPOCH);
        assertEquals("k 7 2 true", charge.run(context.cancel(), 7));
        assertTrue(context.awaitCancelled(LONG));
        assertTrue(context.awaitCancelled(Duration.ofSeconds(Long.MAX_VALUE)));
        assertEquals("charge", context.name());
        assertEquals("order-7", context.instanceId());
        assertEquals(Instant.EPOCH, context.deadline());
    }

    /** Stores each JSON text backwards, as a JSON string. */
    private static final class Reversed implements io.github.everstep.Codec {
        private final JacksonCodec json = JacksonCodec.create();

        @Override
        public String encode(Object value) {
            return json.encode(value);
        }

        @Override
        public Object decode(String text, java.lang.reflect.Type type) {
            return json.decode(text, type);
        }

        @Override
        public String seal(String text) {
            return json.encode(new StringBuilder(text).reverse().toString());
        }

        @Override
        public String unseal(String stored) {
            return new StringBuilder((String) json.decode(stored, String.class)).reverse().toString();
        }
    }
}
