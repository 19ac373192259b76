package io.github.everstep.testing;

import io.github.everstep.Client;
import io.github.everstep.ClientBuilder;
import io.github.everstep.Codec;
import io.github.everstep.InvalidArgumentException;
import io.github.everstep.NamedWorkflow;
import io.github.everstep.OperationCancelledException;
import io.github.everstep.StartOptions;
import io.github.everstep.Worker;
import io.github.everstep.WorkerBuilder;
import io.github.everstep.Workflow;
import io.github.everstep.WorkflowContext;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import java.util.function.Consumer;

/**
 * An engine of its own, in memory, with a client and a worker.
 *
 * <pre>{@code
 * try (var env = Environment.start(worker -> worker.workflows(new Approval()).activities(new Remind()))) {
 *     var handle = env.client().startWorkflow(Approval.class, "order-7");
 *     env.sleep(Duration.ofHours(36));
 *     handle.raiseEvent("approval", "granted");
 *     assertEquals("granted", handle.result(Duration.ofSeconds(10)));
 * }
 * }</pre>
 *
 * <p>While somebody waits for a workflow and nothing else can happen, time skips to the next timer: three days of sleep,
 * or a retry after an hour, end at once. While nobody waits, time goes as it always does, so a test can raise the event
 * that a workflow waits for. Time does not skip while an activity runs.
 *
 * <p>With {@code maxCached(0)} every turn is a replay: a workflow that is not deterministic stalls. Close it, or have JUnit
 * do so by its {@code @AutoClose}.
 */
public final class Environment implements AutoCloseable {
    private static final NamedWorkflow<Long, String> SLEEP =
            Workflow.of("everstep.testing.sleep", Long.class, String.class, Environment::sleep);

    private final Client client;
    private final Worker worker;

    private Environment(Client client, Worker worker) {
        this.client = client;
        this.worker = worker;
    }

    /**
     * Opens an engine and starts its worker.
     *
     * @param worker says what the worker runs, and how
     * @return the environment
     * @throws InvalidArgumentException if two workflows or two activities cannot live side by side
     */
    public static Environment start(Consumer<WorkerBuilder> worker) {
        return start(Client.builder(), worker);
    }

    /**
     * Opens an engine whose payloads are written by a codec, and starts its worker.
     *
     * @param codec the codec
     * @param worker says what the worker runs, and how
     * @return the environment
     * @throws InvalidArgumentException if two workflows or two activities cannot live side by side
     */
    public static Environment start(Codec codec, Consumer<WorkerBuilder> worker) {
        return start(Client.builder().codec(codec), worker);
    }

    private static Environment start(ClientBuilder builder, Consumer<WorkerBuilder> worker) {
        var client = builder.endpoint("test:" + UUID.randomUUID()).build();
        try {
            var described = Worker.builder(client).closeOnShutdown(false);
            worker.accept(described);
            return new Environment(client, described.workflows(SLEEP).start());
        } catch (RuntimeException | Error error) {
            client.close();
            throw error;
        }
    }

    /**
     * A client of the engine.
     *
     * @return the client
     */
    public Client client() {
        return client;
    }

    /**
     * The worker.
     *
     * @return the worker
     */
    public Worker worker() {
        return worker;
    }

    /**
     * The endpoint of this engine, for more clients.
     *
     * @return the endpoint
     */
    public String endpoint() {
        return client.endpoint();
    }

    /**
     * The engine's time. Where time has skipped it is ahead of the clock on the wall.
     *
     * @return the time
     */
    public Instant now() {
        return sleep(Duration.ZERO);
    }

    /**
     * Lets this much time pass, and what is due in it happen. Everything that follows from earlier timers is done when it
     * returns.
     *
     * @param duration how much, in steps of a millisecond
     * @return the time it is then
     * @throws InvalidArgumentException if it is negative
     * @throws OperationCancelledException if the thread is interrupted
     */
    public Instant sleep(Duration duration) {
        if (duration.isNegative()) throw new InvalidArgumentException("duration must not be negative");
        var id = StartOptions.instanceId("everstep-sleep-" + UUID.randomUUID());
        var handle = client.startWorkflow(SLEEP, duration.plusNanos(999_999).toMillis(), id);
        var now = Instant.parse(handle.result());
        handle.purge();
        return now;
    }

    private static String sleep(WorkflowContext ctx, Long millis) {
        if (millis > 0) ctx.sleep(Duration.ofMillis(millis));
        return ctx.now().toString();
    }

    /** Closes worker and client. */
    @Override
    public void close() {
        worker.close();
        client.close();
    }
}
