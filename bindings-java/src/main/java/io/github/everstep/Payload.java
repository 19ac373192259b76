package io.github.everstep;

import io.github.everstep.bridge.Payloads;
import java.lang.reflect.Type;
import org.jspecify.annotations.Nullable;

/** A payload that was read: its text, as it is stored, until somebody asks for its value. */
public final class Payload {
    private final String text;
    private final Payloads payloads;

    Payload(String text, Payloads payloads) {
        this.text = text;
        this.payloads = payloads;
    }

    static @Nullable Payload of(@Nullable String text, Payloads payloads) {
        return text == null ? null : new Payload(text, payloads);
    }

    /**
     * The payload as it is stored.
     *
     * @return its text
     */
    public String text() {
        return text;
    }

    /**
     * The value.
     *
     * @param <T> its type
     * @param type its class; {@code Object.class} where it is not known
     * @return the value
     * @throws DecodeException if it is none of this type
     */
    public <T> T as(Class<T> type) {
        return decoded(type);
    }

    /**
     * The value, of a type with arguments.
     *
     * @param <T> its type
     * @param type its type
     * @return the value
     * @throws DecodeException if it is none of this type
     */
    public <T extends @Nullable Object> T as(TypeRef<T> type) {
        return decoded(type.type());
    }

    @SuppressWarnings("unchecked")
    private <T extends @Nullable Object> T decoded(Type type) {
        return (T) payloads.decode(text, type);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Payload that && text.equals(that.text);
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    /** Shows no value: what is logged by accident may be a secret. */
    @Override
    public String toString() {
        return "Payload[" + text.length() + " characters]";
    }
}
