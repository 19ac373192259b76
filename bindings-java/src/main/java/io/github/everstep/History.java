package io.github.everstep;

import io.github.everstep.bridge.Carrier;
import io.github.everstep.bridge.Payloads;
import io.github.everstep.ffi.NativeEvent;
import io.github.everstep.ffi.NativeHistory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The events of an instance, oldest first. It is as it was when it was read. */
public final class History implements Iterable<HistoryEvent> {
    private final NativeHistory history;
    private final int expand;
    private final Payloads payloads;
    private final String instanceId;
    private final List<HistoryEvent> events;

    History(NativeHistory history, int expand, Payloads payloads) {
        this.history = history;
        this.expand = expand;
        this.payloads = payloads;
        this.instanceId = Carrier.call(history::instanceId);
        List<HistoryEvent> all = new ArrayList<>();
        for (NativeEvent event : Carrier.call(history::events)) {
            all.add(new HistoryEvent(event, all.size(), this));
        }
        this.events = List.copyOf(all);
    }

    /**
     * The instance ID.
     *
     * @return the ID
     */
    public String instanceId() {
        return instanceId;
    }

    /**
     * All events.
     *
     * @return the events, oldest first
     */
    public List<HistoryEvent> events() {
        return events;
    }

    /**
     * The events of these kinds.
     *
     * @param types the kinds in Dapr's words, for example {@code TaskScheduled}
     * @return the events, oldest first
     */
    public List<HistoryEvent> eventsOf(String... types) {
        List<String> wanted = Arrays.asList(types);
        return events.stream().filter(event -> wanted.contains(event.type())).toList();
    }

    /**
     * Every attempt of an activity or a child.
     *
     * @return the events that asked for them
     */
    public List<HistoryEvent> calls() {
        return eventsOf("TaskScheduled", "ChildWorkflowInstanceCreated");
    }

    /**
     * Every event that says what failed.
     *
     * @return the events
     */
    public List<HistoryEvent> failures() {
        return events.stream().filter(event -> event.failure() != null).toList();
    }

    /**
     * The instance IDs of the children that it started.
     *
     * @return the IDs
     */
    public List<String> childIds() {
        return Carrier.call(history::childIds);
    }

    /**
     * The history of one of its children.
     *
     * @param instanceId the instance ID of the child
     * @return its history; null for a child that was purged, and for what is no child
     * @throws FailedPreconditionException if children were not read: ask for the history with {@code expand}
     */
    public @Nullable History child(String instanceId) {
        NativeHistory child = Carrier.call(() -> history.child(Arguments.present(instanceId, "instanceId")));
        if (child != null) {
            return new History(child, Math.max(expand - 1, 0), payloads);
        }
        if (expand > 0 || !childIds().contains(instanceId)) {
            return null;
        }
        throw new FailedPreconditionException("the history of \"" + instanceId
                + "\" was not read; read it with its parent's, by an expand of 1, or on its own");
    }

    /**
     * The history as a Mermaid sequence diagram, with the children that were read.
     *
     * @return its text
     */
    public String toMermaid() {
        return toMermaid(expand, 400, 60, true);
    }

    /**
     * The history as a Mermaid sequence diagram.
     *
     * @param depth how many levels of children; 0 is the instance alone
     * @param maxLines how many lines at most
     * @param maxText how long a text is at most
     * @param payloads whether payloads are shown
     * @return its text
     */
    public String toMermaid(int depth, int maxLines, int maxText, boolean payloads) {
        int levels = Arguments.count(depth, "depth", 0);
        int lines = Arguments.count(maxLines, "maxLines", 0);
        int text = Arguments.count(maxText, "maxText", 0);
        return Carrier.call(() -> history.mermaid(levels, lines, text, payloads));
    }

    @Override
    public Iterator<HistoryEvent> iterator() {
        return events.iterator();
    }

    Payloads payloads() {
        return payloads;
    }
}
