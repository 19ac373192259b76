package io.github.everstep;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.io.SegmentedStringWriter;
import com.fasterxml.jackson.core.util.BufferRecycler;
import com.fasterxml.jackson.core.util.JsonGeneratorDelegate;
import com.fasterxml.jackson.core.util.JsonRecyclerPools;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.Module;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.lang.reflect.Type;
import org.jspecify.annotations.Nullable;

/**
 * JSON by Jackson: records, beans, collections, {@code java.time} as ISO 8601, {@code Optional}.
 *
 * <p>Properties that a type does not know are passed over, so that a value may gain some while workflows run. Not a number
 * and the infinities are no JSON and are refused; so is a null for a primitive.
 */
public final class JacksonCodec implements Codec {
    /** What Dapr's Python SDK adds to the JSON of a dataclass, with {@code true} as its value, so as to know it again. */
    private static final String MARK = "__durabletask_autoobject__";

    private final ObjectMapper mapper;

    private JacksonCodec(ObjectMapper mapper) {
        this.mapper = mapper;
    }

    /**
     * The default codec.
     *
     * @return a codec
     */
    public static JacksonCodec create() {
        return new JacksonCodec(Standard.mapper());
    }

    /**
     * The default codec with more modules of Jackson's, for example Kotlin's.
     *
     * @param modules what is added; a module for a type that the default knows takes its place
     * @return a codec
     */
    public static JacksonCodec with(Module... modules) {
        return new JacksonCodec(Standard.mapper(modules));
    }

    /**
     * A codec with a mapper of the program's, which has no settings of the default. Give its factory a
     * {@code JsonRecyclerPools.newConcurrentDequePool()}, else Jackson keeps 16 kB of buffers for each active workflow.
     *
     * @param mapper the mapper, which is not changed afterwards
     * @return a codec
     */
    public static JacksonCodec of(ObjectMapper mapper) {
        return new JacksonCodec(mapper);
    }

    @Override
    public String encode(@Nullable Object value) {
        BufferRecycler buffers = mapper.getFactory()._getBufferRecycler();
        try (SegmentedStringWriter out = new SegmentedStringWriter(buffers);
                JsonGenerator generator = new Finite(mapper.createGenerator(out))) {
            mapper.writeValue(generator, value);
            return out.getAndClear();
        } catch (IOException error) {
            throw new UncheckedIOException(reason(error), error);
        } finally {
            buffers.releaseToPool();
        }
    }

    @Override
    public @Nullable Object decode(String text, Type type) {
        try {
            JavaType known = mapper.constructType(type);
            return mapper.readValue(text.contains(MARK) ? unmarked(text) : text, known);
        } catch (IOException error) {
            throw new UncheckedIOException(reason(error), error);
        }
    }

    @Override
    public boolean isPlainJson() {
        return true;
    }

    /** The same JSON without the marks, its numbers as they are written. */
    private String unmarked(String text) throws IOException {
        var out = new StringWriter(text.length());
        try (JsonParser parser = mapper.createParser(text); JsonGenerator generator = mapper.createGenerator(out)) {
            while (parser.nextToken() != null) {
                if (parser.currentToken() == JsonToken.FIELD_NAME && parser.currentName().equals(MARK)) {
                    if (parser.nextToken() == JsonToken.VALUE_TRUE) continue;
                    generator.writeFieldName(MARK);
                }
                generator.copyCurrentEventExact(parser);
            }
        }
        return out.toString();
    }

    /** Jackson's message without the piece of the payload that it quotes. */
    private static String reason(IOException error) {
        return error instanceof JsonProcessingException json ? json.getOriginalMessage() : String.valueOf(error.getMessage());
    }

    /** Apart, so that a codec with a mapper of the program's does without the modules of the default one. */
    private static final class Standard {
        static ObjectMapper mapper(Module... modules) {
            // Jackson keeps its buffers per thread unless it is told otherwise: 16 kB for each workflow that is active.
            JsonFactory factory =
                    JsonFactory.builder().recyclerPool(JsonRecyclerPools.newConcurrentDequePool()).build();
            return JsonMapper.builder(factory)
                    .addModule(new JavaTimeModule())
                    .addModule(new Jdk8Module())
                    .addModules(modules)
                    .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
                    .disable(SerializationFeature.WRITE_DURATIONS_AS_TIMESTAMPS)
                    .disable(SerializationFeature.FAIL_ON_EMPTY_BEANS)
                    .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                    .disable(DeserializationFeature.ADJUST_DATES_TO_CONTEXT_TIME_ZONE)
                    .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
                    .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                    .build();
        }
    }

    /** Refuses numbers that JSON does not have; Jackson writes them as strings. */
    private static final class Finite extends JsonGeneratorDelegate {
        Finite(JsonGenerator generator) {
            super(generator, false);
        }

        @Override
        public void writeNumber(double number) throws IOException {
            if (!Double.isFinite(number)) {
                _reportError(number + " is no JSON");
            }
            super.writeNumber(number);
        }

        @Override
        public void writeNumber(float number) throws IOException {
            if (!Float.isFinite(number)) {
                _reportError(number + " is no JSON");
            }
            super.writeNumber(number);
        }

        @Override
        public void writeArray(double[] numbers, int offset, int length) throws IOException {
            writeStartArray(numbers, length);
            for (int i = offset; i < offset + length; i++) {
                writeNumber(numbers[i]);
            }
            writeEndArray();
        }
    }
}
