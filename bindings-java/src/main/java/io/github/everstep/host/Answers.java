package io.github.everstep.host;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * Gathers what is done and gives it to the core: one platform thread crosses with all that came while it was away, so that
 * the cost of a crossing is shared by what ends together.
 */
final class Answers {
    /** About how many bytes cross at once. */
    private static final int MOST_BYTES = 1 << 20;

    private final Consumer<ByteBuffer> complete;
    private final Queue<String> turns = new ConcurrentLinkedQueue<>();
    private final Queue<String> activities = new ConcurrentLinkedQueue<>();
    private final Thread thread;
    private ByteBuffer text = ByteBuffer.allocateDirect(1 << 16);
    private volatile boolean asleep;
    private volatile boolean stopped;

    /** {@code complete} takes the text of a batch of answers; the buffer is used again when it returns. */
    Answers(Consumer<ByteBuffer> complete) {
        this.complete = complete;
        thread = Thread.ofPlatform().daemon().name("everstep-answers").unstarted(this::flush);
    }

    void start() {
        thread.start();
    }

    /** Takes the answer to a workflow task. */
    void turn(String answer) {
        turns.add(answer);
        wake();
    }

    /** Takes the answer of an activity. */
    void activity(String answer) {
        activities.add(answer);
        wake();
    }

    /** Ends the thread, after what is there. */
    void close() {
        stopped = true;
        LockSupport.unpark(thread);
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException interrupt) {
                interrupted = true;
            }
        }
        if (interrupted) Thread.currentThread().interrupt();
    }

    private void wake() {
        if (asleep) {
            asleep = false;
            LockSupport.unpark(thread);
        }
    }

    private void flush() {
        while (true) {
            boolean last = stopped;
            if (gather()) complete.accept(text.flip());
            else if (last) return;
            else sleep();
        }
    }

    private void sleep() {
        asleep = true;
        // Something may have come between the last look and this word.
        if (turns.isEmpty() && activities.isEmpty() && !stopped) LockSupport.park(this);
        asleep = false;
    }

    private boolean gather() {
        // One that a large answer needed is not kept.
        if (text.capacity() > 4 * MOST_BYTES) text = ByteBuffer.allocateDirect(MOST_BYTES);
        text.clear();
        put("{\"v\":1");
        boolean any = put(",\"turns\":[", turns) | put(",\"activities\":[", activities);
        put("}");
        return any;
    }

    private boolean put(String head, Queue<String> answers) {
        var answer = answers.poll();
        if (answer == null) return false;
        put(head);
        put(answer);
        while (text.position() < MOST_BYTES && (answer = answers.poll()) != null) {
            put(",");
            put(answer);
        }
        put("]");
        return true;
    }

    private void put(String piece) {
        // Most are ASCII, of which Java has the bytes already; an encoder looks at each character.
        byte[] bytes = piece.getBytes(StandardCharsets.UTF_8);
        if (text.remaining() < bytes.length) {
            long room = 2L * (text.capacity() + bytes.length);
            text = ByteBuffer.allocateDirect((int) Math.min(room, Integer.MAX_VALUE)).put(text.flip());
        }
        text.put(bytes);
    }
}
