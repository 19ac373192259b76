package io.github.everstep.conformance;

import io.github.everstep.Client;
import io.github.everstep.Codec;
import io.github.everstep.Watch;
import io.github.everstep.Worker;
import io.github.everstep.Workflow;
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

/** One case's store, client and workers. */
final class World implements AutoCloseable {
    private static final Duration SHUTDOWN = Duration.ofMillis(200);
    /** What is not durable is told by how long it waits; what is must not be taken for it on a machine that is busy. */
    private static final Duration SOON = Duration.ofMillis(500);
    private static final Duration LATE = Duration.ofSeconds(30);

    final Map<String, String> names = new HashMap<>();
    /** The execution IDs of the runs that starts have kept under a name. */
    final Map<String, String> runs = new HashMap<>();
    final Map<String, Watch> watches = new HashMap<>();
    private final Map<String, List<String>> deployed = new LinkedHashMap<>();
    private final Map<String, Worker> workers = new LinkedHashMap<>();
    private final Path directory;
    private final String endpoint;
    private final int maxCached;
    private final Codec codec;
    private Client client;

    World(String place, String mode, Codec codec) throws IOException {
        directory = Files.createTempDirectory("everstep-conformance-");
        endpoint = place.equals("sqlite:") ? place + directory.resolve("workflows.db") : place;
        maxCached = mode.equals("replayed") ? 0 : 1000;
        names.put("id", "c-" + UUID.randomUUID().toString().replace("-", "").substring(0, 12));
        this.codec = codec;
        client = open();
    }

    private Client open() {
        return Client.builder().endpoint(endpoint).codec(codec).build();
    }

    Client client() {
        return client;
    }

    void openWorker(String name, List<String> fixtures) {
        deployed.put(name, fixtures);
        if (fixtures.isEmpty()) return;
        var worker = Worker.builder(client)
                .workflows(fixtures.stream().map(Cases.FIXTURES::get).map(Program::of).toArray(Workflow<?, ?>[]::new))
                .activities(Activities.ALL)
                .maxCached(maxCached)
                .blockedAfter(fixtures.contains("not_durable") ? SOON : LATE)
                .shutdownTimeout(SHUTDOWN)
                .closeOnShutdown(false);
        workers.put(name, worker.start());
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
        client = open();
        new LinkedHashMap<>(deployed).forEach(this::openWorker);
    }

    private void stop() {
        watches.values().forEach(Watch::close);
        watches.clear();
        workers.values().forEach(Worker::close);
        workers.clear();
        client.close();
    }

    @Override
    public void close() throws IOException {
        stop();
        try (var files = Files.walk(directory)) {
            for (var file : files.sorted(Comparator.reverseOrder()).toList()) Files.delete(file);
        }
    }
}
