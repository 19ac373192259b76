package io.github.everstep;

/**
 * A payload that is encoded already: it goes around {@link Codec#encode}, and is sealed like any other. Where {@code null}
 * means that there is no payload at all, {@code new RawPayload("null")} is the payload null.
 *
 * @param text the text of the payload
 */
public record RawPayload(String text) {}
