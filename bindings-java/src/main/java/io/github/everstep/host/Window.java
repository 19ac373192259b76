package io.github.everstep.host;

import io.github.everstep.WorkflowEvicted;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/**
 * The tasks of a map: asks for the next item as soon as one is done. Where items are left over after the first ones a
 * branch asks for them, since the items, and how they are encoded, are the user's code.
 *
 * @param <O> what one item gives
 * @param <R> what the map makes of all
 */
final class Window<O, R> extends Pending<R> {
    private final Function<Object, Asked<O>> ask;
    private final int limit;
    private final boolean settled;
    private final Function<List<Asked<O>>, R> result;
    private final List<Asked<O>> asked = new ArrayList<>();
    private final Set<Asked<O>> running = new LinkedHashSet<>();
    private @Nullable Iterator<?> items;
    private @Nullable Gap gap;

    /** What the branch waits for: room for one more item, or the end. */
    private static final class Gap extends Pending<@Nullable Void> {
        Gap(Execution execution) {
            super(execution);
        }

        @Override
        void giveUp() {
            givenUp();
        }

        @Override
        public String toString() {
            return "an item of a map";
        }
    }

    Window(
            Execution execution,
            Function<Object, Asked<O>> ask,
            Iterator<?> items,
            int limit,
            boolean settled,
            Function<List<Asked<O>>, R> result) {
        super(execution);
        this.ask = ask;
        this.items = items;
        this.limit = limit;
        this.settled = settled;
        this.result = result;
    }

    /** Asks for the first items. */
    Window<O, R> begin() {
        fill();
        if (items != null) {
            execution.branch(
                    () -> {
                        while (items != null) {
                            gap = new Gap(execution);
                            gap.await();
                            fill();
                        }
                        return null;
                    },
                    (value, error) -> {
                        if (error != null) end(error);
                    });
        }
        return this;
    }

    @Override
    void giveUp() {
        givenUp();
        stop();
    }

    private void fill() {
        try {
            while (items != null && (limit == 0 || running.size() < limit)) {
                if (items.hasNext()) add(ask.apply(items.next()));
                else items = null;
            }
        } catch (WorkflowEvicted | ContinueAsNew leaving) {
            throw leaving;
        } catch (Throwable error) {
            end(error);
            return;
        }
        if (items == null && running.isEmpty()) resolve(() -> result.apply(asked));
    }

    private void add(Asked<O> task) {
        asked.add(task);
        running.add(task);
        task.listen(() -> {
            running.remove(task);
            if (isDone()) return;
            if (task.hasFailed() && !settled) {
                fail(() -> result.apply(List.of(task)));
                stop();
            } else if (items == null) {
                if (running.isEmpty()) resolve(() -> result.apply(asked));
            } else if (gap != null) {
                gap.resolve(() -> null);
            }
        });
    }

    private void end(Throwable error) {
        fail(() -> {
            throw error;
        });
        stop();
    }

    /** Asks for no more, and gives up what runs, in order. */
    private void stop() {
        items = null;
        for (var task : List.copyOf(running)) task.giveUp();
        if (gap != null) gap.resolve(() -> null);
    }
}
