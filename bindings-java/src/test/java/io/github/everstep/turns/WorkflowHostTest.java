package io.github.everstep.turns;

import static io.github.everstep.turns.ScriptedCore.EVICT;
import static io.github.everstep.turns.ScriptedCore.REPLAY;
import static io.github.everstep.turns.ScriptedCore.TURN;
import static io.github.everstep.turns.ScriptedCore.done;
import static io.github.everstep.turns.ScriptedCore.failed;
import static io.github.everstep.turns.ScriptedCore.start;
import static io.github.everstep.turns.ScriptedCore.task;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.everstep.ActivityFailedException;
import io.github.everstep.MapOptions;
import io.github.everstep.OperationCancelledException;
import io.github.everstep.Task;
import io.github.everstep.TypeRef;
import io.github.everstep.Workflow;
import io.github.everstep.WorkflowContext;
import io.github.everstep.WorkflowEvicted;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How the paths of a workflow run, without an engine. What the vectors say of steps is not said again here. */
@Timeout(60)
class WorkflowHostTest {
    private static final Duration SOON = Duration.ofSeconds(1);

    private static Workflow<Object, Object> workflow(Workflow<Object, Object> function) {
        return Workflow.of("w", Object.class, Object.class, function);
    }

    private static Task<String> echo(WorkflowContext ctx, String input) {
        return ctx.callActivity("echo", input, String.class);
    }

    /** What a step asks for, shortly: kind and input, ref or output. */
    private static List<String> asked(JsonNode step) {
        var asked = new ArrayList<String>();
        for (var command : step) {
            var what = command.path("input").asText(command.path("output").asText(command.path("ref").asText()));
            asked.add(command.get("kind").asText() + " " + what);
        }
        return asked;
    }

    @Test
    void whatTheEndUnwindsDoesNotRunAgain() throws Exception {
        var w = workflow((ctx, input) -> {
            try {
                return ctx.map("a", List.of(0, 1, 2), TypeRef.of(Object.class), MapOptions.maxConcurrency(1)).await();
            } catch (ActivityFailedException error) {
                // The branch of the map is to be resumed, too, when this ends the workflow.
                return "failed";
            }
        });
        try (var core = new ScriptedCore(w)) {
            for (int i = 0; i < 300; i++) {
                core.give(task("i" + i, 1, TURN, start("w")));
                core.answer("i" + i + ".1");
                core.give(task("i" + i, 2, TURN, failed(1, "activity_failed")));
                assertEquals(List.of("complete failed"), asked(core.step("i" + i + ".2")));
            }
        }
    }

    @Test
    void branchesRunOneAtATimeAndInTheOrderOfWhatComes() throws Exception {
        var order = new ArrayList<String>();
        var w = workflow((ctx, input) -> {
            var a = ctx.async(() -> {
                order.add("a begins");
                var got = echo(ctx, "a1").await();
                order.add("a has " + got);
                return echo(ctx, "a2").await();
            });
            var b = ctx.async(() -> {
                order.add("b begins");
                return echo(ctx, "b1").await();
            });
            order.add("main");
            var c = echo(ctx, "c1");
            ctx.all(a, b, c).await();
            return a.await() + b.await() + c.await();
        });
        try (var core = new ScriptedCore(w)) {
            core.give(task("i", 1, TURN, start("w")));
            assertEquals(List.of("activity c1", "activity a1", "activity b1"), asked(core.step("i.1")));
            core.give(task("i", 2, TURN, done(3, "\"B\""), done(2, "\"A\""), done(1, "\"C\"")));
            var steps = core.answer("i.2").get("steps");
            assertEquals(List.of(), asked(steps.get(1)));
            assertEquals(List.of("activity a2"), asked(steps.get(2)));
            assertEquals(List.of(), asked(steps.get(3)));
            core.give(task("i", 3, TURN, done(4, "\"AA\"")));
            assertEquals(List.of("complete AABC"), asked(core.step("i.3")));
        }
        assertEquals(List.of("main", "a begins", "b begins", "a has A"), order);
    }

