package io.github.everstep.host;

import io.github.everstep.bridge.Payloads;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/** Runs workflow tasks on the instances that it keeps. */
final class WorkflowHost {
    final Workflows workflows;
    final Payloads payloads;
    private final Consumer<String> answers;
    private final ConcurrentHashMap<String, Instance> instances = new ConcurrentHashMap<>();

    /** {@code answers} takes the answer to each task as soon as it is there, on any thread. */
    WorkflowHost(Workflows workflows, Payloads payloads, Consumer<String> answers) {
        this.workflows = workflows;
        this.payloads = payloads;
        this.answers = answers;
    }

    /** Has tasks done; those of one instance one after the other, those of different instances side by side. */
    void take(List<Batch.WorkflowTask> tasks) {
        for (var task : tasks) {
            var wasIdle = new boolean[1];
            var instance = instances.compute(task.id() + '\0' + task.run(), (key, kept) -> {
                var found = kept == null ? new Instance(this, key, task.id()) : kept;
                wasIdle[0] = found.add(task);
                return found;
            });
            if (wasIdle[0]) work(instance);
        }
    }

    /** Lets go of an execution that has not gone on since so many steps, or of any; what comes for it is refused. */
    void drop(Instance instance, Execution execution, int steps, @Nullable Stall reason) {
        var wasIdle = new boolean[1];
        var kept = instances.computeIfPresent(instance.key, (key, found) -> {
            if (found == instance) wasIdle[0] = found.add(execution, steps, reason);
            return found;
        });
        if (kept == instance && wasIdle[0]) work(instance);
    }

    /** Drops all instances. */
    void close() {
        for (var instance : instances.values()) {
            var execution = instance.execution();
            if (execution == null) continue;
            var stuck = execution.running();
            if (stuck != null && execution.takeFrom(stuck)) {
                var late = new Stall(Stall.BLOCKED, "the worker closed before the turn ended", null);
                instance.giveUp(execution, stuck, late);
            } else {
                drop(instance, execution, Instance.ANY_STEPS, null);
            }
        }
    }

    /** The instances that are kept. */
    Collection<Instance> instances() {
        return instances.values();
    }

    /** A piece of work of an instance is done; says whether it is idle now. */
    boolean release(Instance instance) {
        var isIdle = new boolean[1];
        instances.computeIfPresent(instance.key, (key, found) -> {
            isIdle[0] = instance.remove();
            return instance.isEmpty() ? null : instance;
        });
        return isIdle[0];
    }

    void answer(String answer) {
        answers.accept(answer);
    }

    private static void work(Instance instance) {
        var next = instance.next();
        if (next != null) next.resume();
    }
}
