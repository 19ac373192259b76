package io.github.everstep.conformance;

import io.github.everstep.Client;
import io.github.everstep.Filter;
import io.github.everstep.Worker;
import io.github.everstep.Workflow;
import io.github.everstep.WorkflowState;
import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A worker of everything that stays connected from one case to the next: connecting takes Dapr a second or two, and it
 * ends an instance only while a worker is there. What a case had need not know all that it started.
 */
final class Keeper implements AutoCloseable {
    /** How often a sidecar is swept: an instance that was about to begin a child may still do it. */
    private static final int ROUNDS = 4;
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final Sidecar sidecar;
    private final Client client;
    private final Worker worker;

    Keeper(Sidecar sidecar) {
        this.sidecar = sidecar;
        client = Client.builder().endpoint(sidecar.overGrpc()).callTimeout(PATIENCE).build();
        worker = Worker.builder(client)
                .workflows(everything())
                .activities(Activities.ALL)
                .shutdownTimeout(World.SHUTDOWN)
                .closeOnShutdown(false)
                .start();
    }

    /** One fixture of each name and version. */
    private static Workflow<?, ?>[] everything() {
        var fixtures = new LinkedHashMap<String, Map<String, Object>>();
        Cases.FIXTURES.values().forEach(fixture -> fixtures.put(fixture.get("name") + " " + fixture.get("version"), fixture));
        return fixtures.values().stream().map(Program::of).toArray(Workflow<?, ?>[]::new);
    }

    /** Purges all instances, in whatever state they are. */
    void sweep() throws IOException {
        var left = List.<String>of();
        for (int round = 0; round < ROUNDS; round++) {
            left = client.listWorkflows(Filter.all()).map(WorkflowState::instanceId).toList();
            if (left.isEmpty()) return;
            try (var purge = new ForcedPurge(sidecar.grpc())) {
                for (var id : left) purge.purge(id);
            }
        }
        throw new AssertionError("these cannot be taken away: " + left);
    }

    @Override
    public void close() {
        worker.close();
        client.close();
    }
}