    @Test
    void theSameHistoryGivesTheSameStepsInOneTaskAsInMany() throws Exception {
        var w = workflow((ctx, input) -> {
            var parts = new ArrayList<Task<String>>();
            for (int i = 0; i < 3; i++) {
                int part = i;
                parts.add(ctx.async(() -> echo(ctx, "first " + part).await() + echo(ctx, "second " + part).await()));
            }
            return String.join("", ctx.all(parts).await());
        });
        String[] jobs = {
            done(2, "\"x\""), done(1, "\"y\""), done(4, "\"z\""), done(3, "\"u\""), done(6, "\"v\""), done(5, "\"w\"")
        };
        try (var core = new ScriptedCore(w)) {
            var live = new ArrayList<JsonNode>();
            core.give(task("i", 0, TURN, start("w")));
            live.add(core.step("i.0"));
            for (int i = 0; i < jobs.length; i++) {
                core.give(task("i", i + 1, TURN, jobs[i]));
                live.add(core.step("i." + (i + 1)));
            }
            var all = new ArrayList<>(List.of(REPLAY, start("w")));
            all.addAll(List.of(jobs));
            core.give(task("j", 1, all.toArray(String[]::new)));
            var steps = core.answer("j.1").get("steps");
            for (int i = 0; i < live.size(); i++) assertEquals(live.get(i), steps.get(i + 1));
            assertEquals(List.of("complete ywxzuv"), asked(live.getLast()));
        }
    }

    @Test
    void anEvictedWorkflowUnwindsOnAContextThatAnswersNothing() throws Exception {
        var seen = new LinkedBlockingQueue<Object>();
        var w = workflow((ctx, input) -> {
            var branch = ctx.async(() -> {
                try {
                    return echo(ctx, "branch").await();
                } finally {
                    seen.add("branch");
                }
            });
            try {
                return branch.await();
            } catch (Exception swallowed) {
                seen.add(swallowed);
                return "swallowed";
            } catch (WorkflowEvicted evicted) {
                seen.add(assertThrows(WorkflowEvicted.class, () -> echo(ctx, "on the way out")));
                seen.add(assertThrows(WorkflowEvicted.class, ctx::now));
                throw evicted;
            }
        });
        try (var core = new ScriptedCore(w)) {
            core.give(task("i", 1, TURN, start("w")));
            assertEquals(List.of("activity branch"), asked(core.step("i.1")));
            // The next run of the instance comes in the same batch, before the old one can have unwound.
            core.give(task("i", 2, EVICT), task("i", 3, TURN, start("w")));
            assertEquals("[[]]", core.answer("i.2").get("steps").toString());
            assertEquals(List.of("activity branch"), asked(core.step("i.3")));
            assertInstanceOf(WorkflowEvicted.class, seen.poll(30, TimeUnit.SECONDS));
            assertInstanceOf(WorkflowEvicted.class, seen.poll(30, TimeUnit.SECONDS));
            assertEquals("branch", seen.poll(30, TimeUnit.SECONDS));
            core.give(task("i", 4, TURN, done(1, "\"x\"")));
            // Refs count from 1 in the new run; what unwound did not reach it.
            assertTrue(core.answer("i.4").toString().contains("\"output\":\"x\""));
        }
    }

    @Test
    void branchesThatAreLeftOverAtTheEndAreUnwound() throws Exception {
        var unwound = new CountDownLatch(1);
        var w = workflow((ctx, input) -> {
            ctx.async(() -> {
                try {
                    ctx.sleep(Duration.ofDays(1));
                } finally {
                    unwound.countDown();
                }
            });
            echo(ctx, "x").await();
            return "end";
        });
        try (var core = new ScriptedCore(w)) {
            core.give(task("i", 1, TURN, start("w")), task("i", 2, TURN, done(1, "1"), done(2, "1")));
            assertEquals(List.of("activity x", "timer 2"), asked(core.step("i.1")));
            var steps = core.answer("i.2").get("steps");
            assertEquals(List.of("complete end"), asked(steps.get(1)));
            assertTrue(steps.get(2).isEmpty());
            assertTrue(unwound.await(30, TimeUnit.SECONDS));
        }
    }

    @Test
    void noCatchSwallowsContinueAsNew() throws Exception {
        var w = workflow((ctx, input) -> {
            try {
                ctx.continueAsNew("next");
            } catch (Throwable everything) {
                // Too much, but the run ends as it was told.
            }
            return "swallowed";
        });
        var asks = workflow((ctx, input) -> {
            try {
                return ctx.continueAsNew("next");
            } catch (Throwable everything) {
                return echo(ctx, "more").await();
            }
        });
        try (var core = new ScriptedCore(w); var second = new ScriptedCore(asks)) {
            core.give(task("i", 1, TURN, start("w")));
            assertEquals(List.of("continue next"), asked(core.step("i.1")));
            second.give(task("i", 1, TURN, start("w")));
            assertEquals(List.of("continue next"), asked(second.step("i.1")));
        }
    }

