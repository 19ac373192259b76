package io.github.everstep.conformance;

import io.github.everstep.Client;
import io.github.everstep.Codec;
import io.github.everstep.Worker;
import io.github.everstep.Workflow;
import io.github.everstep.conformance.Cases.Run;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** One case's store, clients and workers. */
final class World implements AutoCloseable {
    static final Duration SHUTDOWN = Duration.ofMillis(200);
    /** What is not durable is told by how long it waits; what is must not be taken for it on a machine that is busy. */
    private static final Duration SOON = Duration.ofSeconds(1);
    private static final Duration LATE = Duration.ofSeconds(30);

    final Map<String, String> names = new HashMap<>();
    /** The execution IDs of the runs that starts have kept under a name. */
    final Map<String, String> runs = new HashMap<>();
    final Map<String, Api.Changes> watches = new HashMap<>();
    /** How long a step waits; Dapr takes its time to try a stalled instance again. */
    final Duration patience;
    private final Map<String, List<String>> deployed = new LinkedHashMap<>();
    private final Map<String, Worker> workers = new LinkedHashMap<>();
    private final Path directory;
    private final Run run;
    private final Codec codec;
    private final @Nullable Sidecar sidecar;
    private Client client;
    /** That of the workers, which need gRPC; it sees lists and histories, which Dapr's HTTP API does not have. */
    private Client reader;
    private boolean isClosed;

    /** @param sidecar where the run's place is on Dapr; null elsewhere */
    World(Run run, Codec codec, @Nullable Sidecar sidecar) throws IOException {
        this.run = run;
        this.codec = codec;
        this.sidecar = sidecar;
        patience = Duration.ofSeconds(sidecar == null ? 30 : 60);
        directory = Files.createTempDirectory("everstep-conformance-");
        names.put("id", "c-" + UUID.randomUUID().toString().replace("-", "").substring(0, 12));
        connect();
    }

    private void connect() {
        client = open(switch (run.place()) {
            case "memory:" -> "memory:";
            case "sqlite:" -> "sqlite:" + directory.resolve("workflows.db");
            case "dapr_grpc" -> sidecar.overGrpc();
            case "dapr_http" -> sidecar.overHttp();
            default -> throw new IllegalArgumentException("unknown place " + run.place());
        });
        reader = run.place().equals("dapr_http") ? open(sidecar.overGrpc()) : client;
    }

    private Client open(String endpoint) {
        return Client.builder().endpoint(endpoint).codec(codec).build();
    }

    Api client() {
        return api(client);
    }

    /** What looks at lists and histories. */
    Api reader() {
        return api(reader);
    }

    /** The same, blocking. */
    Client records() {
        return reader;
    }

    private Api api(Client of) {
        return run.mode().equals("awaited") ? Api.of(of.async()) : Api.of(of);
    }

    void closeClient() {
        client().close();
        isClosed = true;
    }

    /** Whether a step has closed the client. */
    boolean isClosed() {
        return isClosed;
    }

    void openWorker(String name, List<String> fixtures) {
        deployed.put(name, fixtures);
        if (fixtures.isEmpty()) return;
        var worker = Worker.builder(reader)
                .workflows(fixtures.stream().map(Cases.FIXTURES::get).map(Program::of).toArray(Workflow<?, ?>[]::new))
                .activities(Activities.ALL)
                .maxCached(run.mode().equals("replayed") ? 0 : 1000)
                .blockedAfter(fixtures.contains("not_durable") ? SOON : LATE)
                .shutdownTimeout(SHUTDOWN)
                .closeOnShutdown(false)
                .start();
        workers.put(name, worker);
        worker.awaitReady(patience);
    }

    void deploy(List<String> fixtures) {
        closeWorker("main");
        openWorker("main", fixtures);
    }

    void closeWorker(String name) {
        deployed.remove(name);
        var worker = workers.remove(name);
        if (worker != null) worker.close();
    }

    /** Closes everything, engine included, and opens it again on the same store. */
    void restart() {
        stop();
        connect();
        isClosed = false;
        new LinkedHashMap<>(deployed).forEach(this::openWorker);
    }

    private void stop() {
        watches.values().forEach(Api.Changes::close);
        watches.clear();
        workers.values().forEach(Worker::close);
        workers.clear();
        client.close();
        reader.close();
    }

    @Override
    public void close() throws IOException {
        stop();
        try (var files = Files.walk(directory)) {
            for (var file : files.sorted(Comparator.reverseOrder()).toList()) Files.delete(file);
        }
    }
}
