package io.github.everstep.conformance;

import io.github.everstep.Codec;
import io.github.everstep.JacksonCodec;
import java.lang.reflect.Type;

/** A codec that seals JSON by writing it backwards. */
final class Reversing implements Codec {
    private static final String MARK = "sealed:";
    private final Codec json = JacksonCodec.create();

    @Override
    public String encode(Object value) {
        return json.encode(value);
    }

    @Override
    public Object decode(String text, Type type) {
        return json.decode(text, type);
    }

    @Override
    public String seal(String text) {
        return json.encode(MARK + new StringBuilder(text).reverse());
    }

    @Override
    public String unseal(String text) {
        if (!(json.decode(text, Object.class) instanceof String sealed) || !sealed.startsWith(MARK)) {
            throw new IllegalArgumentException("not sealed by this");
        }
        return new StringBuilder(sealed.substring(MARK.length())).reverse().toString();
    }
}
