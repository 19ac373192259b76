package io.github.everstep.turns;

import static io.github.everstep.turns.ScriptedCore.EVICT;
import static io.github.everstep.turns.ScriptedCore.TURN;
import static io.github.everstep.turns.ScriptedCore.done;
import static io.github.everstep.turns.ScriptedCore.start;
import static io.github.everstep.turns.ScriptedCore.task;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.everstep.Workflow;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What ten thousand active instances cost. */
@Timeout(120)
class ManyInstancesTest {
    private static final int MANY = 10_000;
    private static final long MOST_BYTES = 200_000_000;

    @Test
    void tenThousandActiveInstancesFitIntoLittleHeap() throws Exception {
        var unwound = new CountDownLatch(MANY);
        var w = Workflow.of("w", Object.class, Object.class, (ctx, input) -> {
            var mine = new ArrayList<>(List.of(ctx.instanceId()));
            try {
                for (int i = 0; i < 3; i++) mine.add(ctx.callActivity("a", i, String.class).await());
            } finally {
                unwound.countDown();
            }
            return mine;
        });
        try (var core = new ScriptedCore(w)) {
            long before = used();
            for (int i = 0; i < MANY; i += 100) {
                var tasks = new ArrayList<String>();
                for (int j = i; j < i + 100; j++) tasks.add(task("i" + j, 1, TURN, start("w"), TURN, done(1, "\"x\"")));
                core.give(tasks.toArray(String[]::new));
            }
            for (int i = 0; i < MANY; i++) assertEquals(1, core.step("i" + i + ".1").size());
            core.texts.clear();
            long each = (used() - before) / MANY;
            assertTrue(each * MANY < MOST_BYTES, each + " bytes each");
            for (int i = 0; i < MANY; i++) core.give(task("i" + i, 2, EVICT));
            assertTrue(unwound.await(30, TimeUnit.SECONDS));
        }
    }

    private static long used() {
        for (int i = 0; i < 3; i++) System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }
}
