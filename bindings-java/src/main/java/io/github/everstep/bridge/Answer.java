package io.github.everstep.bridge;

import io.github.everstep.ffi.EverstepJava;
import io.github.everstep.host.JsonReader;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the core has answered.
 *
 * @param text all of it
 * @param tail where in it the payloads begin
 * @param value a map, a list, a text, a number or nothing
 * @param held the number of what is held from now on; 0 if nothing is
 */
public record Answer(String text, int tail, @Nullable Object value, long held) {
    /** Reads an answer. Throws the exception of an error. */
    static Answer read(String text, Payloads payloads) {
        JsonReader json = new JsonReader(text);
        Map<String, Object> said = json.map();
        if (said.get("error") instanceof Map<?, ?> error) {
            throw Errors.of(new Fields(error, text, json.position()), payloads);
        }
        return new Answer(text, json.position(), said.get("ok"), held(said));
    }

    /** The ticket of a call whose answer comes later; 0 if the text is the answer. */
    static long ticket(String text) {
        return text.startsWith("{\"waiting\":") ? Long.parseLong(text, 11, text.length() - 1, 10) : 0;
    }

    /** Lets go of what an answer holds that nobody has waited for. */
    static void discard(String text) {
        long held = text.contains("\"held\":") ? held(new JsonReader(text).map()) : 0;
        if (held != 0) {
            release(held);
        }
    }

    /** Lets go of what is held. */
    public static void release(long held) {
        Carrier.call(() -> {
            EverstepJava.release(held);
            return true;
        });
    }

    private static long held(Map<String, Object> said) {
        return said.get("held") instanceof Long held ? held : 0;
    }

    /** The fields of an answer that has some. */
    public Fields fields() {
        return new Fields((Map<?, ?>) value, text, tail);
    }

    /** The number that was answered. */
    public long number() {
        return (Long) value;
    }

    /** The payload that was answered, if there is one. */
    public @Nullable String payload() {
        return Fields.cut(value, text, tail);
    }
}
