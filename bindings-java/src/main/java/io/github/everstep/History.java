package io.github.everstep;

import io.github.everstep.bridge.Answer;
import io.github.everstep.bridge.Carrier;
import io.github.everstep.bridge.Held;
import io.github.everstep.bridge.Payloads;
import io.github.everstep.bridge.Request;
import io.github.everstep.ffi.EverstepJava;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The events of an instance, oldest first. It is as it was when it was read. */
public final class History implements Iterable<HistoryEvent> {
    /** What the core holds for the diagrams, and where in it this history is: the children that lead to it. */
    private final Held root;

    private final List<String> path;
    private final int expand;
    private final Payloads payloads;
    private final String instanceId;
    private final List<HistoryEvent> events;
    private final List<String> childIds;
    private final Map<String, History> children = new HashMap<>();

    private History(Answer said, Held root, List<String> path, int expand, Payloads payloads) {
        this.root = root;
        this.path = path;
        this.expand = expand;
        this.payloads = payloads;
        this.instanceId = said.text("instanceId");
        List<HistoryEvent> all = new ArrayList<>();
        said.each("events").forEach(event -> all.add(new HistoryEvent(event, all.size(), this)));
        this.events = List.copyOf(all);
        this.childIds = said.texts("childIds");
        said.each("children").forEach(child -> {
            List<String> there = Stream.concat(path.stream(), Stream.of(child.text("instanceId"))).toList();
            children.put(child.text("instanceId"), new History(child, root, there, Math.max(expand - 1, 0), payloads));
        });
    }

    static History of(Answer answer, int expand, Payloads payloads) {
        return new History(answer, new Held(answer.held()), List.of(), expand, payloads);
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
        return childIds;
    }

    /**
     * The history of one of its children.
     *
     * @param instanceId the instance ID of the child
     * @return its history; null for a child that was purged, and for what is no child
     * @throws FailedPreconditionException if children were not read: ask for the history with {@code expand}
     */
    public @Nullable History child(String instanceId) {
        History child = children.get(Arguments.present(instanceId, "instanceId"));
        if (child != null || expand > 0 || !childIds.contains(instanceId)) {
            return child;
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
        String asked = Request.part()
                .with("path", path)
                .json("depth", Arguments.count(depth, "depth", 0))
                .json("maxLines", Arguments.count(maxLines, "maxLines", 0))
                .json("maxText", Arguments.count(maxText, "maxText", 0))
                .json("payloads", payloads)
                .toString();
        try {
            return Carrier.call(() -> EverstepJava.historyMermaid(root.number(), asked));
        } finally {
            Reference.reachabilityFence(root);
        }
    }

    @Override
    public Iterator<HistoryEvent> iterator() {
        return events.iterator();
    }

    Payloads payloads() {
        return payloads;
    }
}
