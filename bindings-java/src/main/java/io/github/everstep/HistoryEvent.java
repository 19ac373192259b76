package io.github.everstep;

import io.github.everstep.bridge.Errors;
import io.github.everstep.ffi.NativeEvent;
import io.github.everstep.ffi.NativeSaid;
import java.lang.reflect.RecordComponent;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One event of an instance's history. What its kind does not have is null. */
public final class HistoryEvent {
    private static final Set<String> BEGINNINGS = Set.of(
            "TaskScheduled", "ChildWorkflowInstanceCreated", "TimerCreated", "ExecutionStarted", "ExecutionSuspended");
    private static final Set<String> TIMES = Set.of("fireAt", "startAt");

    private final NativeEvent event;
    private final NativeSaid said;
    private final int index;
    private final History history;

    HistoryEvent(NativeEvent event, int index, History history) {
        this.event = event;
        this.said = event.said();
        this.index = index;
        this.history = history;
    }

    /**
     * Its ID; -1 for events that answer nothing.
     *
     * @return the ID
     */
    public int eventId() {
        return event.eventId();
    }

    /**
     * Its kind in Dapr's words.
     *
     * @return for example {@code TaskScheduled}
     */
    public String type() {
        return event.kind();
    }

    /**
     * When it was written.
     *
     * @return the time
     */
    public @Nullable Instant timestamp() {
        return Times.optional(event.timestamp());
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
        return event.turn();
    }

    /**
     * The time between this and its counterpart: of an activity, a child, a timer, a pause, the whole run.
     *
     * @return the time
     */
    public @Nullable Duration duration() {
        return event.duration() == null ? null : Duration.of(event.duration(), ChronoUnit.MICROS);
    }

    /**
     * What a timer is for.
     *
     * @return {@code sleep}, {@code event_timeout}, {@code activity_timeout} or {@code retry}
     */
    public @Nullable String timerUse() {
        return event.timerUse();
    }

    /**
     * Whether nobody waits any more for this timer or activity.
     *
     * @return {@code true} if nobody does
     */
    public boolean isGivenUp() {
        return event.givenUp() != null;
    }

    /**
     * The name of the workflow, activity, child, timer or event; an answer has that of what it answers.
     *
     * @return the name
     */
    public @Nullable String name() {
        return said.name();
    }

    /**
     * The instance that was started, created or addressed; a child's answer has that of the child.
     *
     * @return its ID
     */
    public @Nullable String instanceId() {
        return said.instanceId();
    }

    /**
     * The input.
     *
     * @return the payload
     */
    public @Nullable Payload input() {
        return Payload.of(said.input(), history.payloads());
    }

    /**
     * The result.
     *
     * @return the payload
     */
    public @Nullable Payload result() {
        return Payload.of(said.result(), history.payloads());
    }

    /**
     * What it failed with.
     *
     * @return the failure
     */
    public @Nullable Failure failure() {
        return history.payloads().reveal(Errors.failure(said.failure()));
    }

    /**
     * The status that the run ended with.
     *
     * @return the status
     */
    public @Nullable RuntimeStatus status() {
        return said.status() == null ? null : RuntimeStatus.of(said.status());
    }

    /**
     * The attempt of the call, from 1, where it is known.
     *
     * @return the number
     */
    public @Nullable Integer attempt() {
        return said.attempt();
    }

    /**
     * When a timer is due; it may never be.
     *
     * @return the time
     */
    public @Nullable Instant fireAt() {
        return Times.optional(said.fireAt());
    }

    /**
     * What this event answers: the call, the timer, the wait, the pause or the start.
     *
     * @return the event
     */
    public @Nullable HistoryEvent scheduled() {
        return BEGINNINGS.contains(event.kind()) ? null : at(event.counterpart());
    }

    /**
     * The event that answers this one.
     *
     * @return the event; null while nothing has
     */
    public @Nullable HistoryEvent outcome() {
        return BEGINNINGS.contains(event.kind()) ? at(event.counterpart()) : null;
    }

    /**
     * Of a further attempt, the first one.
     *
     * @return the event
     */
    public @Nullable HistoryEvent firstAttempt() {
        return at(event.firstAttempt());
    }

    /**
     * Of a timer, the attempt that it limits or that failed before it.
     *
     * @return the event
     */
    public @Nullable HistoryEvent serves() {
        return at(event.serves());
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
        for (RecordComponent component : NativeSaid.class.getRecordComponents()) {
            Object value = value(component, said);
            if (value instanceof Long micros && TIMES.contains(component.getName())) {
                value = Times.instant(micros);
            }
            if (component.getName().equals("failure")) {
                value = failure();
            }
            if (value != null) {
                attributes.put(component.getName(), value);
            }
        }
        return attributes;
    }

    private static @Nullable Object value(RecordComponent component, Record of) {
        try {
            Object value = component.getAccessor().invoke(of);
            return switch (value) {
                case int[] numbers -> Arrays.stream(numbers).boxed().toList();
                case Record inner -> fields(inner);
                case null, default -> value;
            };
        } catch (ReflectiveOperationException error) {
            throw new IllegalStateException(error);
        }
    }

    private static Map<String, Object> fields(Record of) {
        Map<String, Object> fields = new LinkedHashMap<>();
        for (RecordComponent component : of.getClass().getRecordComponents()) {
            Object value = value(component, of);
            if (value != null) {
                fields.put(component.getName(), value);
            }
        }
        return fields;
    }

    private @Nullable HistoryEvent at(@Nullable Integer place) {
        return place == null ? null : history.events().get(place);
    }

    @Override
    public String toString() {
        return "HistoryEvent[" + index + ", " + type() + (name() == null ? "" : ", " + name()) + "]";
    }
}