    @Test
    void aBranchThatSwallowsContinueAsNewEndsTheRunToo() throws Exception {
        var w = workflow((ctx, input) -> {
            ctx.async(() -> {
                try {
                    ctx.continueAsNew("next");
                } catch (Throwable everything) {
                    // Too much.
                }
            });
            ctx.sleep(Duration.ofDays(1));
            return "never";
        });
        try (var core = new ScriptedCore(w)) {
            core.give(task("i", 1, TURN, start("w")));
            assertEquals(List.of("timer 1", "continue next"), asked(core.step("i.1")));
        }
    }

    @Test
    void whatABrokenBatchBringsEndsTheWorker() throws Exception {
        try (var core = new ScriptedCore(workflow((ctx, input) -> "end"))) {
            core.give("this is no task");
            // Closing waits until the host has ended.
        }
    }

    @Test
    void aBranchMayContinueAsNew() throws Exception {
        var w = workflow((ctx, input) -> {
            ctx.async(() -> {
                echo(ctx, "x").await();
                ctx.continueAsNew("next");
            });
            ctx.sleep(Duration.ofDays(1));
            return "never";
        });
        try (var core = new ScriptedCore(w)) {
            core.give(task("i", 1, TURN, start("w")), task("i", 2, TURN, done(2, "1")));
            assertEquals(List.of("continue next"), asked(core.step("i.2")));
        }
    }

    @Test
    void aBranchThatIsGivenUpGivesUpWhatItWaitsFor() throws Exception {
        var w = workflow((ctx, input) -> {
            var branch = ctx.async(() -> echo(ctx, "slow").await());
            var never = new ArrayList<String>();
            echo(ctx, "first").await();
            var dropped = ctx.async(() -> never.add("ran"));
            boolean given = branch.cancel() && dropped.cancel();
            assertThrows(OperationCancelledException.class, branch::await);
            assertThrows(OperationCancelledException.class, dropped::await);
            return given && never.isEmpty() && !branch.cancel();
        });
        try (var core = new ScriptedCore(w)) {
            core.give(task("i", 1, TURN, start("w")), task("i", 2, TURN, done(1, "1")));
            assertEquals(List.of("activity first", "activity slow"), asked(core.step("i.1")));
            assertEquals(List.of("cancel 2", "complete true"), asked(core.step("i.2")));
        }
    }

    @Test
    void aFailureOfABranchIsWhatItsWaiterSees() throws Exception {
        var w = workflow((ctx, input) -> {
            var branch = ctx.async(() -> {
                throw new java.io.IOException("no disk");
            });
            var fails = echo(ctx, "x");
            var outcomes = ctx.allSettled(List.of(branch, fails)).await();
            assertInstanceOf(ActivityFailedException.class, outcomes.get(1).error());
            return branch.await();
        });
        try (var core = new ScriptedCore(w)) {
            core.give(task("i", 1, TURN, start("w")), task("i", 2, TURN, failed(1, "activity_failed")));
            var error = core.step("i.2").get(0).get("error");
            assertEquals("IOException", error.get("type").asText());
            assertEquals("no disk", error.get("message").asText());
            assertTrue(error.get("stack").asText().contains("WorkflowHostTest"));
        }
    }

    @Test
    void theItemsOfAMapAreReadOnlyAsFarAsIsNeeded() throws Exception {
        var read = new ArrayList<Integer>();
        var w = workflow((ctx, input) -> {
            Iterable<Integer> items = () -> java.util.stream.IntStream.iterate(1, i -> i + 1)
                    .peek(read::add)
                    .iterator();
            var first = ctx.async(() -> {
                ctx.map("echo", items, TypeRef.of(Integer.class), MapOptions.maxConcurrency(2)).await();
            });
            return ctx.any(first, ctx.timer(Duration.ofSeconds(1))).await().index();
        });
        try (var core = new ScriptedCore(w)) {
            core.give(task("i", 1, TURN, start("w")));
            assertEquals(List.of("timer 1", "activity 1", "activity 2"), asked(core.step("i.1")));
            core.give(task("i", 2, TURN, done(2, "1")));
            assertEquals(List.of("activity 3"), asked(core.step("i.2")));
            core.give(task("i", 3, TURN, done(1, "null")));
            assertEquals(List.of("cancel 3", "cancel 4", "complete 1"), asked(core.step("i.3")));
        }
        assertEquals(List.of(1, 2, 3), read);
    }

