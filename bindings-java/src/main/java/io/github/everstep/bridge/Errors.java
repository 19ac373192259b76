package io.github.everstep.bridge;

import io.github.everstep.ErrorDetails;
import io.github.everstep.EverstepException;
import io.github.everstep.Failure;
import io.github.everstep.InternalException;
import io.github.everstep.ffi.NativeError;
import io.github.everstep.ffi.NativeFailure;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Errors of the core as exceptions, by their code. */
public final class Errors {
    private Errors() {}

    /** The exception of an error. */
    public static EverstepException of(@Nullable NativeError error, Payloads payloads) {
        if (error == null) {
            return new InternalException("the native library gave neither an answer nor an error");
        }
        Failure failure = payloads.reveal(failure(error.failure()));
        ErrorDetails details = new ErrorDetails(error.operation(), error.instanceId(), failure, error.done(), null);
        return EverstepException.of(error.code(), error.message(), details);
    }

    /** A chain of failures, which comes with the outermost first. */
    public static @Nullable Failure failure(@Nullable List<NativeFailure> chain) {
        Failure failure = null;
        for (NativeFailure next : chain == null ? List.<NativeFailure>of() : chain.reversed()) {
            failure = new Failure(next.errorType(), next.message(), next.stack(), next.nonRetryable(), failure, null);
        }
        return failure;
    }
}
