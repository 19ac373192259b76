package io.github.everstep.bridge;

import io.github.everstep.Client;
import io.github.everstep.host.Nullable;
import java.util.function.Function;

/**
 * What is inside a client: for the package's other parts, which are no part of its public API.
 *
 * @param calls its calls
 * @param payloads what its codec writes and reads
 * @param component the component that it asks; null for the default one
 */
public record Inside(Calls calls, Payloads payloads, @Nullable String component) {
    private static volatile @Nullable Function<Client, Inside> look;

    /** The client's class, which alone can see it, says how. */
    public static void by(Function<Client, Inside> look) {
        Inside.look = look;
    }

    /** Looks into a client. */
    public static Inside of(Client client) {
        return look.apply(client);
    }
}