    @Test
    void aPayloadThatCannotBeReadFailsWhoWaitsForIt() throws Exception {
        var w = workflow((ctx, input) -> {
            var number = ctx.callActivity("echo", null, Integer.class);
            try {
                return number.await();
            } catch (io.github.everstep.DecodeException error) {
                return error.code();
            }
        });
        try (var core = new ScriptedCore(w)) {
            core.give(task("i", 1, TURN, start("w")), task("i", 2, TURN, done(1, "{\"no\":\"number\"}")));
            assertEquals(List.of("complete decode_failed"), asked(core.step("i.2")));
        }
    }

    @Test
    void whatCannotBeEncodedStalls() throws Exception {
        var w = workflow((ctx, input) -> {
            try {
                return ctx.callActivity("echo", new Object() {
                    @SuppressWarnings("unused")
                    public Object getSelf() {
                        return this;
                    }
                }, Object.class).await();
            } catch (RuntimeException error) {
                return "swallowed";
            }
        });
        try (var core = new ScriptedCore(w)) {
            core.give(task("i", 1, TURN, start("w")));
            assertEquals("encode_failed", core.stall("i.1"));
        }
    }

    @Test
    void aContextOnAnotherThreadStalls() throws Exception {
        var w = workflow((ctx, input) -> {
            var other = new AtomicReference<Throwable>();
            var thread = Thread.ofVirtual().start(() -> {
                try {
                    echo(ctx, "foreign");
                } catch (Throwable error) {
                    other.set(error);
                }
            });
            thread.join();
            assertInstanceOf(io.github.everstep.NonDurableException.class, other.get());
            return "end";
        });
        try (var core = new ScriptedCore(w)) {
            core.give(task("i", 1, TURN, start("w")));
            assertEquals("non_durable", core.stall("i.1"));
        }
    }

    @Test
    void branchesThatWaitForEachOtherStall() throws Exception {
        var w = workflow((ctx, input) -> {
            var other = new AtomicReference<Task<String>>();
            var a = ctx.async(() -> other.get().await());
            other.set(ctx.async(() -> a.await()));
            return a.await();
        });
        try (var core = new ScriptedCore(w)) {
            core.give(task("i", 1, TURN, start("w")));
            assertEquals("non_durable", core.stall("i.1"));
        }
    }

    @Test
    void whatBlocksStallsAndHoldsNobodyUp() throws Exception {
        var interrupted = new LinkedBlockingQueue<Object>();
        var w = workflow((ctx, input) -> {
            if (ctx.instanceId().startsWith("good")) return echo(ctx, "x").await();
            try {
                new CountDownLatch(1).await();
            } finally {
                interrupted.add(assertThrows(WorkflowEvicted.class, ctx::uuid));
            }
            return "never";
        });
        try (var core = new ScriptedCore(SOON, List.of(w), List.of())) {
            for (int i = 0; i < 20; i++) core.give(task("bad" + i, 1, TURN, start("w")));
            core.give(task("good", 1, TURN, start("w")), task("good", 2, TURN, done(1, "\"there\"")));
            assertEquals(List.of("complete there"), asked(core.step("good.2")));
            for (int i = 0; i < 20; i++) {
                var stall = core.answer("bad" + i + ".1").get("stall");
                assertEquals("non_durable", stall.get("code").asText());
                assertTrue(stall.get("stack").asText().contains("CountDownLatch"));
                assertInstanceOf(WorkflowEvicted.class, interrupted.poll(30, TimeUnit.SECONDS));
            }
            // The instance is gone: a new start begins from nothing.
            core.give(task("bad0", 2, TURN, start("w")));
            assertEquals("non_durable", core.stall("bad0.2"));
        }
    }

    @Test
    void whatComputesForeverStalls() throws Exception {
        var stop = new CountDownLatch(1);
        var w = workflow((ctx, input) -> {
            while (stop.getCount() > 0) Thread.onSpinWait();
            return ctx.now().toString();
        });
        try (var core = new ScriptedCore(SOON, List.of(w), List.of())) {
            core.give(task("i", 1, TURN, start("w")));
            assertEquals("blocked", core.stall("i.1"));
            stop.countDown();
        }
    }

