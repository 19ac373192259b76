package io.github.everstep;

import io.github.everstep.bridge.NativeTasks;
import io.github.everstep.bridge.Payloads;
import io.github.everstep.host.Registration;
import io.github.everstep.host.WorkerHost;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.NonNull;
import org.jspecify.annotations.Nullable;

/** What a {@link Worker} runs, and how. */
public final class WorkerBuilder {
    private static final int SLOTS = 256;
    private static final String MAX_CACHED = "EVERSTEP_MAX_CACHED";

    private final Client client;
    private final List<Registration> workflows = new ArrayList<>();
    private final List<Registration> activities = new ArrayList<>();
    private @Nullable Codec codec;
    private @Nullable Integer maxCached;
    private int workflowSlots = SLOTS;
    private int activitySlots = SLOTS;
    private Duration shutdownTimeout = Duration.ofSeconds(10);
    private Duration blockedAfter = Duration.ofSeconds(10);
    private boolean closeOnShutdown = true;

    WorkerBuilder(Client client) {
        this.client = client;
    }

    /**
     * Adds workflows.
     *
     * @param workflows objects of classes, or what {@link Workflow#of(String, Class, Class, Workflow)} made
     * @return this builder
     * @throws InvalidArgumentException if one is a lambda without a name
     */
    public WorkerBuilder workflows(Workflow<?, ?>... workflows) {
        for (var workflow : workflows) this.workflows.add(Registration.of(workflow));
        return this;
    }

    /**
     * Adds a function as a workflow.
     *
     * @param <I> the input
     * @param <O> the output
     * @param name its name
     * @param input the type of its input, {@code Void.class} for none
     * @param output the type of its output
     * @param function the function
     * @return this builder
     */
    public <I extends @Nullable Object, O extends @Nullable Object> WorkerBuilder workflow(
            String name,
            Class<@NonNull I> input,
            Class<@NonNull O> output,
            Workflow<? super I, ? extends O> function) {
        return workflows(Workflow.of(name, input, output, function));
    }

    /**
     * Adds activities.
     *
     * @param activities objects of classes, or what {@link Activity#of(String, Class, Class, Activity)} made
     * @return this builder
     * @throws InvalidArgumentException if one is a lambda without a name
     */
    public WorkerBuilder activities(Activity<?, ?>... activities) {
        for (var activity : activities) this.activities.add(Registration.of(activity));
        return this;
    }

    /**
     * Adds a function as an activity.
     *
     * @param <I> the input
     * @param <O> the output
     * @param name its name
     * @param input the type of its input, {@code Void.class} for none
     * @param output the type of its output
     * @param function the function, for example a method reference
     * @return this builder
     */
    public <I extends @Nullable Object, O extends @Nullable Object> WorkerBuilder activity(
            String name,
            Class<@NonNull I> input,
            Class<@NonNull O> output,
            Activity<? super I, ? extends O> function) {
        return activities(Activity.of(name, input, output, function));
    }

    /**
     * How payloads are written and read; without, as the client does it.
     *
     * @param codec the codec
     * @return this builder
     */
    public WorkerBuilder codec(Codec codec) {
        this.codec = Arguments.present(codec, "codec");
        return this;
    }

    /**
     * How many instances stay in memory between turns; with 0 every turn is a replay. Without: {@code EVERSTEP_MAX_CACHED}, else
     * 10,000.
     *
     * @param instances how many, at least 0
     * @return this builder
     */
    public WorkerBuilder maxCached(int instances) {
        maxCached = Arguments.count(instances, "maxCached", 0);
        return this;
    }

    /**
     * How many turns are at work at once; without, 256.
     *
     * @param slots how many, at least 1
     * @return this builder
     */
    public WorkerBuilder workflowSlots(int slots) {
        workflowSlots = Arguments.count(slots, "workflowSlots", 1);
        return this;
    }

    /**
     * How many activities are at work at once; without, 256. What finds no room waits at the engine.
     *
     * @param slots how many, at least 1
     * @return this builder
     */
    public WorkerBuilder activitySlots(int slots) {
        activitySlots = Arguments.count(slots, "activitySlots", 1);
        return this;
    }

    /**
     * How long {@link Worker#close()} waits for what is at work; without, 10 seconds.
     *
     * @param timeout the time
     * @return this builder
     */
    public WorkerBuilder shutdownTimeout(Duration timeout) {
        Arguments.millis(timeout, "shutdownTimeout");
        shutdownTimeout = timeout;
        return this;
    }

    /**
     * How long a workflow may keep its turn before it stalls, because it computes or waits for something that is not durable;
     * without, 10 seconds. It is named in the log before that.
     *
     * @param time the time, not 0
     * @return this builder
     */
    public WorkerBuilder blockedAfter(Duration time) {
        if (Arguments.millis(time, "blockedAfter") == 0) {
            throw new InvalidArgumentException("blockedAfter must be more than 0");
        }
        blockedAfter = time;
        return this;
    }

    /**
     * Whether the worker is closed, as {@link Worker#close()} does it, when the JVM shuts down: after {@code main}, by {@code
     * System.exit}, SIGINT or SIGTERM. Without: yes.
     *
     * @param close {@code false} if the program does it itself
     * @return this builder
     */
    public WorkerBuilder closeOnShutdown(boolean close) {
        closeOnShutdown = close;
        return this;
    }

    /**
     * Opens the worker; tasks may come when it returns.
     *
     * @return the worker
     * @throws InvalidArgumentException if two workflows or two activities cannot live side by side
     * @throws ClosedException if the client is closed
     * @throws StoreLockedException if another process owns the file
     * @throws FailedPreconditionException if the endpoint has no tasks
     */
    public Worker start() {
        var payloads = codec == null ? client.payloads() : new Payloads(codec);
        var host = new WorkerHost(workflows, activities, payloads, blockedAfter);
        var opening = host.opening(cached(), workflowSlots, activitySlots);
        var tasks = NativeTasks.open(client.calls(), client.operations().component(), opening);
        var worker = new Worker(host, tasks, shutdownTimeout, closeOnShutdown);
        host.start(tasks, workflowSlots, activitySlots);
        return worker;
    }

    private int cached() {
        if (maxCached != null) return maxCached;
        var text = System.getenv().getOrDefault(MAX_CACHED, "10000");
        try {
            return Arguments.count(Integer.parseInt(text), MAX_CACHED, 0);
        } catch (NumberFormatException error) {
            throw new InvalidArgumentException(MAX_CACHED + " must be a number of at least 0");
        }
    }
}
