package io.github.everstep.host;

import io.github.everstep.ErrorDetails;
import io.github.everstep.InternalException;
import io.github.everstep.InvalidArgumentException;
import io.github.everstep.OperationCancelledException;
import io.github.everstep.bridge.Payloads;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Runs the tasks of a worker.
 *
 * <p>Two platform threads poll, a third one gives answers back, a fourth is the watchdog; the user's code runs on virtual
 * threads, none of which ever waits in a native call. All threads are daemons.
 */
public final class WorkerHost {
    private static final Logger LOGGER = System.getLogger("io.github.everstep.worker");

    private final Workflows workflows;
    private final Activities activities;
    private final Payloads payloads;
    private final Duration blockedAfter;
    private final AtomicInteger polling = new AtomicInteger(2);
    private final CountDownLatch closed = new CountDownLatch(1);
    private Runnable onClosed = () -> {};

    /**
     * Prepares a host.
     *
     * @param workflows the workflows
     * @param activities the activities
     * @param payloads what the codec writes and reads
     * @param blockedAfter how long a workflow may keep its turn
     * @throws InvalidArgumentException if two of them cannot live side by side
     */
    public WorkerHost(
            Collection<Registration> workflows,
            Collection<Registration> activities,
            Payloads payloads,
            Duration blockedAfter) {
        this.workflows = new Workflows(workflows);
        this.activities = new Activities(activities);
        this.payloads = payloads;
        this.blockedAfter = blockedAfter;
    }

    /** What the core opens the worker by. */
    public String opening(int maxCached, int workflowSlots, int activitySlots) {
        var out = new StringBuilder("{\"v\":1,\"host\":\"java/");
        out.append(Runtime.version().feature()).append("\",\"payloads\":");
        out.append(payloads.arePlainJson() ? "\"inline\"" : "\"text\"");
        workflows.declare(out.append(",\"workflows\":"));
        activities.declare(out.append(",\"activities\":"));
        out.append(",\"max_cached\":").append(maxCached);
        out.append(",\"slots\":{\"workflows\":").append(workflowSlots);
        return out.append(",\"activities\":").append(activitySlots).append("}}").toString();
    }

    /** Begins to take tasks, until the source ends. */
    public void start(TaskSource source, int workflowSlots, int activitySlots) {
        var answers = new Answers(source::complete);
        var workflowHost = new WorkflowHost(workflows, payloads, answers::turn);
        var activityHost = new ActivityHost(activities, payloads, answers::activity);
        var watchdog = new Watchdog(workflowHost, blockedAfter);
        Runnable ended = () -> {
            if (polling.decrementAndGet() > 0) return;
            activityHost.close();
            workflowHost.close();
            watchdog.stop();
            answers.close();
            onClosed.run();
            closed.countDown();
        };
        answers.start();
        watchdog.start();
        poll("everstep-workflows", source, ended, () -> {
            for (var text = source.pollWorkflows(workflowSlots); text != null; text = source.pollWorkflows(workflowSlots)) {
                if (text.isEmpty()) continue;
                var batch = Batch.ofWorkflows(text);
                tell(batch.notices);
                watchdog.wake();
                workflowHost.take(batch.workflows);
            }
        });
        poll("everstep-activities", source, ended, () -> {
            for (var text = source.pollActivities(activitySlots); text != null; text = source.pollActivities(activitySlots)) {
                if (text.isEmpty()) continue;
                var batch = Batch.ofActivities(text);
                tell(batch.notices);
                activityHost.take(batch.activities, batch.cancelled);
            }
        });
    }

    /**
     * Runs what a source has, one task after the other, and returns when it has no more; throws {@code
     * OperationCancelledException} if the calling thread is interrupted.
     */
    public void rehearse(TaskSource source) {
        var answers = new LinkedBlockingQueue<String>();
        var host = new WorkflowHost(workflows, payloads, answers::add);
        var watchdog = new Watchdog(host, blockedAfter);
        watchdog.start();
        try {
            for (var text = source.pollWorkflows(1); text != null && !text.isEmpty(); text = source.pollWorkflows(1)) {
                var batch = Batch.ofWorkflows(text);
                tell(batch.notices);
                watchdog.wake();
                host.take(batch.workflows);
                for (int i = 0; i < batch.workflows.size(); i++) complete(source, answers.take());
            }
        } catch (InterruptedException interrupt) {
            Thread.currentThread().interrupt();
            throw new OperationCancelledException("the thread was interrupted", ErrorDetails.causedBy(interrupt));
        } finally {
            host.close();
            watchdog.stop();
        }
    }

    private static void complete(TaskSource source, String answer) {
        byte[] bytes = ("{\"v\":1,\"turns\":[" + answer + "]}").getBytes(StandardCharsets.UTF_8);
        var wrong = source.complete(ByteBuffer.allocateDirect(bytes.length).put(bytes).flip());
        if (wrong != null) throw new InternalException("the answer of a workflow was not taken: " + wrong);
    }

    /** What is done once when the source has ended, on one of the host's threads; to be said before the start. */
    public void onClosed(Runnable onClosed) {
        this.onClosed = onClosed;
    }

    /** Reached when the source has ended and nothing runs any more that this host could stop. */
    public CountDownLatch closed() {
        return closed;
    }

    private static void poll(String name, TaskSource source, Runnable ended, Runnable loop) {
        Thread.ofPlatform().daemon().name(name).start(() -> {
            try {
                loop.run();
            } catch (RuntimeException | Error fault) {
                LOGGER.log(Level.ERROR, "the worker has stopped", fault);
                source.abandon();
            } finally {
                ended.run();
            }
        });
    }

    private static void tell(List<Batch.Notice> notices) {
        for (var notice : notices) {
            var level = switch (notice.level()) {
                case "info" -> Level.INFO;
                case "warning" -> Level.WARNING;
                default -> Level.ERROR;
            };
            LOGGER.log(level, "{0}", notice.text());
        }
    }
}
