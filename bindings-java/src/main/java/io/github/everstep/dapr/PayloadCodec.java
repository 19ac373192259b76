package io.github.everstep.dapr;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.everstep.Codec;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodType;
import java.lang.reflect.Type;
import org.jspecify.annotations.Nullable;

/** Payloads as Dapr's SDK has them: Jackson with the modules that are there. An input is read when it is asked for. */
final class PayloadCodec implements Codec {
    private static final ObjectMapper JSON = JsonMapper.builder().findAndAddModules().build();

    /** An input of which nobody has said yet what it is. */
    record Given(String text) {}

    static <T> @Nullable T read(@Nullable Given given, Class<T> type) {
        return given == null ? null : type.cast(decodeText(given.text(), boxed(type)));
    }

    @Override
    public String encode(@Nullable Object value) {
        try {
            return JSON.writeValueAsString(value);
        } catch (JsonProcessingException error) {
            throw new UncheckedIOException(error.getOriginalMessage(), error);
        }
    }

    @Override
    public @Nullable Object decode(String text, Type type) {
        return type == Given.class ? new Given(text) : decodeText(text, type);
    }

    @Override
    public boolean isPlainJson() {
        return true;
    }

    private static @Nullable Object decodeText(String text, Type type) {
        if (type == Void.class) {
            return null;
        }
        try {
            return JSON.readValue(text, JSON.constructType(type));
        } catch (JsonProcessingException error) {
            throw new UncheckedIOException(error.getOriginalMessage(), error);
        }
    }

    @SuppressWarnings("unchecked")
    private static <T> Class<T> boxed(Class<T> type) {
        return (Class<T>) MethodType.methodType(type).wrap().returnType();
    }
}