    @Test
    void whatHasNoCarrierIsNotBlamedForIt() throws Exception {
        int carriers = Runtime.getRuntime().availableProcessors();
        var taken = new CountDownLatch(carriers);
        var until = new AtomicLong(Long.MAX_VALUE);
        for (int i = 0; i < carriers; i++) {
            Thread.ofVirtual().start(() -> {
                taken.countDown();
                while (System.nanoTime() < until.get()) Thread.onSpinWait();
            });
        }
        assertTrue(taken.await(20, TimeUnit.SECONDS));
        try (var core = new ScriptedCore(SOON, List.of(workflow((ctx, input) -> echo(ctx, "x").await())), List.of())) {
            core.give(task("i", 1, TURN, start("w")));
            // Longer than a workflow may keep its turn.
            until.set(System.nanoTime() + 4 * SOON.toNanos());
            assertEquals(List.of("activity x"), asked(core.step("i.1")));
        } finally {
            until.set(Long.MIN_VALUE);
        }
    }

    /** Waits in its initializer, which holds the carrier on every JDK. */
    private static final class Pins {
        static WorkflowContext context;

        static final class Holder {
            static final String VALUE = echo(context, "pinned").await();
        }
    }

    @Test
    void whatWaitsOnItsCarrierIsLetGoAndStalls() throws Exception {
        var w = workflow((ctx, input) -> {
            Pins.context = ctx;
            return Pins.Holder.VALUE;
        });
        try (var core = new ScriptedCore(SOON, List.of(w), List.of())) {
            core.give(task("i", 1, TURN, start("w")));
            assertEquals(List.of("activity pinned"), asked(core.step("i.1")));
            // Two looks of the watchdog; the second one lets go. Until then the answer is a step, after it a stall.
            String code = "";
            for (int number = 2; code.isEmpty(); number++) {
                core.give(task("i", number, TURN, done(99, "1")));
                code = core.stall("i." + number);
            }
            assertEquals("blocked", code);
        }
    }

    @Test
    void interruptsOfAWorkflowsThreadDoNotMatter() throws Exception {
        var w = workflow((ctx, input) -> {
            Thread.currentThread().interrupt();
            return echo(ctx, "x").await();
        });
        try (var core = new ScriptedCore(w)) {
            core.give(task("i", 1, TURN, start("w")));
            assertEquals(List.of("activity x"), asked(core.step("i.1")));
            core.give(task("i", 2, TURN, done(1, "\"there\"")));
            assertEquals(List.of("complete there"), asked(core.step("i.2")));
        }
    }

    @Test
    void anErrorWithoutAMessageFailsTheRunToo() throws Exception {
        var w = workflow((ctx, input) -> {
            throw (Error) new StackOverflowError();
        });
        try (var core = new ScriptedCore(w)) {
            core.give(task("i", 1, TURN, start("w")));
            var error = core.step("i.1").get(0).get("error");
            assertEquals("StackOverflowError", error.get("type").asText());
            assertEquals("", error.get("message").asText());
        }
    }

    @Test
    void anUnknownVersionAndAJobOfTheFutureStall() throws Exception {
        var w = workflow((ctx, input) -> "end");
        try (var core = new ScriptedCore(w)) {
            core.give(task("i", 1, TURN, "{\"kind\":\"start\",\"name\":\"w\",\"version\":\"7\",\"seed\":\"1\"}"));
            assertEquals("version_not_available", core.stall("i.1"));
            core.give(task("j", 1, TURN, "{\"kind\":\"dance\"}"));
            assertEquals("invalid_argument", core.stall("j.1"));
        }
    }

    @Test
    void theLogIsSilentWhileReplaying() throws Exception {
        var loggable = new ArrayList<Boolean>();
        var w = workflow((ctx, input) -> {
            loggable.add(ctx.logger().isLoggable(System.Logger.Level.ERROR));
            echo(ctx, "x").await();
            loggable.add(ctx.logger().isLoggable(System.Logger.Level.ERROR));
            return ctx.isReplaying();
        });
        try (var core = new ScriptedCore(w)) {
            core.give(task("i", 1, REPLAY, start("w"), TURN, done(1, "1")));
            assertEquals(List.of("complete false"), asked(core.step("i.1")));
        }
        assertEquals(List.of(false, true), loggable);
    }

    @Test
    void closingUnwindsWhatWaits() throws Exception {
        BlockingQueue<String> unwound = new LinkedBlockingQueue<>();
        var w = workflow((ctx, input) -> {
            try {
                return echo(ctx, "x").await();
            } finally {
                unwound.add(ctx.instanceId());
            }
        });
        var core = new ScriptedCore(w);
        core.give(task("i", 1, TURN, start("w")));
        assertFalse(core.step("i.1").isEmpty());
        assertNull(unwound.peek());
        core.close();
        assertEquals("i", unwound.poll(30, TimeUnit.SECONDS));
    }
}
