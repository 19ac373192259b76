package io.github.everstep.dapr;

import io.github.everstep.Activity;
import io.github.everstep.Client;
import io.github.everstep.FailedPreconditionException;
import io.github.everstep.NamedActivity;
import io.github.everstep.NamedWorkflow;
import io.github.everstep.Worker;
import io.github.everstep.Workflow;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Runs what a {@link WorkflowRuntimeBuilder} has registered, between {@link #start} and {@link #close}. */
public class WorkflowRuntime implements AutoCloseable {
    private static final Duration LONGEST_WAIT = Duration.ofSeconds(30);

    private final Properties properties;
    private final Workflow<?, ?>[] workflows;
    private final Activity<?, ?>[] activities;
    private @Nullable Client client;
    private @Nullable Worker worker;

    WorkflowRuntime(Properties properties, List<NamedWorkflow<?, ?>> workflows, List<NamedActivity<?, ?>> activities) {
        this.properties = properties;
        this.workflows = workflows.toArray(Workflow<?, ?>[]::new);
        this.activities = activities.toArray(Activity<?, ?>[]::new);
    }

    /** Runs what is registered until another thread closes the runtime. */
    public void start() {
        start(true);
    }

    /**
     * Runs what is registered; returns when work may come, or, if it blocks, when another thread has closed the runtime.
     *
     * @param block whether it blocks
     * @throws FailedPreconditionException if it runs already
     * @throws io.github.everstep.OperationTimeoutException if the sidecar has not taken the worker in 30 seconds
     */
    public void start(boolean block) {
        Worker opened;
        synchronized (this) {
            if (worker != null) {
                throw new FailedPreconditionException("the runtime is running already; close it first");
            }
            client = properties.connect();
            try {
                opened = worker = Worker.builder(client).workflows(workflows).activities(activities).start();
            } catch (RuntimeException error) {
                client.close();
                throw error;
            }
        }
        try {
            opened.awaitReady(LONGEST_WAIT);
            if (block) {
                opened.awaitClosed();
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            close();
        } catch (RuntimeException error) {
            close();
            throw error;
        }
    }

    /** Takes no more work, waits for what is at work, and gives back what the runtime holds. */
    @Override
    public void close() {
        Worker running;
        Client connected;
        synchronized (this) {
            running = worker;
            connected = client;
            worker = null;
            client = null;
        }
        if (running != null) {
            running.close();
        }
        if (connected != null) {
            connected.close();
        }
    }
}
