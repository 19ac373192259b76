package io.github.everstep.turns;

import static io.github.everstep.turns.ScriptedCore.EVICT;
import static io.github.everstep.turns.ScriptedCore.TURN;
import static io.github.everstep.turns.ScriptedCore.done;
import static io.github.everstep.turns.ScriptedCore.start;
import static io.github.everstep.turns.ScriptedCore.task;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.annotation.JsonRawValue;
import io.github.everstep.Activity;
import io.github.everstep.CallOptions;
import io.github.everstep.Codec;
import io.github.everstep.InvalidArgumentException;
import io.github.everstep.JacksonCodec;
import io.github.everstep.Task;
import io.github.everstep.TypeRef;
import io.github.everstep.Workflow;
import io.github.everstep.WorkflowContext;
import java.lang.reflect.Type;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Code that does what it should not: it harms itself, and nobody else. */
@Timeout(60)
class HostileCodeTest {
    private static final Duration LONG = Duration.ofSeconds(30);

    private static Workflow<Object, Object> workflow(String name, Workflow<Object, Object> function) {
        return Workflow.of(name, Object.class, Object.class, function);
    }

    private static Task<String> echo(WorkflowContext ctx) {
        return ctx.callActivity("echo", null, String.class);
    }

    @Test
    void whatIsRefusedLeavesNothingInTheStep() throws Exception {
        var w = workflow("w", (ctx, input) -> {
            assertThrows(InvalidArgumentException.class, () -> ctx.callActivity("", 1, String.class));
            assertThrows(
                    RuntimeException.class,
                    () -> ctx.callActivity("echo", 1, TypeRef.of(String.class), (CallOptions) null));
            return echo(ctx).await();
        });
        var last = workflow("last", (ctx, input) -> ctx.callActivity("", 1, String.class).await());
        try (var core = new ScriptedCore(w, last)) {
            core.give(task("i", 1, TURN, start("w")));
            var step = core.step("i.1");
            assertEquals(1, step.size(), step::toString);
            assertEquals("activity", step.get(0).get("kind").asText());
            core.give(task("i", 2, TURN, done(step.get(0).get("ref").asInt(), "\"x\"")));
            assertEquals("x", core.step("i.2").get(0).get("output").asText());
            core.give(task("j", 1, TURN, start("last")));
            assertEquals("invalid_argument", core.step("j.1").get(0).get("error").get("code").asText());
        }
    }

    @Test
    void codeThatSwallowsItsEndHoldsNoThread() throws Exception {
        var stubborn = workflow("stubborn", (ctx, input) -> {
            while (true) {
                try {
                    echo(ctx).await();
                } catch (Throwable swallowed) {
                    // Tries again.
                }
            }
        });
        var calm = workflow("calm", (ctx, input) -> "calm");
        int many = 2 * Runtime.getRuntime().availableProcessors() + 2;
        try (var core = new ScriptedCore(stubborn, calm)) {
            for (int i = 0; i < many; i++) {
                core.give(task("i" + i, 1, TURN, start("stubborn")));
                core.step("i" + i + ".1");
            }
            for (int i = 0; i < many; i++) core.give(task("i" + i, 2, EVICT));
            core.give(task("calm", 1, TURN, start("calm")));
            assertEquals("calm", core.step("calm.1").get(0).get("output").asText());
        }
    }

    @Test
    void codeThatSwallowsItsContinuationContinues() throws Exception {
        var stubborn = workflow("stubborn", (ctx, input) -> {
            while (true) {
                try {
                    ctx.continueAsNew(5);
                } catch (Throwable swallowed) {
                    // Tries again.
                }
            }
        });
        try (var core = new ScriptedCore(stubborn)) {
            core.give(task("i", 1, TURN, start("stubborn")));
            var step = core.step("i.1");
            assertEquals(1, step.size(), step::toString);
            assertEquals("continue", step.get(0).get("kind").asText());
            assertEquals(5, step.get(0).get("input").asInt());
        }
    }

    @Test
    void branchesUnwindBesideOneThatSwallowsItsEnd() throws Exception {
        var unwound = new LinkedBlockingQueue<String>();
        var w = workflow("w", (ctx, input) -> {
            ctx.async(() -> {
                while (true) {
                    try {
                        echo(ctx).await();
                    } catch (Throwable swallowed) {
                        // Tries again.
                    }
                }
            });
            ctx.async(() -> {
                try {
                    return echo(ctx).await();
                } finally {
                    unwound.add("second");
                }
            });
            ctx.timer(LONG).await();
            return "done";
        });
        try (var core = new ScriptedCore(w)) {
            core.give(task("i", 1, TURN, start("w")));
            assertEquals(3, core.step("i.1").size());
            core.give(task("i", 2, TURN, done(1, "null")));
            assertEquals("done", core.step("i.2").get(0).get("output").asText());
            assertEquals("second", unwound.poll(30, TimeUnit.SECONDS));
        }
    }

    /** A value that Jackson writes as it stands. */
    record Raw(@JsonRawValue String text) {}

    @Test
    void textThatIsNoJsonSpoilsNothingElse() throws Exception {
        var bad = workflow("bad", (ctx, input) -> new Raw("]}{"));
        var good = workflow("good", (ctx, input) -> "good");
        var activity = Activity.of("bad", Object.class, Object.class, (ctx, input) -> new Raw("]}{"));
        try (var core = new ScriptedCore(LONG, List.of(bad, good), List.of(activity))) {
            var tasks = new ArrayList<String>();
            for (int i = 0; i < 20; i++) {
                tasks.add(task("b" + i, 1, TURN, start("bad")));
                tasks.add(task("g" + i, 1, TURN, start("good")));
            }
            core.giveActivity("call", "bad", "1");
            core.give(tasks.toArray(String[]::new));
            for (int i = 0; i < 20; i++) {
                assertEquals("good", core.step("g" + i + ".1").get(0).get("output").asText());
                assertEquals("encode_failed", core.stall("b" + i + ".1"));
            }
            assertEquals(false, core.answer("call").get("error").get("retryable").asBoolean());
        }
    }

    /** Seals nothing any more: a class of it is missing. */
    private static final class Broken implements Codec {
        private final Codec json = JacksonCodec.create();

        @Override
        public String encode(Object value) {
            return json.encode(value);
        }

        @Override
        public Object decode(String text, Type type) {
            return json.decode(text, type);
        }

        @Override
        public String seal(String text) {
            throw new NoClassDefFoundError("a cipher");
        }
    }

    @Test
    void aCodecThatRaisesErrorsLosesNoAnswer() throws Exception {
        var activity = Activity.of("a", Object.class, Object.class, (ctx, input) -> {
            throw new IllegalStateException("secret");
        });
        var w = workflow("w", (ctx, input) -> {
            throw new IllegalStateException("secret");
        });
        try (var core = new ScriptedCore(new Broken(), LONG, List.of(w), List.of(activity))) {
            core.giveActivity("call", "a", "1");
            var error = core.answer("call").get("error");
            assertEquals("IllegalStateException", error.get("type").asText());
            assertTrue(!error.toString().contains("secret"), error::toString);
            core.give(task("i", 1, TURN, start("w")));
            assertEquals("IllegalStateException", core.step("i.1").get(0).get("error").get("type").asText());
        }
    }
}
