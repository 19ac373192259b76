package io.github.everstep.testing;

import io.github.everstep.Client;
import io.github.everstep.ErrorDetails;
import io.github.everstep.Filter;
import io.github.everstep.NotFoundException;
import io.github.everstep.Workflow;
import io.github.everstep.WorkflowStalledException;
import io.github.everstep.WorkflowState;
import io.github.everstep.bridge.Inside;
import io.github.everstep.bridge.Rehearsal;
import io.github.everstep.host.Registration;
import io.github.everstep.host.WorkerHost;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Runs stored histories through workflows, as a worker would after a restart.
 *
 * <p>So changed code is tried before it is deployed, on a copy of the file, or on the file while its owner works: {@code
 * Replay.histories(client, new OrderProcessing())}. Nothing is written and no activity runs. What a run gives back is not
 * compared, only what it asks for, and in which order.
 *
 * <p>The client says which component, and how payloads are read. The first history that the code does not fit ends it with
 * a {@link WorkflowStalledException} that says what both say, and for which instance.
 */
public final class Replay {
    private static final Duration BLOCKED_AFTER = Duration.ofSeconds(10);

    private Replay() {}

    /**
     * Replays all stored instances of the workflows.
     *
     * @param client the client that reads them
     * @param workflows the workflows as they are now, each with all its versions
     * @return how many histories there were
     * @throws WorkflowStalledException at the first history that the code does not fit
     */
    public static int histories(Client client, Workflow<?, ?>... workflows) {
        var code = registrations(workflows);
        return replay(client, stored(client, code, names(code).stream().map(Filter::name)), code);
    }

    /**
     * Replays those of the stored instances of the workflows that a filter means.
     *
     * @param client the client that reads them
     * @param filter which; instances of other workflows are passed over
     * @param workflows the workflows as they are now, each with all its versions
     * @return how many histories there were
     * @throws WorkflowStalledException at the first history that the code does not fit
     */
    public static int histories(Client client, Filter filter, Workflow<?, ?>... workflows) {
        var code = registrations(workflows);
        return replay(client, stored(client, code, Stream.of(filter)), code);
    }

    /**
     * Replays instances by their IDs.
     *
     * @param client the client that reads them
     * @param instanceIds which
     * @param workflows the workflows as they are now, each with all its versions
     * @return how many histories there were
     * @throws WorkflowStalledException at the first history that the code does not fit
     * @throws NotFoundException if there is no such instance
     */
    public static int histories(Client client, Collection<String> instanceIds, Workflow<?, ?>... workflows) {
        return replay(client, List.copyOf(instanceIds), registrations(workflows));
    }

    private static List<Registration> registrations(Workflow<?, ?>... workflows) {
        return Arrays.stream(workflows).map(Registration::of).toList();
    }

    private static Set<String> names(List<Registration> code) {
        return code.stream().map(Registration::name).collect(Collectors.toCollection(TreeSet::new));
    }

    /** The IDs as they are when it begins: the instances of a file whose owner works come and go. */
    private static List<String> stored(Client client, List<Registration> code, Stream<Filter> filters) {
        var names = names(code);
        return filters.flatMap(client::listWorkflows)
                .filter(state -> names.contains(state.name()))
                .map(WorkflowState::instanceId)
                .toList();
    }

    private static int replay(Client client, List<String> instanceIds, List<Registration> code) {
        var inside = Inside.of(client);
        var host = new WorkerHost(code, List.of(), inside.payloads(), BLOCKED_AFTER);
        var opening = host.opening(0, 1, 1);
        for (var id : instanceIds) {
            try (var rehearsal = Rehearsal.open(inside, id, opening)) {
                host.rehearse(rehearsal);
                var misfit = rehearsal.misfit();
                if (misfit != null) throw stalled(misfit, id);
            }
        }
        return instanceIds.size();
    }

    private static WorkflowStalledException stalled(String misfit, String instanceId) {
        return new WorkflowStalledException(misfit, new ErrorDetails("replay", instanceId, null, null, null));
    }
}
