package io.github.everstep.faults;

import io.github.everstep.Activity;
import io.github.everstep.Client;
import io.github.everstep.Task;
import io.github.everstep.Worker;
import io.github.everstep.WorkerBuilder;
import io.github.everstep.WorkflowContext;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;

/** What runs while something breaks: workflows that take steps, each of which stands in a ledger. */
final class Steps {
    private static final Duration BETWEEN = Duration.ofMillis(300);

    private final Activity<Integer, Integer> step;

    /** What runs in the middle of a step. */
    interface Within {
        void step(int number) throws InterruptedException;
    }

    private Steps(Ledger ledger, Within within) {
        step = Activity.of("step", Integer.class, Integer.class, (context, number) -> {
            ledger.note(context.instanceId(), number);
            within.step(number);
            return number * number;
        });
    }

    /** A worker of them all. */
    static WorkerBuilder worker(Client client, Ledger ledger, Within within) {
        var steps = new Steps(ledger, within);
        return Worker.builder(client)
                .workflow("steps", Integer.class, List.class, steps::inTurn)
                .workflow("pauses", Integer.class, List.class, steps::withPauses)
                .workflow("at_once", Integer.class, List.class, steps::atOnce)
                .workflow("asks", Integer.class, List.class, steps::afterAnswer)
                .activities(steps.step);
    }

    private List<Integer> inTurn(WorkflowContext context, int count) {
        var done = new ArrayList<Integer>();
        for (int number = 0; number < count; number++) done.add(context.call(step, number).await());
        return done;
    }

    private List<Integer> withPauses(WorkflowContext context, int count) {
        var done = new ArrayList<Integer>();
        for (int number = 0; number < count; number++) {
            done.add(context.call(step, number).await());
            context.sleep(BETWEEN);
        }
        return done;
    }

    private List<Integer> atOnce(WorkflowContext context, int count) {
        var asked = new ArrayList<Task<Integer>>();
        for (int number = 0; number < count; number++) asked.add(context.call(step, number));
        return context.all(asked).await();
    }

    private List<Integer> afterAnswer(WorkflowContext context, int count) {
        var done = new ArrayList<>(List.of(context.call(step, 0).await()));
        done.set(0, context.waitForEvent("answer", Integer.class, Ledger.PATIENCE).await());
        for (int number = 1; number < count; number++) done.add(context.call(step, number).await());
        return done;
    }

    /** What so many steps answer. */
    static List<Integer> expected(int count) {
        return IntStream.range(0, count).map(number -> number * number).boxed().toList();
    }

    /**
     * A worker process: its arguments are a ledger and the step in the middle of which it stops, if any. What it is
     * told on its standard input lets that step go on; where that ends it closes its worker and is done.
     */
    static final class Program {
        public static void main(String[] arguments) throws IOException {
            int hold = arguments.length > 1 ? Integer.parseInt(arguments[1]) : -1;
            var release = new CountDownLatch(1);
            var ledger = new Ledger(Path.of(arguments[0]));
            try (var client = Client.create("dapr:");
                    var worker = worker(client, ledger, number -> {
                        if (number == hold) release.await();
                    }).start();
                    var told = new BufferedReader(new InputStreamReader(System.in))) {
                if (told.readLine() != null) {
                    release.countDown();
                    while (told.readLine() != null) {}
                }
                release.countDown();
                worker.close();
            }
        }
    }
}
