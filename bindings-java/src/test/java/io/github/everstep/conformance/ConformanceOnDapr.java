package io.github.everstep.conformance;

import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import io.github.everstep.JacksonCodec;
import io.github.everstep.conformance.Cases.Run;
import io.github.everstep.conformance.Lanes.Lane;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.TestFactory;
import org.jspecify.annotations.Nullable;

/**
 * Runs the cases on a real Dapr, over gRPC and HTTP, as far as there are such there: a case at a time on each sidecar
 * that {@code cluster.py} has started. Each runs on {@code memory:} as well, and leaves the same histories.
 *
 * <p>Its name keeps it out of the tests that need no sidecar: {@code make test-dapr} runs it.
 */
class ConformanceOnDapr {
    private static final Duration PATIENCE = Duration.ofMinutes(4);

    @TestFactory
    DynamicContainer cases() {
        var runs = new ArrayList<>(Cases.runs(List.of("memory:"), List.of("cached")));
        runs.addAll(Cases.runs(Cases.ON_DAPR, List.of("cached", "replayed")));
        var name = runs.size() + " runs of " + Cases.ALL.size() + " cases";
        System.out.println(name);
        var taking = new Taking(true);
        return Lanes.tests(name, runs, Sidecar.all(1).stream().map(sidecar -> new Beside(taking, sidecar)).toList());
    }

    /** A sidecar, for one case at a time; afterwards nothing is left there. */
    private static final class Beside implements Lane {
        private final Taking taking;
        private final Sidecar sidecar;
        private @Nullable Keeper keeper;
        private boolean isLost;

        Beside(Taking taking, Sidecar sidecar) {
            this.taking = taking;
            this.sidecar = sidecar;
        }

        /**
         * Takes a run that failed once more: a real runtime under load has races of its own. What fails twice is a
         * fault.
         */
        @Override
        public void take(Run run) {
            try {
                once(run);
            } catch (Exception | AssertionError error) {
                System.out.println("again, for it failed: " + run + ": " + error);
                if (isLost) throw new AssertionError(error);
                once(run);
            }
        }

        private void once(Run run) {
            assertTimeoutPreemptively(PATIENCE, () -> {
                boolean onDapr = Cases.isOnDapr(run.place());
                var world = new World(run, JacksonCodec.create(), onDapr ? sidecar : null);
                try {
                    world.openWorker("main", run.of().fixtures());
                    if (onDapr) release();
                    taking.compare(run, taking.steps(run, world));
                } finally {
                    if (onDapr) leave(world);
                    else world.close();
                }
            });
        }

        /** The sidecar's stream goes over to the worker that is there now. */
        private void release() {
            if (keeper != null) keeper.close();
            keeper = null;
        }

        /**
         * A sidecar that cannot be swept is not used again: Dapr may write half of an instance that is purged in the
         * moment of its turn, and no listing there can be read any more.
         */
        private void leave(World world) throws Exception {
            try {
                if (keeper == null) keeper = new Keeper(sidecar);
            } finally {
                world.close();
            }
            isLost = true;
            keeper.sweep();
            isLost = false;
        }

        @Override
        public boolean isLost() {
            return isLost;
        }

        @Override
        public void close() {
            release();
        }
    }
}
