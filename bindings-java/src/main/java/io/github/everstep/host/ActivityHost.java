package io.github.everstep.host;

import io.github.everstep.Activity;
import io.github.everstep.ActivityNotRegisteredException;
import io.github.everstep.InvalidArgumentException;
import io.github.everstep.bridge.Payloads;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/** Runs activities, each on a virtual thread of its own, and answers each as soon as it is done. */
final class ActivityHost {
    private final Activities activities;
    private final Payloads payloads;
    private final Consumer<String> answers;
    private final Map<String, RunningActivity> running = new ConcurrentHashMap<>();

    /** {@code answers} takes the answer to each task as soon as it is there, on any thread. */
    ActivityHost(Activities activities, Payloads payloads, Consumer<String> answers) {
        this.activities = activities;
        this.payloads = payloads;
        this.answers = answers;
    }

    /** Runs tasks; tells those that nobody waits for any more. */
    void take(List<Batch.ActivityTask> tasks, List<String> cancelled) {
        for (var token : cancelled) {
            var activity = running.get(token);
            if (activity != null) activity.cancel();
        }
        for (var task : tasks) {
            var thread = Thread.ofVirtual()
                    .name("everstep activity " + task.name())
                    .inheritInheritableThreadLocals(false)
                    .unstarted(() -> run(task));
            running.put(task.token(), new RunningActivity(task, thread));
            thread.start();
        }
    }

    /** Tells all that run to stop. */
    void close() {
        running.values().forEach(RunningActivity::cancel);
    }

    private void run(Batch.ActivityTask task) {
        var context = running.get(task.token());
        var answer = new StringBuilder(128);
        JsonWriter.quote(answer.append("{\"t\":"), task.token());
        int head = answer.length();
        try {
            value(answer, call(task, context));
        } catch (Throwable error) {
            // Also an error of the virtual machine: an activity that is never answered is lost.
            answer.setLength(head);
            Failures.write(answer.append(",\"error\":"), error, false, payloads);
        }
        running.remove(task.token());
        answers.accept(answer.append('}').toString());
    }

    @SuppressWarnings("unchecked")
    private @Nullable Object call(Batch.ActivityTask task, RunningActivity context) throws Exception {
        var known = activities.find(task.name());
        if (known == null) {
            throw new ActivityNotRegisteredException("this worker has no activity " + task.name());
        }
        Object input = payloads.decode(task.input(), known.input());
        return ((Activity<Object, Object>) known.definition()).run(context, input);
    }

    private void value(StringBuilder answer, @Nullable Object value) {
        try {
            new Command(answer, payloads).payload("value", payloads.forBatch(value, "the output"));
        } catch (InvalidArgumentException error) {
            // To run it again would do all that it does once more, and end here.
            Failures.write(answer.append(",\"error\":"), error, true, payloads);
        }
    }
}
