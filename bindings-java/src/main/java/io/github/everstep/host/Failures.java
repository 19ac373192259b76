package io.github.everstep.host;

import io.github.everstep.ApplicationException;
import io.github.everstep.DecodeException;
import io.github.everstep.ErrorDetails;
import io.github.everstep.EverstepException;
import io.github.everstep.Failure;
import io.github.everstep.NamedActivity;
import io.github.everstep.NamedWorkflow;
import io.github.everstep.NonRetryableException;
import io.github.everstep.OperationCancelledException;
import io.github.everstep.WaitTimeoutException;
import io.github.everstep.bridge.Payloads;
import java.util.ArrayList;

/** Errors as they cross the bridge, both ways. */
final class Failures {
    private static final int MOST_STACK = 16_000;
    private static final int MOST_CAUSES = 32;
    private static final String HOST = Failures.class.getPackageName() + ".";

    private Failures() {}

    /**
     * Writes an error with its causes, as the bridge protocol has it. What failed elsewhere keeps its type, message and stack
     * on its way through this workflow. A {@code last} one is not tried again.
     */
    static void write(StringBuilder out, Throwable error, boolean last, Payloads payloads) {
        int head = out.length();
        try {
            write(out, error, last, payloads, 0);
        } catch (Throwable broken) {
            // Whatever a class of the program's does: what is not answered is lost.
            out.setLength(head);
            var message = "the error cannot be described: " + broken.getClass().getName();
            JsonWriter.quote(out.append("{\"type\":"), error.getClass().getName());
            JsonWriter.quote(out.append(",\"message\":"), payloads.conceal(message));
            out.append(",\"retryable\":").append(!last).append('}');
        }
    }

    private static void write(StringBuilder out, Throwable error, boolean last, Payloads payloads, int depth) {
        if (error instanceof EverstepException known && known.failure() != null) {
            write(out, known.failure(), known.code(), payloads, depth);
            return;
        }
        JsonWriter.quote(out.append("{\"type\":"), typeOf(error));
        JsonWriter.quote(out.append(",\"message\":"), payloads.conceal(messageOf(error)));
        JsonWriter.quote(out.append(",\"stack\":"), payloads.conceal(stackOf(error)));
        if (error instanceof EverstepException known) JsonWriter.quote(out.append(",\"code\":"), known.code());
        boolean retryable = !(last || error instanceof NonRetryableException || error instanceof DecodeException);
        out.append(",\"retryable\":").append(retryable);
        var cause = error.getCause();
        if (cause != null && cause != error && depth < MOST_CAUSES) {
            write(out.append(",\"cause\":"), cause, false, payloads, depth + 1);
        }
        out.append('}');
    }

    private static void write(
            StringBuilder out, Failure failure, @Nullable String code, Payloads payloads, int depth) {
        JsonWriter.quote(out.append("{\"type\":"), failure.errorType());
        JsonWriter.quote(out.append(",\"message\":"), payloads.conceal(failure.message()));
        if (failure.stackTrace() != null) {
            JsonWriter.quote(out.append(",\"stack\":"), payloads.conceal(failure.stackTrace()));
        }
        var known = failure.code() == null ? code : failure.code();
        if (known != null) JsonWriter.quote(out.append(",\"code\":"), known);
        out.append(",\"retryable\":").append(!failure.isNonRetryable());
        if (failure.cause() != null && depth < MOST_CAUSES) {
            write(out.append(",\"cause\":"), failure.cause(), null, payloads, depth + 1);
        }
        out.append('}');
    }

    /** What an error is called: the type that was given to it, else the simple name of its class. */
    private static String typeOf(Throwable error) {
        if (error instanceof ApplicationException named) return named.errorType();
        if (error instanceof NonRetryableException named) return named.errorType();
        Class<?> type = error.getClass();
        while (type.getSimpleName().isEmpty()) type = type.getSuperclass();
        return type.getSimpleName();
    }

    private static String messageOf(Throwable error) {
        try {
            var message = error.getMessage();
            return message == null ? "" : message;
        } catch (RuntimeException broken) {
            return "the message cannot be shown: " + broken.getClass().getName();
        }
    }

    /** The stack of an error without the frames of this package, as Java prints it. */
    static String stackOf(Throwable error) {
        var out = new StringBuilder(error.getClass().getName()).append(": ").append(messageOf(error));
        return cut(frames(out, error.getStackTrace()));
    }

    /** The stack of a thread without the frames of this package. */
    static String stackOf(Thread thread) {
        return cut(frames(new StringBuilder(thread.getName()), thread.getStackTrace()));
    }

    private static StringBuilder frames(StringBuilder out, StackTraceElement[] frames) {
        for (var frame : frames) {
            if (!isOurs(frame.getClassName())) out.append("\n\tat ").append(frame);
        }
        return out;
    }

    private static boolean isOurs(String name) {
        return name.startsWith(HOST)
                || name.equals(NamedWorkflow.class.getName())
                || name.equals(NamedActivity.class.getName())
                || name.startsWith("java.lang.VirtualThread");
    }

    private static String cut(StringBuilder stack) {
        if (stack.length() <= MOST_STACK) return stack.toString();
        return stack.substring(0, MOST_STACK / 2) + "\n…\n" + stack.substring(stack.length() - MOST_STACK / 2);
    }

    /** The error that a workflow sees for a job that failed. */
    static RuntimeException toException(RemoteFailure error, String kind, String name, Payloads payloads) {
        var what = (kind.equals("child") ? "workflow" : kind) + " " + name;
        if ("cancelled".equals(error.code())) return new OperationCancelledException(what + " was given up");
        var failure = payloads.reveal(failureOf(error));
        if ("timeout".equals(error.code())) return new WaitTimeoutException(what + " timed out", ErrorDetails.of(failure));
        var code = error.code() == null ? kind.equals("child") ? "child_failed" : "activity_failed" : error.code();
        return EverstepException.of(
                code, what + " failed with " + failure.errorType() + ": " + failure.message(), ErrorDetails.of(failure));
    }

    /** The chain, from its innermost cause on: it may be longer than a stack is deep. */
    private static Failure failureOf(RemoteFailure error) {
        var chain = new ArrayList<RemoteFailure>();
        for (var next = error; next != null; next = next.cause()) chain.add(next);
        Failure failure = null;
        for (var next : chain.reversed()) {
            failure = new Failure(
                    next.type(), next.message(), next.stack(), !next.retryable(), failure, next.code());
        }
        return failure;
    }
}
