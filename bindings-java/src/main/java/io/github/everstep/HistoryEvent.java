package io.github.everstep;

import io.github.everstep.bridge.Answer;
import io.github.everstep.bridge.Errors;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One event of an instance's history. What its kind does not have is null. */
public final class HistoryEvent {
    private static final Set<String> BEGINNINGS = Set.of(
            "TaskScheduled", "ChildWorkflowInstanceCreated", "TimerCreated", "ExecutionStarted", "ExecutionSuspended");
    private static final Set<String> TIMES = Set.of("fireAt", "startAt");

    private final Answer event;
    private final Answer said;
    private final int index;
    private final History history;

    HistoryEvent(Answer event, int index, History history) {
        this.event = event;
        this.said = event.inner("said");
        this.index = index;
        this.history = history;
    }

    /**
     * Its ID; -1 for events that answer nothing.
     *
     * @return the ID
     */
    public int eventId() {
        return event.count("eventId");
    }

    /**
     * Its kind in Dapr's words.
     *
     * @return for example {@code TaskScheduled}
     */
    public String type() {
        return event.text("kind");
    }

    /**
     * When it was written.
     *
     * @return the time
     */
    public @Nullable Instant timestamp() {
        return Times.optional(event.number("timestamp"));
    }

    /**
     * Its place in the history, from 0.
     *
     * @return the place
     */
    public int index() {
        return index;
    }

    /**
     * The number of the turn that it was written with, from 1.
     *
     * @return the number
     */
    public int turn() {
        return event.count("turn");
    }

    /**
     * The time between this and its counterpart: of an activity, a child, a timer, a pause, the whole run.
     *
     * @return the time
     */
    public @Nullable Duration duration() {
        Long micros = event.number("duration");
        return micros == null ? null : Duration.of(micros, ChronoUnit.MICROS);
    }

    /**
     * What a timer is for.
     *
     * @return {@code sleep}, {@code event_timeout}, {@code activity_timeout} or {@code retry}
     */
    public @Nullable String timerUse() {
        return event.text("timerUse");
    }

    /**
     * Whether nobody waits any more for this timer or activity.
     *
     * @return {@code true} if nobody does
     */
    public boolean isGivenUp() {
        return event.number("givenUp") != null;
    }

    /**
     * The name of the workflow, activity, child, timer or event; an answer has that of what it answers.
     *
     * @return the name
     */
    public @Nullable String name() {
        return said.text("name");
    }

    /**
     * The instance that was started, created or addressed; a child's answer has that of the child.
     *
     * @return its ID
     */
    public @Nullable String instanceId() {
        return said.text("instanceId");
    }

    /**
     * The input.
     *
     * @return the payload
     */
    public @Nullable Payload input() {
        return Payload.of(said.text("input"), history.payloads());
    }

    /**
     * The result.
     *
     * @return the payload
     */
    public @Nullable Payload result() {
        return Payload.of(said.text("result"), history.payloads());
    }

    /**
     * What it failed with.
     *
     * @return the failure
     */
    public @Nullable Failure failure() {
        return history.payloads().reveal(Errors.failure(said));
    }

    /**
     * The status that the run ended with.
     *
     * @return the status
     */
    public @Nullable RuntimeStatus status() {
        String status = said.text("status");
        return status == null ? null : RuntimeStatus.of(status);
    }

    /**
     * The attempt of the call, from 1, where it is known.
     *
     * @return the number
     */
    public @Nullable Integer attempt() {
        Long attempt = said.number("attempt");
        return attempt == null ? null : Math.toIntExact(attempt);
    }

    /**
     * When a timer is due; it may never be.
     *
     * @return the time
     */
    public @Nullable Instant fireAt() {
        return Times.optional(said.number("fireAt"));
    }

    /**
     * What this event answers: the call, the timer, the wait, the pause or the start.
     *
     * @return the event
     */
    public @Nullable HistoryEvent scheduled() {
        return BEGINNINGS.contains(event.text("kind")) ? null : at(event.number("counterpart"));
    }

    /**
     * The event that answers this one.
     *
     * @return the event; null while nothing has
     */
    public @Nullable HistoryEvent outcome() {
        return BEGINNINGS.contains(event.text("kind")) ? at(event.number("counterpart")) : null;
    }

    /**
     * Of a further attempt, the first one.
     *
     * @return the event
     */
    public @Nullable HistoryEvent firstAttempt() {
        return at(event.number("firstAttempt"));
    }

    /**
     * Of a timer, the attempt that it limits or that failed before it.
     *
     * @return the event
     */
    public @Nullable HistoryEvent serves() {
        return at(event.number("serves"));
    }

    /**
     * The history of the child that this event is about, where it was read with this one. See {@link History#child}.
     *
     * @return the history
     * @throws FailedPreconditionException if children were not read
     */
    public @Nullable History child() {
        String id = instanceId();
        return id == null || !type().startsWith("ChildWorkflow") ? null : history.child(id);
    }

    /**
     * All that the event says, by name; what its kind does not have is left out. Payloads are text, as they are stored.
     *
     * @return names and values: texts, numbers, {@link Instant}, {@link Failure}, lists and maps
     */
    public Map<String, Object> attributes() {
        Map<String, Object> attributes = new LinkedHashMap<>();
        said.fields().forEach((key, value) -> {
            String name = (String) key;
            attributes.put(name, name.equals("failure") ? failure() : shown(name, value));
        });
        return attributes;
    }

    private static Object shown(String name, Object value) {
        return switch (value) {
            case Long micros when TIMES.contains(name) -> Times.instant(micros);
            case Long number when !name.equals("timeoutMs") -> Math.toIntExact(number);
            case List<?> list -> list.stream().map(one -> shown(name, one)).toList();
            case Map<?, ?> map -> {
                Map<String, Object> fields = new LinkedHashMap<>();
                map.forEach((key, inner) -> fields.put((String) key, shown((String) key, inner)));
                yield fields;
            }
            default -> value;
        };
    }

    private @Nullable HistoryEvent at(@Nullable Long place) {
        return place == null ? null : history.events().get(Math.toIntExact(place));
    }

    @Override
    public String toString() {
        return "HistoryEvent[" + index + ", " + type() + (name() == null ? "" : ", " + name()) + "]";
    }
}
