package io.github.everstep.dapr;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.util.JsonRecyclerPools;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.everstep.Codec;
import io.github.everstep.JacksonCodec;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodType;
import java.lang.reflect.Type;
import org.jspecify.annotations.Nullable;

/** Payloads as Dapr's SDK has them: Jackson with the modules that are there. An input is read when it is asked for. */
final class PayloadCodec implements Codec {
    private static final ObjectMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .recyclerPool(JsonRecyclerPools.newConcurrentDequePool())
                    .build())
            .findAndAddModules()
            .build();
    private static final Codec JSON = JacksonCodec.of(MAPPER);

    /** An input of which nobody has said yet what it is. */
    record Given(String text) {}

    static <T> @Nullable T read(@Nullable Given given, Class<T> type) {
        Class<T> boxed = boxed(type);
        return given == null ? null : boxed.cast(decodeText(given.text(), boxed));
    }

    @Override
    public String encode(@Nullable Object value) {
        try {
            return MAPPER.writeValueAsString(value);
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
        return type == Void.class ? null : JSON.decode(text, type);
    }

    @SuppressWarnings("unchecked")
    private static <T> Class<T> boxed(Class<T> type) {
        return (Class<T>) MethodType.methodType(type).wrap().returnType();
    }
}
