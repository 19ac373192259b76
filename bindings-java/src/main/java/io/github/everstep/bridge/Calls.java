package io.github.everstep.bridge;

import io.github.everstep.ClosedException;
import io.github.everstep.ErrorDetails;
import io.github.everstep.EverstepException;
import io.github.everstep.OperationCancelledException;
import io.github.everstep.ffi.EverstepJava;
import io.github.everstep.host.JsonReader;
import io.github.everstep.host.Nullable;
import java.lang.ref.Cleaner;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;

/**
 * The calls of one client. They stand in the core's queue; one thread, which starts with the first call that waits, brings
 * what has ended. Waiting costs no thread, and a virtual thread that waits holds no carrier.
 */
public final class Calls implements AutoCloseable {
    static final Cleaner CLEANER =
            Cleaner.create(run -> Thread.ofPlatform().daemon().name("everstep-cleaner").unstarted(run));

    private final State state;
    private final Cleaner.Cleanable cleanable;
    private final Payloads payloads;
    private final Executor executor;
    private final String endpoint;
    private final List<String> warnings;

    private Calls(long client, Answer opened, Payloads payloads, Executor executor) {
        this.state = new State(client);
        this.payloads = payloads;
        this.executor = executor;
        this.endpoint = opened.text("endpoint");
        this.warnings = opened.texts("warnings");
        this.cleanable = CLEANER.register(this, state);
    }

    /** Opens a client of the core. Throws what opening its endpoint answers. */
    public static Calls open(Request options, Payloads payloads, Executor executor) {
        NativeLibrary.ensureLoaded();
        String wanted = options.toString();
        Answer opened = Answer.read(Carrier.call(() -> EverstepJava.clientOpen(wanted)), payloads);
        return new Calls(opened.held(), opened, payloads, executor);
    }

    /** The endpoint of the default component. */
    public String endpoint() {
        return endpoint;
    }

    /** What its user should know about how it was opened. */
    public List<String> warnings() {
        return warnings;
    }

    /** How many calls are under way. */
    public int underWay() {
        return state.open.size();
    }

    /** Where the program's own code may run. */
    public Executor executor() {
        return executor;
    }

    /** Whether it is closed. */
    public boolean isClosed() {
        return state.closing.get();
    }

    /**
     * Makes a call and waits for its answer. An interrupt gives the call up: it throws {@code OperationCancelledException}, and
     * the thread stays interrupted.
     */
    public <T extends @Nullable Object> T await(Operation<T> operation) {
        // Read on this thread, so that an exception has its stack.
        Call<String> call = new Call<>(state.nextKey(), Function.identity(), null);
        submit(call, operation.request());
        try {
            return operation.read().apply(Answer.read(call.get(), payloads));
        } catch (InterruptedException interrupt) {
            state.forget(call);
            if (!call.cancel(true) && call.state() == Future.State.SUCCESS) {
                Answer.discard(call.resultNow());
            }
            Thread.currentThread().interrupt();
            throw new OperationCancelledException(
                    "the thread was interrupted; what it asked for may still happen", ErrorDetails.causedBy(interrupt));
        } catch (ExecutionException error) {
            throw error.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(error.getCause());
        }
    }

    /** Makes a call and gives its answer later. To cancel the future is to give the call up. */
    public <T extends @Nullable Object> CompletableFuture<T> begin(Operation<T> operation) {
        Call<T> call = new Call<>(state.nextKey(), answer -> operation.read().apply(Answer.read(answer, payloads)), executor);
        try {
            submit(call, operation.request());
        } catch (EverstepException error) {
            call.completeExceptionally(error);
        }
        call.whenComplete((answer, error) -> state.forget(call));
        return call;
    }

    /** Closes the client: calls in flight and later ones end as {@code ClosedException}. Twice is once. */
    @Override
    public void close() {
        if (state.closing.compareAndSet(false, true)) {
            Call<String> call = new Call<>(state.nextKey(), Function.identity(), null);
            submit(call, "{\"close\":{}}");
            call.join();
            cleanable.clean();
        }
    }

    private void submit(Call<?> call, String request) {
        state.open.put(call.key, call);
        String reply = Carrier.call(() -> EverstepJava.clientAsk(state.client, call.key, request));
        long ticket = Answer.ticket(reply);
        if (ticket == 0) {
            state.open.remove(call.key);
            call.take(reply);
        } else {
            call.ticket = ticket;
            state.bring();
        }
    }

    /** What a client that nobody holds any more leaves behind: it must not hold its {@link Calls}. */
    private static final class State implements Runnable {
        final long client;
        final Map<Long, Call<?>> open = new ConcurrentHashMap<>();
        final AtomicBoolean closing = new AtomicBoolean();
        private final AtomicLong keys = new AtomicLong();
        private final AtomicBoolean bringing = new AtomicBoolean();

        State(long client) {
            this.client = client;
        }

        long nextKey() {
            return keys.incrementAndGet();
        }

        /** Gives up in the core what ended here. */
        void forget(Call<?> call) {
            if (open.remove(call.key) != null && call.ticket != 0) {
                Carrier.call(() -> {
                    EverstepJava.clientCancel(client, call.ticket);
                    return call;
                });
            }
        }

        void bring() {
            if (bringing.compareAndSet(false, true)) {
                Thread.ofPlatform().daemon().name("everstep-answers").start(this::bringAll);
            }
        }

        private void bringAll() {
            try {
                for (String ended = take(); ended != null; ended = take()) {
                    bringEach(ended);
                }
            } finally {
                // Whoever is told that a call has ended finds it gone.
                for (Call<?> call : open.values()) {
                    open.remove(call.key);
                    call.completeExceptionally(new ClosedException("the client is closed"));
                }
            }
        }

        /** Keys and lengths come first, the answers behind them. */
        private void bringEach(String ended) {
            List<Long> calls = new ArrayList<>();
            JsonReader head = new JsonReader(ended);
            head.array();
            while (head.item()) {
                calls.add(head.integer());
            }
            int from = head.position();
            for (int i = 0; i < calls.size(); i += 2) {
                int to = from + calls.get(i + 1).intValue();
                bring(open.remove(calls.get(i)), ended.substring(from, to));
                from = to;
            }
        }

        private @Nullable String take() {
            return EverstepJava.clientTake(client, 1024);
        }

        private static void bring(@Nullable Call<?> call, String answer) {
            if (call == null) {
                Answer.discard(answer);
            } else {
                call.bring(answer);
            }
        }

        @Override
        public void run() {
            closing.set(true);
            Carrier.call(() -> {
                EverstepJava.clientEnd(client);
                EverstepJava.release(client);
                return closing;
            });
        }
    }
}
