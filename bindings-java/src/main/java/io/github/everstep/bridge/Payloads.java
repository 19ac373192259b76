package io.github.everstep.bridge;

import io.github.everstep.Codec;
import io.github.everstep.DecodeException;
import io.github.everstep.ErrorDetails;
import io.github.everstep.EverstepException;
import io.github.everstep.Failure;
import io.github.everstep.InvalidArgumentException;
import io.github.everstep.RawPayload;
import io.github.everstep.host.Nullable;
import java.lang.reflect.Type;

/** Payloads of a client or a worker: the texts of its codec, sealed. */
public final class Payloads {
    /** A payload as it stands in a batch: as it is, or, where it may be no JSON, as a string. */
    public record Encoded(String text, boolean isJson) {}

    private final Codec codec;

    /** The payloads of a codec. */
    public Payloads(Codec codec) {
        this.codec = codec;
    }

    /** Whether what is written stands in a batch as it is. */
    public boolean arePlainJson() {
        return codec.isPlainJson();
    }

    /** The payload of a value, null included. Throws {@code InvalidArgumentException}, naming the argument. */
    public String encode(@Nullable Object value, String name) {
        String text;
        try {
            text = codec.seal(value instanceof RawPayload raw ? raw.text() : codec.encode(value));
        } catch (EverstepException error) {
            throw error;
        } catch (RuntimeException | StackOverflowError error) {
            String reason = error instanceof StackOverflowError ? "it is nested too deeply" : reason(error);
            throw new InvalidArgumentException(name + " cannot be encoded: " + reason, ErrorDetails.causedBy(error));
        }
        return wellFormed(text, name);
    }

    /** The payload of a value, for a batch. Throws as {@code encode}. */
    public Encoded forBatch(@Nullable Object value, String name) {
        String text = encode(value, name);
        // Nobody has looked whether a raw payload is JSON, and one that is not would spoil the batch.
        boolean isUnseen = value instanceof RawPayload && !text.equals("null");
        return new Encoded(text, codec.isPlainJson() && !isUnseen);
    }

    /** The same for an argument that may be left out: null is no payload at all. */
    public @Nullable String optional(@Nullable Object value, String name) {
        return value == null ? null : encode(value, name);
    }

    /** The value of a payload; an absent one and an empty text read as null. Throws {@code DecodeException}. */
    public @Nullable Object decode(@Nullable String payload, Type type) {
        if (payload == null || payload.isEmpty()) {
            return null;
        }
        try {
            return codec.decode(codec.unseal(payload), type);
        } catch (EverstepException error) {
            throw error;
        } catch (RuntimeException | StackOverflowError error) {
            throw new DecodeException(
                    "the payload cannot be decoded as " + type.getTypeName() + ": " + reason(error), ErrorDetails.causedBy(error), payload);
        }
    }

    /** A failure's text as it is stored. */
    public String conceal(String text) {
        try {
            return codec.seal(text);
        } catch (RuntimeException | Error error) {
            // Better no message than one that should not have been seen.
            return "(" + codec.getClass().getSimpleName() + " could not seal this: " + error.getClass().getSimpleName() + ")";
        }
    }

    /** A failure's text as it was; what cannot be unsealed is shown as it is, since the engine writes some itself. */
    public String reveal(String text) {
        try {
            return codec.unseal(text);
        } catch (RuntimeException | Error error) {
            return text;
        }
    }

    /** The same failure with its texts unsealed. */
    public @Nullable Failure reveal(@Nullable Failure failure) {
        if (failure == null || codec.isPlainJson()) {
            return failure;
        }
        Failure revealed = null;
        for (Failure next : failure.chain().reversed()) {
            String stack = next.stackTrace() == null ? null : reveal(next.stackTrace());
            revealed = new Failure(
                    next.errorType(), reveal(next.message()), stack, next.isNonRetryable(), revealed, next.code());
        }
        return revealed;
    }

    /** A text that UTF-8 can write: the encoders of Java would put a question mark in the place of half a character. */
    static String wellFormed(String text, String name) {
        for (int i = 0; i < text.length(); i++) {
            char unit = text.charAt(i);
            if (Character.isSurrogate(unit)) {
                boolean paired = Character.isHighSurrogate(unit) && i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1));
                if (!paired) {
                    throw new InvalidArgumentException(name + " holds a lone surrogate, which is no character");
                }
                i++;
            }
        }
        return text;
    }

    private static String reason(Throwable error) {
        return error.getMessage() == null ? error.getClass().getSimpleName() : error.getMessage();
    }
}
