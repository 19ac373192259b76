package io.github.everstep;

import java.lang.reflect.Type;
import org.jspecify.annotations.Nullable;

/**
 * How values become payloads and payloads values. {@link JacksonCodec} is the default.
 *
 * <p>There are two pairs of methods. {@link #encode} and {@link #decode} go between values and text. {@link #seal} and
 * {@link #unseal} go between text and text, to compress or encrypt it; they apply to every input, output, event and custom
 * status, and to the message and the stack of every failure. To seal JSON, hold a {@link JacksonCodec} and call it in the
 * first pair.
 *
 * <p>What a codec never sees, and so is never sealed: names of workflows, activities and events, instance IDs, versions,
 * tags, the types of errors (retry policies match on them), reasons of pauses and of stalled turns.
 *
 * <p>A sealed text best is a JSON string, as other SDKs and tools take every payload for JSON. Sealing the same text twice
 * may give two texts: stored payloads are never compared. Methods are called by many threads at once, and must be quick and
 * wait for nothing.
 */
public interface Codec {
    /**
     * The text of a value.
     *
     * @param value the value
     * @return its text
     * @throws RuntimeException if it cannot be encoded; the caller sees an {@link InvalidArgumentException}
     */
    String encode(@Nullable Object value);

    /**
     * The value of a text.
     *
     * @param text what {@link #encode}, maybe of another language, has given
     * @param type the type of the value; {@code Object.class} where it is not known
     * @return the value
     * @throws RuntimeException if it cannot be decoded; the caller sees a {@link DecodeException}
     */
    @Nullable Object decode(String text, Type type);

    /**
     * What is stored of a payload's text.
     *
     * @param text the text
     * @return what is stored
     */
    default String seal(String text) {
        return text;
    }

    /**
     * The text that was sealed. It is given whatever is stored, also what another codec or none has written.
     *
     * @param text what is stored
     * @return the text
     * @throws RuntimeException if it cannot be unsealed; the caller sees a {@link DecodeException}
     */
    default String unseal(String text) {
        return text;
    }

    /**
     * Whether every text that it gives is JSON and is stored as it is. Then payloads cross to the core without being quoted
     * once more.
     *
     * @return {@code false} unless a codec knows better
     */
    default boolean isPlainJson() {
        return false;
    }
}
