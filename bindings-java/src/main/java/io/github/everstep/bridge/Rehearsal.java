package io.github.everstep.bridge;

import io.github.everstep.InvalidArgumentException;
import io.github.everstep.ffi.EverstepJava;
import io.github.everstep.host.Nullable;
import io.github.everstep.host.TaskSource;
import java.nio.ByteBuffer;

/** A worker of the core whose only task is the history of an instance. Nothing of it waits. */
public final class Rehearsal implements TaskSource, AutoCloseable {
    private final long worker;

    private Rehearsal(long worker) {
        this.worker = worker;
    }

    /** Reads a history. Throws {@code NotFoundException} and what else the component answers. */
    public static Rehearsal open(Inside inside, @Nullable String instanceId, String opening) {
        if (instanceId == null) throw new InvalidArgumentException("instanceIds must not hold null");
        var request = Request.of("rehearse").with("component", inside.component());
        request.with("instanceId", instanceId).json("open", opening);
        return new Rehearsal(inside.calls().await(Operation.of(request, Answer::held)));
    }

    @Override
    public @Nullable String pollWorkflows(int max) {
        return Carrier.call(() -> EverstepJava.workerPollWorkflows(worker, max, 0));
    }

    @Override
    public @Nullable String pollActivities(int max) {
        return null;
    }

    @Override
    public @Nullable String complete(ByteBuffer text) {
        return Carrier.call(() -> EverstepJava.workerComplete(worker, text));
    }

    @Override
    public void abandon() {
        close();
    }

    /** Why the code does not fit the history, if it does not. */
    public @Nullable String misfit() {
        return Carrier.call(() -> EverstepJava.workerMisfit(worker));
    }

    /** Lets go of it. */
    @Override
    public void close() {
        Answer.release(worker);
    }
}
