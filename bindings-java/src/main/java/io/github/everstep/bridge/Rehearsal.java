package io.github.everstep.bridge;

import io.github.everstep.InvalidArgumentException;
import io.github.everstep.ffi.NativeAnswer;
import io.github.everstep.ffi.NativeWorker;
import io.github.everstep.host.TaskSource;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** A worker of the core whose only task is the history of an instance. Nothing of it waits. */
public final class Rehearsal implements TaskSource, AutoCloseable {
    private final NativeWorker worker;

    private Rehearsal(NativeWorker worker) {
        this.worker = worker;
    }

    /** Reads a history. Throws {@code NotFoundException} and what else the component answers. */
    public static Rehearsal open(Inside inside, @Nullable String instanceId, String opening) {
        if (instanceId == null) throw new InvalidArgumentException("instanceIds must not hold null");
        var opened = new Operation<>(
                (client, key) -> client.rehearse(key, inside.component(), instanceId, opening),
                answer -> ((NativeAnswer.Worker) answer).worker());
        return new Rehearsal(inside.calls().await(opened));
    }

    @Override
    public @Nullable String pollWorkflows(int max) {
        return Carrier.call(() -> worker.pollWorkflows(max, 0L));
    }

    @Override
    public @Nullable String pollActivities(int max) {
        return null;
    }

    @Override
    public @Nullable String complete(ByteBuffer text) {
        var wrong = Carrier.call(() -> worker.complete(text));
        return wrong == null ? null : wrong.code() + ": " + wrong.message();
    }

    @Override
    public void abandon() {
        close();
    }

    /** Why the code does not fit the history, if it does not. */
    public @Nullable String misfit() {
        return Carrier.call(worker::misfit);
    }

    /** Lets go of it. */
    @Override
    public void close() {
        Carrier.call(() -> {
            worker.close();
            return true;
        });
    }
}
