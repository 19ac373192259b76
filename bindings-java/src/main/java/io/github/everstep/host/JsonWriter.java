package io.github.everstep.host;

/** Writes the bridge protocol's texts. */
public final class JsonWriter {
    private JsonWriter() {}

    /** Writes a text in quotes. Half of a surrogate pair, which has no encoding, becomes the replacement character. */
    public static StringBuilder quote(StringBuilder out, String text) {
        out.append('"');
        int length = text.length();
        int plain = 0;
        for (int at = 0; at < length; at++) {
            char next = text.charAt(at);
            if (next >= ' ' && next != '"' && next != '\\' && !Character.isSurrogate(next)) continue;
            if (Character.isHighSurrogate(next) && at + 1 < length && Character.isLowSurrogate(text.charAt(at + 1))) {
                at++;
                continue;
            }
            out.append(text, plain, at);
            escape(out, next);
            plain = at + 1;
        }
        return out.append(text, plain, length).append('"');
    }

    private static void escape(StringBuilder out, char next) {
        switch (next) {
            case '"' -> out.append("\\\"");
            case '\\' -> out.append("\\\\");
            case '\n' -> out.append("\\n");
            case '\t' -> out.append("\\t");
            case '\r' -> out.append("\\r");
            default -> {
                if (Character.isSurrogate(next)) out.append('\ufffd');
                else out.append("\\u00").append(Character.forDigit(next >> 4, 16)).append(Character.forDigit(next & 15, 16));
            }
        }
    }
}
