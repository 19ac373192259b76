package io.github.everstep.host;

import java.lang.reflect.Type;

/**
 * What the core was asked for, and answers by its ref.
 *
 * @param <T> what it gives
 */
final class Asked<T> extends Pending<T> {
    final int ref;
    private final String kind;
    private final String name;
    private final Type type;

    Asked(Execution execution, int ref, String kind, String name, Type type) {
        super(execution);
        this.ref = ref;
        this.kind = kind;
        this.name = name;
        this.type = type;
    }

    /** The answer is there. */
    void done(@Nullable String payload) {
        resolve(() -> decoded(payload));
    }

    /** It has failed, timed out or was cancelled. */
    void failed(RemoteFailure error) {
        fail(() -> {
            throw Failures.toException(error, kind, name, execution.payloads);
        });
    }

    @SuppressWarnings("unchecked")
    private T decoded(@Nullable String payload) {
        return (T) execution.payloads.decode(payload, type);
    }

    @Override
    void giveUp() {
        execution.abandon(ref);
        givenUp();
    }

    @Override
    public String toString() {
        return kind + " " + name;
    }
}
