package io.github.everstep.bridge;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Native calls of virtual threads, made by a platform thread: the generated code keeps memory per thread that calls, some of
 * it for good, and a program may have a virtual thread per workflow. Calls of one thread keep their order.
 */
public final class Carrier {
    private static final ThreadPoolExecutor THREAD =
            new ThreadPoolExecutor(1, 1, 5, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), Carrier::thread);

    static {
        // An idle program has no thread of ours.
        THREAD.allowCoreThreadTimeOut(true);
    }

    private Carrier() {}

    private static Thread thread(Runnable run) {
        return Thread.ofPlatform().daemon().name("everstep-carrier").unstarted(run);
    }

    /** Does what crosses to the native library and returns at once. */
    public static <T> T call(Supplier<T> work) {
        if (!Thread.currentThread().isVirtual()) {
            return work.get();
        }
        try {
            return CompletableFuture.supplyAsync(work, THREAD).join();
        } catch (CompletionException error) {
            if (error.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            if (error.getCause() instanceof Error cause) {
                throw cause;
            }
            throw error;
        }
    }
}
