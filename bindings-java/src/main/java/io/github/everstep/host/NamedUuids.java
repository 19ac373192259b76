package io.github.everstep.host;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.UUID;
import java.util.regex.Pattern;

/** UUIDs that are the same at every replay, and in every language: v5 of 1, 2, 3 … in the run's name space. */
public final class NamedUuids {
    private static final UUID OID = UUID.fromString("6ba7b812-9dad-11d1-80b4-00c04fd430c8");
    private static final Pattern USUAL =
            Pattern.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", Pattern.CASE_INSENSITIVE);

    private final UUID space;
    private int count;

    /** Begins the run with this execution ID. */
    public NamedUuids(String executionId) {
        space = USUAL.matcher(executionId).matches() ? UUID.fromString(executionId) : v5(OID, executionId);
    }

    /** The next one. */
    public UUID next() {
        count++;
        return v5(space, Integer.toString(count));
    }

    private static UUID v5(UUID space, String name) {
        MessageDigest sha1;
        try {
            sha1 = MessageDigest.getInstance("SHA-1");
        } catch (NoSuchAlgorithmException error) {
            throw new AssertionError("every Java platform has SHA-1", error);
        }
        var bytes = ByteBuffer.allocate(16);
        bytes.putLong(space.getMostSignificantBits()).putLong(space.getLeastSignificantBits());
        sha1.update(bytes.flip());
        var hash = ByteBuffer.wrap(sha1.digest(name.getBytes(StandardCharsets.UTF_8)));
        long high = hash.getLong() & 0xffffffffffff0fffL | 0x5000;
        long low = hash.getLong() & 0x3fffffffffffffffL | 0x8000000000000000L;
        return new UUID(high, low);
    }
}
