package codecs;

import io.github.everstep.Codec;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Type;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.regex.Pattern;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.InflaterInputStream;

/**
 * Stores texts of at least so many characters as zlib in base64, within a JSON string; shorter ones as they are.
 *
 * <p>Programs with and without it may share a store in one direction: this one reads what was written without it.
 */
public final class Compressing implements Codec {
    private static final String PREFIX = "\"zlib:";
    private static final Pattern PACKED = Pattern.compile("\"zlib:([A-Za-z0-9+/]+={0,2})\"");

    private final Codec values;
    private final int above;

    /** Packs what {@code values} writes, for example a {@code JacksonCodec}. */
    public Compressing(Codec values, int above) {
        this.values = values;
        this.above = above;
    }

    @Override
    public String encode(Object value) {
        return values.encode(value);
    }

    @Override
    public Object decode(String text, Type type) {
        return values.decode(text, type);
    }

    @Override
    public String seal(String text) {
        // A clear text that looks like a packed one must not be taken for one.
        if (text.length() < above && !text.startsWith(PREFIX)) return text;
        var packed = new ByteArrayOutputStream();
        try (var deflating = new DeflaterOutputStream(packed)) {
            deflating.write(text.getBytes(StandardCharsets.UTF_8));
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return PREFIX + Base64.getEncoder().encodeToString(packed.toByteArray()) + '"';
    }

    @Override
    public String unseal(String text) {
        if (!text.startsWith(PREFIX)) return text;
        var packed = PACKED.matcher(text);
        if (!packed.matches()) throw new IllegalArgumentException("it is no base64");
        var bytes = new ByteArrayInputStream(Base64.getDecoder().decode(packed.group(1)));
        try (var inflating = new InflaterInputStream(bytes)) {
            return new String(inflating.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException damaged) {
            throw new UncheckedIOException(damaged);
        }
    }
}
