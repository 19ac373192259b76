package io.github.everstep.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.everstep.Client;
import io.github.everstep.PayloadTooLargeException;
import io.github.everstep.conformance.Cases.Run;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Takes runs, all of which leave the same histories. */
final class Taking {
    private final boolean besideDapr;
    /** What the first run of each case left, and which run that was. */
    private final Map<String, Left> first = new ConcurrentHashMap<>();

    private record Left(Run run, Map<String, List<String>> records) {}

    /** @param besideDapr whether histories are compared across Dapr, of whose events only a part is the same */
    Taking(boolean besideDapr) {
        this.besideDapr = besideDapr;
    }

    /** Takes a case's steps in a world with its worker; gives what it left, or null if that cannot be seen any more. */
    @Nullable Map<String, List<String>> steps(Run run, World world) throws Exception {
        var given = Differences.steps(run.of(), run.place());
        var steps = new Steps(world);
        int taken = 0;
        for (var step : given) {
            steps.take(step);
            if (run.mode().equals("restarted") && ++taken < given.size()) world.restart();
        }
        return world.isClosed() ? null : records(run, world.records(), world.names.get("id"));
    }

    private @Nullable Map<String, List<String>> records(Run run, Client client, String id) {
        // Random values differ from run to run by design.
        boolean payloads = !run.of().feature().equals("determinism");
        try {
            return Records.of(client, id, payloads, besideDapr);
        } catch (PayloadTooLargeException error) {
            // The history of the largest payloads is more than a message of Dapr's may be.
            if (Cases.isOnDapr(run.place())) return null;
            throw error;
        }
    }

    /** Fails if a case left another history than its first run. */
    void compare(Run run, @Nullable Map<String, List<String>> records) {
        if (records == null || Differences.leavesOtherHistory(run.of(), run.place())) return;
        var before = first.putIfAbsent(run.of().name(), new Left(run, records));
        if (before != null) assertEquals(before.records(), records, () -> "it left another history than " + before.run());
    }
}
