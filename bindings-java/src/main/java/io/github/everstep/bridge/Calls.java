package io.github.everstep.bridge;

import io.github.everstep.ClosedException;
import io.github.everstep.ErrorDetails;
import io.github.everstep.EverstepException;
import io.github.everstep.InvalidArgumentException;
import io.github.everstep.OperationCancelledException;
import io.github.everstep.ffi.EverstepJava;
import io.github.everstep.ffi.NativeAnswer;
import io.github.everstep.ffi.NativeClient;
import io.github.everstep.ffi.NativeEnded;
import io.github.everstep.ffi.NativeOpened;
import io.github.everstep.ffi.NativeOptions;
import io.github.everstep.ffi.NativeReply;
import java.lang.ref.Cleaner;
import java.nio.charset.CharacterCodingException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The calls of one client. They stand in the core's queue; one thread, which starts with the first call that waits, brings
 * what has ended. Waiting costs no thread, and a virtual thread that waits holds no carrier.
 */
public final class Calls implements AutoCloseable {
    private static final Cleaner CLEANER = Cleaner.create(run -> Thread.ofPlatform().daemon().name("everstep-cleaner").unstarted(run));

    private final State state;
    private final Cleaner.Cleanable cleanable;
    private final Payloads payloads;
    private final Executor executor;
    private final String endpoint;
    private final List<String> warnings;

    private Calls(NativeClient client, Payloads payloads, Executor executor) {
        this.state = new State(client);
        this.payloads = payloads;
        this.executor = executor;
        this.endpoint = Carrier.call(client::endpoint);
        this.warnings = Carrier.call(client::warnings);
        this.cleanable = CLEANER.register(this, state);
    }

    /** Opens a client of the core. Throws what opening its endpoint answers. */
    public static Calls open(NativeOptions options, Payloads payloads, Executor executor) {
        NativeLibrary.ensureLoaded();
        NativeOpened opened = guarded(() -> EverstepJava.openClient(options));
        if (opened.client() == null) {
            throw Errors.of(opened.error(), payloads);
        }
        return new Calls(opened.client(), payloads, executor);
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
        Call<NativeAnswer> call = new Call<>(state.nextKey(), Function.identity(), null);
        submit(call, operation.ask());
        try {
            return read(call.get(), operation.read());
        } catch (InterruptedException interrupt) {
            state.forget(call);
            Thread.currentThread().interrupt();
            throw new OperationCancelledException(
                    "the thread was interrupted; what it asked for may still happen", ErrorDetails.causedBy(interrupt));
        } catch (ExecutionException error) {
            throw error.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(error.getCause());
        }
    }

    /** Makes a call and gives its answer later. To cancel the future is to give the call up. */
    public <T extends @Nullable Object> CompletableFuture<T> begin(Operation<T> operation) {
        Call<T> call = new Call<>(state.nextKey(), answer -> read(answer, operation.read()), executor);
        try {
            submit(call, operation.ask());
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
            Call<NativeAnswer> call = new Call<>(state.nextKey(), Function.identity(), null);
            submit(call, NativeClient::shutdown);
            call.join();
            cleanable.clean();
        }
    }

    private <T extends @Nullable Object> T read(NativeAnswer answer, Function<NativeAnswer, T> read) {
        if (answer instanceof NativeAnswer.Failed failed) {
            throw Errors.of(failed.error(), payloads);
        }
        return read.apply(answer);
    }

    private void submit(Call<?> call, Ask ask) {
        state.open.put(call.key, call);
        NativeReply reply;
        try {
            reply = guarded(() -> ask.submit(state.client, call.key));
        } catch (RuntimeException error) {
            state.open.remove(call.key);
            throw error;
        }
        switch (reply) {
            case NativeReply.Answered answered -> {
                state.open.remove(call.key);
                call.take(answered.answer());
            }
            case NativeReply.Waiting waiting -> {
                call.ticket = waiting.ticket();
                state.bring();
            }
        }
    }

    /** A native call, whose generated code has exceptions of its own. */
    private static <T> T guarded(Supplier<T> work) {
        try {
            return Carrier.call(work);
        } catch (IllegalStateException destroyed) {
            throw new ClosedException("the client is closed");
        } catch (RuntimeException error) {
            if (error.getCause() instanceof CharacterCodingException) {
                throw new InvalidArgumentException("an argument holds a lone surrogate, which is no character");
            }
            throw error;
        }
    }

    /** What a client that nobody holds any more leaves behind: it must not hold its {@link Calls}. */
    private static final class State implements Runnable {
        final NativeClient client;
        final Map<Long, Call<?>> open = new ConcurrentHashMap<>();
        final AtomicBoolean closing = new AtomicBoolean();
        private final AtomicLong keys = new AtomicLong();
        private final AtomicBoolean bringing = new AtomicBoolean();

        State(NativeClient client) {
            this.client = client;
        }

        long nextKey() {
            return keys.incrementAndGet();
        }

        /** Gives up in the core what ended here. */
        void forget(Call<?> call) {
            if (open.remove(call.key) != null && call.ticket != 0) {
                try {
                    Carrier.call(() -> client.cancel(call.ticket));
                } catch (IllegalStateException closed) {
                    // Then nothing is under way any more.
                }
            }
        }

        void bring() {
            if (bringing.compareAndSet(false, true)) {
                Thread.ofPlatform().daemon().name("everstep-answers").start(this::bringAll);
            }
        }

        private void bringAll() {
            try {
                for (List<NativeEnded> ended = client.take(1024, null); ended != null; ended = client.take(1024, null)) {
                    for (NativeEnded one : ended) {
                        bring(one);
                    }
                }
            } catch (IllegalStateException closed) {
                // The client is gone.
            } finally {
                // Whoever is told that a call has ended finds it gone.
                for (Call<?> call : open.values()) {
                    open.remove(call.key);
                    call.completeExceptionally(new ClosedException("the client is closed"));
                }
            }
        }

        private void bring(NativeEnded ended) {
            Call<?> call = open.remove(ended.key());
            if (call == null) {
                ended.answer().close();
            } else {
                call.bring(ended.answer());
            }
        }

        @Override
        public void run() {
            closing.set(true);
            Carrier.call(() -> {
                client.end();
                client.close();
                return closing;
            });
        }
    }
}
