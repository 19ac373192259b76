package io.github.everstep.turns;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.everstep.Activity;
import io.github.everstep.ApplicationException;
import io.github.everstep.NonRetryableException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How activities run and how they end, without an engine. */
@Timeout(60)
class ActivityHostTest {
    private static ScriptedCore running(Activity<Object, Object> function) {
        var activity = Activity.of("a", Object.class, Object.class, function);
        return new ScriptedCore(Duration.ofSeconds(10), List.of(), List.of(activity));
    }

    private static JsonNode errorOf(Activity<Object, Object> function) throws InterruptedException {
        try (var core = running(function)) {
            core.giveActivity("t", "a", "null");
            var error = core.answer("t").get("error");
            assertNotNull(error, "an error");
            return error;
        }
    }

    @Test
    void itKnowsItsCall() throws Exception {
        try (var core = running((ctx, input) -> {
            assertNull(ctx.deadline());
            assertFalse(ctx.isCancelled());
            assertTrue(Thread.currentThread().isVirtual());
            return List.of(ctx.name(), ctx.instanceId(), ctx.executionId(), ctx.taskKey(), ctx.taskId(), ctx.attempt(), input);
        })) {
            core.giveActivity("t", "a", "{\"deep\":[1]}");
            assertEquals("[\"a\",\"i\",\"r\",\"k\",3,2,{\"deep\":[1]}]", core.answer("t").get("value").toString());
        }
    }

    @Test
    void anExceptionWithoutAMessageIsAnAnswer() throws Exception {
        var error = errorOf((ctx, input) -> {
            throw new IllegalStateException();
        });
        assertEquals("IllegalStateException", error.get("type").asText());
        assertEquals("", error.get("message").asText());
        assertTrue(error.get("retryable").asBoolean());
        assertTrue(error.get("stack").asText().contains("ActivityHostTest"));
    }

    @Test
    void anErrorOfTheMachineIsAnAnswer() throws Exception {
        var error = errorOf(new Activity<>() {
            @Override
            public Object run(io.github.everstep.ActivityContext ctx, Object input) throws Exception {
                return run(ctx, input);
            }
        });
        assertEquals("StackOverflowError", error.get("type").asText());
    }

    @Test
    void aMessageThatCannotBeMadeIsAnAnswer() throws Exception {
        var error = errorOf((ctx, input) -> {
            throw new RuntimeException() {
                @Override
                public String getMessage() {
                    throw new UnsupportedOperationException();
                }
            };
        });
        assertEquals("RuntimeException", error.get("type").asText());
        assertTrue(error.get("message").asText().contains("UnsupportedOperationException"));
    }

    @Test
    void anErrorThatCannotBeDescribedIsAnAnswer() throws Exception {
        var error = errorOf((ctx, input) -> {
            throw new RuntimeException("x") {
                @Override
                public synchronized Throwable getCause() {
                    throw new UnsupportedOperationException();
                }
            };
        });
        assertTrue(error.get("message").asText().contains("UnsupportedOperationException"));
    }

    @Test
    void errorsSayTheirTypeTheirCausesAndWhetherToTryAgain() throws Exception {
        var error = errorOf((ctx, input) -> {
            throw new NonRetryableException("Refused", "no money", new ApplicationException("Inner", "half \ud800 of it"));
        });
        assertEquals("Refused", error.get("type").asText());
        assertFalse(error.get("retryable").asBoolean());
        assertEquals("Inner", error.get("cause").get("type").asText());
        assertEquals("half \ufffd of it", error.get("cause").get("message").asText());
    }

    @Test
    void causesThatGoInACircleEnd() throws Exception {
        var error = errorOf((ctx, input) -> {
            var one = new Exception("one");
            one.initCause(new Exception("two", one));
            throw one;
        });
        int depth = 0;
        for (var next = error; next != null; next = next.get("cause")) depth++;
        assertEquals(33, depth);
    }

    @Test
    void anOutputThatCannotBeEncodedIsNotTriedAgain() throws Exception {
        var error = errorOf((ctx, input) -> Double.NaN);
        assertEquals("invalid_argument", error.get("code").asText());
        assertFalse(error.get("retryable").asBoolean());
    }

    @Test
    void anInputThatCannotBeDecodedIsNotTriedAgain() throws Exception {
        var activity = Activity.of("a", Integer.class, Object.class, (ctx, number) -> number);
        try (var core = new ScriptedCore(Duration.ofSeconds(10), List.of(), List.of(activity))) {
            core.giveActivity("t", "a", "{\"no\":\"number\"}");
            var error = core.answer("t").get("error");
            assertEquals("decode_failed", error.get("code").asText());
            assertFalse(error.get("retryable").asBoolean());
            core.giveActivity("u", "unknown", "null");
            assertEquals("activity_not_registered", core.answer("u").get("error").get("code").asText());
        }
    }

    @Test
    void whoIsGivenUpIsInterrupted() throws Exception {
        var begun = new CountDownLatch(1);
        try (var core = running((ctx, input) -> {
            begun.countDown();
            try {
                new CountDownLatch(1).await();
                return "never";
            } catch (InterruptedException told) {
                return ctx.isCancelled() && ctx.awaitCancelled(Duration.ofDays(1));
            }
        })) {
            core.giveActivity("t", "a", "null");
            assertTrue(begun.await(30, TimeUnit.SECONDS));
            core.cancelActivity("t");
            assertTrue(core.answer("t").get("value").asBoolean());
        }
    }

    @Test
    void closingTellsThoseThatRun() throws Exception {
        var begun = new CountDownLatch(1);
        var told = new LinkedBlockingQueue<Boolean>();
        var core = running((ctx, input) -> {
            begun.countDown();
            told.add(ctx.awaitCancelled(Duration.ofDays(1)));
            return null;
        });
        core.giveActivity("t", "a", "null");
        assertTrue(begun.await(30, TimeUnit.SECONDS));
        core.close();
        assertEquals(true, told.poll(30, TimeUnit.SECONDS));
    }

    @Test
    void oneThatWaitsHoldsNobodyUpAndWhatEndsTogetherCrossesTogether() throws Exception {
        int many = 2000;
        var gate = new CountDownLatch(1);
        var begun = new CountDownLatch(many);
        try (var core = running((ctx, input) -> {
            begun.countDown();
            gate.await();
            return input;
        })) {
            for (int i = 0; i < many; i++) core.giveActivity("t" + i, "a", Integer.toString(i));
            assertTrue(begun.await(30, TimeUnit.SECONDS));
            gate.countDown();
            for (int i = 0; i < many; i++) assertEquals(i, core.answer("t" + i).get("value").asInt());
            assertTrue(core.texts.size() < many, "answers cross in fewer texts than there are answers");
        }
    }
}
