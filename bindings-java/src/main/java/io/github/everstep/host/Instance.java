package io.github.everstep.host;

import io.github.everstep.Workflow;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * A workflow instance on this worker: its tasks, one after the other, and the execution that they drive.
 *
 * <p>No thread belongs to it. Whoever has the turn works on it: the thread that polls where a task came to an idle
 * instance, else the path that came to wait last, which in most steps is also the next to run.
 */
final class Instance {
    /** What comes to it: a task of the core, or word from this package. */
    private sealed interface Work {
        record Task(Batch.WorkflowTask task) implements Work {}

        /** Let go of the execution; refuse what comes for it if there is a reason. */
        record Drop(Execution execution, int steps, @Nullable Stall reason) implements Work {
            boolean isMeantFor(@Nullable Execution other, int itsSteps) {
                return execution == other && (steps == ANY_STEPS || steps == itsSteps);
            }
        }
    }

    /** A task at work: the answers so far, as many as jobs were applied. */
    private static final class Turn {
        final Batch.WorkflowTask task;
        final StringBuilder steps = new StringBuilder();
        int applied;
        @Nullable Stall stall;

        Turn(Batch.WorkflowTask task) {
            this.task = task;
        }

        /** Where the next job's answer goes. */
        StringBuilder step() {
            applied++;
            return applied == 1 ? steps : steps.append(',');
        }

        boolean isOver() {
            return stall != null || applied == task.jobs().size();
        }

        String answer() {
            var out = new StringBuilder(steps.length() + 64);
            JsonWriter.quote(out.append("{\"t\":"), task.token());
            if (stall == null) return out.append(",\"steps\":[").append(steps).append("]}").toString();
            JsonWriter.quote(out.append(",\"stall\":{\"code\":"), stall.code());
            JsonWriter.quote(out.append(",\"message\":"), stall.message());
            if (stall.stack() != null) JsonWriter.quote(out.append(",\"stack\":"), stall.stack());
            return out.append("}}").toString();
        }
    }

    /** An execution is let go of wherever it is. */
    static final int ANY_STEPS = -1;

    final String key;
    /** What the watchdog knows of it. */
    final Watchdog.Seen seen = new Watchdog.Seen();

    private final WorkflowHost host;
    private final String id;
    private final Queue<Work> inbox = new ConcurrentLinkedQueue<>();
    /** How much came and is not done; guarded by the host's map. */
    private int queued;

    private @Nullable Turn turn;
    /** Whether a job was applied on which paths of the execution run. */
    private boolean stepping;

    private Job.@Nullable Turn known;
    private @Nullable Stall refusal;
    private volatile @Nullable Execution execution;
    private volatile int steps;

    Instance(WorkflowHost host, String key, String id) {
        this.host = host;
        this.key = key;
        this.id = id;
    }

    // The queue, under the lock that the host's map has for this instance.

    /** A task comes; says whether the instance was idle, so that the caller has the turn. */
    boolean add(Batch.WorkflowTask task) {
        inbox.add(new Work.Task(task));
        return queued++ == 0;
    }

    /** The same for the end of an execution that has not gone on since so many steps. */
    boolean add(Execution execution, int steps, @Nullable Stall reason) {
        inbox.add(new Work.Drop(execution, steps, reason));
        return queued++ == 0;
    }

    /** A piece of work is done; says whether the instance is idle, so that the caller has lost the turn. */
    boolean remove() {
        queued--;
        return queued == 0;
    }

    /** Whether there is nothing to be kept of it. */
    boolean isEmpty() {
        return queued == 0 && execution == null && refusal == null;
    }

    // Work, by whoever has the turn.

    /** Works until a path is to run, and gives it; null when there is nothing left to do, and the turn is lost. */
    @Nullable Path next() {
        while (true) {
            if (stepping) {
                var next = execution.next();
                if (next != null) {
                    steps++;
                    return next;
                }
                endStep();
            }
            if (turn != null) {
                applyJobs();
                if (stepping) continue;
                endTurn();
                if (host.release(this)) return null;
            }
            switch (inbox.remove()) {
                case Work.Task(var task) -> turn = new Turn(task);
                case Work.Drop word -> {
                    if (word.isMeantFor(execution, steps)) {
                        drop();
                        refusal = word.reason;
                    }
                    if (host.release(this)) return null;
                }
            }
        }
    }

