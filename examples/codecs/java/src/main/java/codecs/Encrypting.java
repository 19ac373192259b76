package codecs;

import io.github.everstep.Codec;
import java.lang.reflect.Type;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.Map;
import java.util.regex.Pattern;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * Stores every text encrypted and authenticated with AES-GCM, as a JSON string that begins with the ID of its key.
 *
 * <p>To change the key, give the new one to all programs first, then make it the current one; drop the old one when no
 * stored payload needs it any more. What was not encrypted is refused: who can write to the store could else slip anything
 * in.
 */
public final class Encrypting implements Codec {
    private static final int NONCE_BYTES = 12;
    private static final int TAG_BYTES = 16;
    private static final Pattern KEY_ID = Pattern.compile("[A-Za-z0-9_-]{1,64}");
    private static final Pattern SEALED = Pattern.compile("\"aes-gcm:([A-Za-z0-9_-]{1,64}):([A-Za-z0-9+/]+={0,2})\"");

    private final Codec inner;
    private final Map<String, byte[]> keys;
    private final String current;
    private final boolean acceptsClear;
    private final SecureRandom random = new SecureRandom();

    /**
     * Encrypts what {@code inner} writes and seals: compression makes nothing smaller after it. The {@code keys} are by ID,
     * of 16, 24 or 32 bytes each; {@code current} seals, all of them unseal.
     */
    public Encrypting(Codec inner, Map<String, byte[]> keys, String current) {
        this(inner, Map.copyOf(keys), current, false);
    }

    private Encrypting(Codec inner, Map<String, byte[]> keys, String current, boolean acceptsClear) {
        if (!keys.containsKey(current) || !keys.keySet().stream().allMatch(KEY_ID.asMatchPredicate())) {
            throw new IllegalArgumentException(
                    "keys need IDs of letters, digits, _ and -, and current must be one of them");
        }
        if (!keys.values().stream().allMatch(key -> key.length == 16 || key.length == 24 || key.length == 32)) {
            throw new IllegalArgumentException("keys must have 16, 24 or 32 bytes");
        }
        this.inner = inner;
        this.keys = keys;
        this.current = current;
        this.acceptsClear = acceptsClear;
    }

    /** The same that lets pass what was not encrypted, for as long as a store still holds payloads from before. */
    public Encrypting acceptingClear() {
        return new Encrypting(inner, keys, current, true);
    }

    @Override
    public String encode(Object value) {
        return inner.encode(value);
    }

    @Override
    public Object decode(String text, Type type) {
        return inner.decode(text, type);
    }

    @Override
    public String seal(String text) {
        var nonce = new byte[NONCE_BYTES];
        random.nextBytes(nonce);
        var clear = inner.seal(text).getBytes(StandardCharsets.UTF_8);
        var sealed = apply(Cipher.ENCRYPT_MODE, current, nonce, clear);
        var both = ByteBuffer.allocate(nonce.length + sealed.length).put(nonce).put(sealed).array();
        return "\"aes-gcm:" + current + ":" + Base64.getEncoder().encodeToString(both) + '"';
    }

    @Override
    public String unseal(String text) {
        var found = SEALED.matcher(text);
        if (!found.matches()) {
            if (acceptsClear) return text;
            throw new IllegalArgumentException("it is not encrypted");
        }
        var both = ByteBuffer.wrap(Base64.getDecoder().decode(found.group(2)));
        if (both.remaining() < NONCE_BYTES + TAG_BYTES) throw new IllegalArgumentException("it is cut off");
        var nonce = new byte[NONCE_BYTES];
        var sealed = new byte[both.remaining() - NONCE_BYTES];
        both.get(nonce).get(sealed);
        var clear = apply(Cipher.DECRYPT_MODE, found.group(1), nonce, sealed);
        return inner.unseal(new String(clear, StandardCharsets.UTF_8));
    }

    private byte[] apply(int mode, String id, byte[] nonce, byte[] text) {
        var key = keys.get(id);
        if (key == null) throw new IllegalArgumentException("no key \"" + id + "\"");
        try {
            var cipher = Cipher.getInstance("AES/GCM/NoPadding");
            cipher.init(mode, new SecretKeySpec(key, "AES"), new GCMParameterSpec(TAG_BYTES * 8, nonce));
            // The ID is authenticated too, so that nobody moves a text to another key.
            cipher.updateAAD(id.getBytes(StandardCharsets.US_ASCII));
            return cipher.doFinal(text);
        } catch (GeneralSecurityException error) {
            throw new IllegalArgumentException("it was changed, or sealed by another key", error);
        }
    }
}
