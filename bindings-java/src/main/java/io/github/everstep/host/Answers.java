package io.github.everstep.host;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetEncoder;
import java.nio.charset.CodingErrorAction;
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
    private final Consumer<ByteBuffer> complete;
    private final Queue<String> turns = new ConcurrentLinkedQueue<>();
    private final Queue<String> activities = new ConcurrentLinkedQueue<>();
    private final Thread thread;
    private final StringBuilder text = new StringBuilder(1 << 12);
    private final CharsetEncoder utf8 = StandardCharsets.UTF_8
            .newEncoder()
            .onMalformedInput(CodingErrorAction.REPLACE)
            .onUnmappableCharacter(CodingErrorAction.REPLACE);
    private ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 16);
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
            if (gather()) complete.accept(encoded());
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
        text.setLength(0);
        text.append("{\"v\":1");
        boolean any = append("turns", turns) | append("activities", activities);
        text.append('}');
        return any;
    }

    private boolean append(String key, Queue<String> answers) {
        var answer = answers.poll();
        if (answer == null) return false;
        text.append(",\"").append(key).append("\":[").append(answer);
        for (answer = answers.poll(); answer != null; answer = answers.poll()) text.append(',').append(answer);
        text.append(']');
        return true;
    }

    private ByteBuffer encoded() {
        long most = (long) Math.ceil(text.length() * (double) utf8.maxBytesPerChar());
        if (buffer.capacity() < most) buffer = ByteBuffer.allocateDirect((int) Math.min(Integer.MAX_VALUE, most * 3 / 2));
        buffer.clear();
        utf8.reset();
        utf8.encode(CharBuffer.wrap(text), buffer, true);
        utf8.flush(buffer);
        return buffer.flip();
    }
}
