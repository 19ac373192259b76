package io.github.everstep.host;

import io.github.everstep.First;
import io.github.everstep.InvalidArgumentException;
import io.github.everstep.Outcome;
import io.github.everstep.Task;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * A task that waits for others. The order in which members are given up is part of the stored contract.
 *
 * @param <T> what it gives
 */
final class Group<T> extends Pending<T> {
    private final List<Pending<?>> members;
    private final String name;
    private int left;

    private Group(Execution execution, String name, Collection<? extends Task<?>> tasks) {
        super(execution);
        this.name = name;
        members = new ArrayList<>(tasks.size());
        for (var task : tasks) {
            if (!(task instanceof Pending<?> member) || member.execution != execution) {
                throw new InvalidArgumentException("a workflow waits for tasks of its own context only");
            }
            members.add(member);
        }
        left = members.size();
    }

    /** All values, in order; it fails with the first failure and leaves the others alone. */
    static <T> Group<List<T>> all(Execution execution, Collection<? extends Task<? extends T>> tasks) {
        var group = new Group<List<T>>(execution, "waiting for all", tasks);
        for (var member : group.members) {
            member.listen(() -> {
                group.left--;
                if (member.hasFailed()) group.fail(() -> group.raised(member));
                else if (group.left == 0) group.resolve(() -> values(group.members));
            });
        }
        if (group.members.isEmpty()) group.resolve(List::of);
        return group;
    }

    /** How all of them end, in order. */
    static <T> Group<List<Outcome<T>>> allSettled(Execution execution, Collection<? extends Task<? extends T>> tasks) {
        var group = new Group<List<Outcome<T>>>(execution, "waiting for all", tasks);
        for (var member : group.members) {
            member.listen(() -> {
                if (--group.left == 0) group.resolve(() -> outcomes(group.members));
            });
        }
        if (group.members.isEmpty()) group.resolve(List::of);
        return group;
    }

    /** The first of these that is done; the rest is given up, in order. */
    static <T> Group<First<T>> any(
            Execution execution, Collection<? extends Task<? extends T>> tasks, boolean cancelRest) {
        if (tasks.isEmpty()) throw new InvalidArgumentException("any needs at least one task");
        var group = new Group<First<T>>(execution, "waiting for any", tasks);
        for (int index = 0; index < group.members.size(); index++) {
            int place = index;
            var member = group.members.get(place);
            member.listen(() -> {
                if (group.isDone()) return;
                if (member.hasFailed()) group.fail(() -> group.raised(member));
                else group.resolve(() -> group.first(place));
                if (cancelRest) group.release();
            });
        }
        return group;
    }

    @Override
    void giveUp() {
        // First itself: the end of a member is none of its business any more.
        givenUp();
        release();
    }

    private void release() {
        for (var member : members) {
            if (!member.isDone()) member.giveUp();
        }
    }

    private T raised(Pending<?> member) {
        member.get();
        throw new AssertionError("a member that has failed raises");
    }

    @SuppressWarnings("unchecked")
    private <V> First<V> first(int place) {
        return new First<>(place, (V) members.get(place).get());
    }

    /** What tasks that are done gave. */
    @SuppressWarnings("unchecked")
    static <V> List<V> values(List<? extends Pending<?>> tasks) {
        var values = new ArrayList<V>(tasks.size());
        for (var task : tasks) values.add((V) task.get());
        return values;
    }

    /** How tasks that are done ended. */
    @SuppressWarnings("unchecked")
    static <V> List<Outcome<V>> outcomes(List<? extends Pending<?>> tasks) {
        var outcomes = new ArrayList<Outcome<V>>(tasks.size());
        for (var task : tasks) {
            var error = task.error();
            outcomes.add(error == null ? new Outcome<>((V) task.get(), null) : new Outcome<>(null, error));
        }
        return outcomes;
    }

    @Override
    public String toString() {
        return name;
    }
}
