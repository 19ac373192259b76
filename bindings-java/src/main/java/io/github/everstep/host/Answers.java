package io.github.everstep.host;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Gathers what is done and gives it to the core: one platform thread crosses with all that came while it was away, so that
 * the cost of a crossing is shared by what ends together.
 */
final class Answers {
    /** About how much crosses at once. */
    private static final int MOST_CHARACTERS = 1 << 20;

    private static final Logger LOGGER = System.getLogger("io.github.everstep.worker");

    private final Function<ByteBuffer, @Nullable String> complete;
    private final Queue<String> turns = new ConcurrentLinkedQueue<>();
    private final Queue<String> activities = new ConcurrentLinkedQueue<>();
    private final List<String> takenTurns = new ArrayList<>();
    private final List<String> takenActivities = new ArrayList<>();
    private final Thread thread;
    private ByteBuffer text = ByteBuffer.allocateDirect(1 << 16);
    private volatile boolean asleep;
    private volatile boolean stopped;

    /**
     * {@code complete} takes the text of a batch of answers, and says what was wrong with the text as a whole; the buffer is used
     * again when it returns.
     */
    Answers(Function<ByteBuffer, @Nullable String> complete) {
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
            if (gather()) give();
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

    /** Takes what is to cross next; false if there is nothing. */
    private boolean gather() {
        takenTurns.clear();
        takenActivities.clear();
        int left = take(turns, takenTurns, MOST_CHARACTERS);
        take(activities, takenActivities, left);
        return !(takenTurns.isEmpty() && takenActivities.isEmpty());
    }

    /** At least one, so that neither waits for the other. */
    private static int take(Queue<String> answers, List<String> taken, int room) {
        int left = room;
        do {
            var answer = answers.poll();
            if (answer == null) break;
            taken.add(answer);
            left -= answer.length();
        } while (left > 0);
        return left;
    }

    private void give() {
        if (refused(takenTurns, takenActivities) == null) return;
        // One of them spoils the text. What is not answered is lost, so each crosses by itself.
        for (var answer : takenTurns) {
            var wrong = refused(List.of(answer), List.of());
            if (wrong != null) instead(answer, wrong, true);
        }
        for (var answer : takenActivities) {
            var wrong = refused(List.of(), List.of(answer));
            if (wrong != null) instead(answer, wrong, false);
        }
    }

    /** Answers what has an answer that cannot cross. */
    private void instead(String answer, String wrong, boolean isTurn) {
        var read = new JsonReader(answer);
        read.object();
        read.key();
        var out = JsonWriter.quote(new StringBuilder("{\"t\":"), read.string());
        var message = "the answer cannot be given to the engine: " + wrong;
        if (isTurn) {
            JsonWriter.quote(out.append(",\"stall\":{\"code\":"), Stall.ENCODE_FAILED);
        } else {
            // To run it again would do all that it does once more, and end here.
            out.append(",\"error\":{\"type\":\"EncodeError\",\"retryable\":false");
        }
        var small = List.of(JsonWriter.quote(out.append(",\"message\":"), message).append("}}").toString());
        var again = isTurn ? refused(small, List.of()) : refused(List.of(), small);
        if (again != null) LOGGER.log(Level.ERROR, "an answer was not taken: {0}", again);
    }

    /** Crosses; says why if that fails, so that whatever happens this thread lives on. */
    private @Nullable String refused(List<String> turns, List<String> activities) {
        try {
            // One that a large answer needed is not kept.
            if (text.capacity() > 4 * MOST_CHARACTERS) text = ByteBuffer.allocateDirect(MOST_CHARACTERS);
            text.clear();
            put("{\"v\":1");
            put(",\"turns\":[", turns);
            put(",\"activities\":[", activities);
            put("}");
            return complete.apply(text.flip());
        } catch (RuntimeException | Error fault) {
            return fault.toString();
        }
    }

    private void put(String head, List<String> answers) {
        if (answers.isEmpty()) return;
        var before = head;
        for (var answer : answers) {
            put(before);
            put(answer);
            before = ",";
        }
        put("]");
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
