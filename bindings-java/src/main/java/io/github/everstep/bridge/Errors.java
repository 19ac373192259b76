package io.github.everstep.bridge;

import io.github.everstep.ErrorDetails;
import io.github.everstep.EverstepException;
import io.github.everstep.Failure;
import io.github.everstep.host.Nullable;
import java.util.List;

/** Errors of the core as exceptions, by their code. */
public final class Errors {
    private Errors() {}

    /** The exception of an error. */
    static EverstepException of(Answer error, Payloads payloads) {
        Failure stored = failure(error);
        Failure failure = payloads.reveal(stored);
        ErrorDetails details =
                new ErrorDetails(error.text("operation"), error.text("instanceId"), failure, error.number("done"), null);
        // The core's message quotes what failed as it is stored.
        String said = error.text("message");
        String message = failure == stored ? said : said.replace(stored.message(), failure.message());
        return EverstepException.of(error.text("code"), message, details);
    }

    /** What something failed with: a chain, of which the outermost comes first. */
    public static @Nullable Failure failure(Answer of) {
        Failure failure = null;
        List<Answer> chain = of.each("failure").toList();
        for (Answer next : chain.reversed()) {
            boolean isNonRetryable = next.fields().get("nonRetryable") == Boolean.TRUE;
            failure = new Failure(
                    next.text("errorType"), next.text("message"), next.text("stack"), isNonRetryable, failure, null);
        }
        return failure;
    }
}
