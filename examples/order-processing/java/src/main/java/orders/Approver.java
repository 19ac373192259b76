package orders;

import io.github.everstep.Client;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/**
 * The approver: looks at the desk now and then, and raises an event for each request that it answers.
 *
 * <p>The event goes first: killed between the two it is raised again, and a second event of that name is not waited for.
 * The other way round it would be lost.
 */
public final class Approver implements AutoCloseable {
    private static final Duration PAUSE = Duration.ofMillis(50);

    private final Thread thread;
    private volatile boolean closed;

    public Approver(Client client, String prefix, Shop desk) {
        thread = Thread.ofVirtual().name("approver").start(() -> {
            while (!closed) {
                for (var request : desk.unanswered()) answer(client, prefix, desk, request);
                LockSupport.parkNanos(PAUSE.toNanos());
            }
        });
    }

    private static void answer(Client client, String prefix, Shop desk, Shop.Request request) {
        int digit = Character.digit(request.customer().charAt(request.customer().length() - 1), 10);
        if (digit == 9) return;
        boolean approved = digit < 7;
        client.raiseWorkflowEvent(prefix + request.orderId(), "approval", new Approval(approved));
        desk.answer(request.orderId(), approved ? "approved" : "declined");
    }

    @Override
    public void close() throws InterruptedException {
        closed = true;
        LockSupport.unpark(thread);
        thread.join();
    }
}