    /** Goes on without a path that is stuck, from which the turn was taken. */
    void giveUp(Execution stuck, Path path, Stall stall) {
        stuck.forget(path);
        stallTurn(stall);
        var next = next();
        if (next != null) next.resume();
    }

    private void applyJobs() {
        var at = turn;
        while (!stepping && !at.isOver()) {
            try {
                stepping = apply(at.task, at.task.jobs().get(at.applied));
                if (!stepping) at.step().append("[]");
            } catch (Stall.Found found) {
                stallTurn(found.stall);
            } catch (RuntimeException | Error fault) {
                // A fault of this package must not take the worker's other instances along.
                var message = "the host failed: " + fault;
                stallTurn(new Stall(Stall.INVALID_ARGUMENT, message, Failures.stackOf(fault)));
            }
        }
    }

    /** Applies a job; says whether the function runs on it. */
    private boolean apply(Batch.WorkflowTask task, Job job) {
        var running = execution;
        switch (job) {
            case Job.Done done -> {
                if (!isAtWork(running)) return false;
                running.done(done);
                return true;
            }
            case Job.Failed failed -> {
                if (!isAtWork(running)) return false;
                running.failed(failed);
                return true;
            }
            case Job.Turn next -> {
                known = next;
                if (running != null) running.turn = next;
                return false;
            }
            case Job.Start start -> {
                // A second start of an instance begins from nothing.
                refusal = null;
                drop();
                start(task, start);
                return true;
            }
            case Job.Evict evict -> {
                refusal = null;
                drop();
                return false;
            }
            case Job.Unknown unknown -> throw new Stall.Found(
                    Stall.INVALID_ARGUMENT, "the job " + unknown.kind() + " is unknown to this version");
        }
    }

    private boolean isAtWork(@Nullable Execution running) {
        if (refusal != null) throw new Stall.Found(refusal);
        return running != null && running.isAlive();
    }

    private void start(Batch.WorkflowTask task, Job.Start start) {
        if (known == null) throw new Stall.Found(Stall.INVALID_ARGUMENT, "a start came before its turn");
        var workflow = host.workflows.find(start.name(), start.version());
        if (workflow == null) {
            var which = start.version() == null ? "" : " version " + start.version();
            throw new Stall.Found(Stall.VERSION_NOT_AVAILABLE, "this worker has no workflow " + start.name() + which);
        }
        var begun = new Execution(this, host.payloads, known, "everstep " + id);
        var context = new Context(begun, task.id(), task.run(), start);
        execution = begun;
        begun.begin(() -> run(workflow, context, start.input()));
    }

    @SuppressWarnings("unchecked")
    private Object run(Registration workflow, Context context, @Nullable String input) throws Exception {
        Object value = host.payloads.decode(input, workflow.input());
        return ((Workflow<Object, Object>) workflow.definition()).run(context, value);
    }

    private void endStep() {
        stepping = false;
        var commands = execution.collect();
        if (commands == null) stallTurn(execution.stall());
        else turn.step().append(commands);
    }

    private void endTurn() {
        var ended = turn;
        turn = null;
        if (ended.stall != null) refusal = null;
        if (execution != null && !execution.isAlive()) execution = null;
        host.answer(ended.answer());
    }

    private void stallTurn(Stall found) {
        stepping = false;
        turn.stall = found;
        drop();
    }

    private void drop() {
        var dropped = execution;
        execution = null;
        if (dropped != null) dropped.close();
    }

    // For the watchdog.

    /** The execution, if there is one. */
    @Nullable Execution execution() {
        return execution;
    }

    /** How many stretches of the function have begun. */
    int steps() {
        return steps;
    }

    @Override
    public String toString() {
        return id;
    }
}
