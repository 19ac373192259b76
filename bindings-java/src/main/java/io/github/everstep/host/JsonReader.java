package io.github.everstep.host;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Reads the bridge protocol's text item by item. Payloads are never looked into: they are cut out as they stand, for the
 * codec to read where they are needed.
 *
 * <p>The core writes the text, so it is well-formed; what is not raises an {@link IllegalStateException}.
 */
public final class JsonReader {
    private final String text;
    private int at;

    /** Begins at the start of a text. */
    public JsonReader(String text) {
        this.text = text;
    }

    /** Reads the start of an object; {@link #key} gives its keys. */
    public void object() {
        expect('{');
    }

    /** Reads the start of an array; {@link #item} tells whether there is an item. */
    public void array() {
        expect('[');
    }

    /** The next key of the object, whose value is to be read or skipped; null at the object's end. */
    public @Nullable String key() {
        char next = peek();
        if (next == ',') {
            at++;
            next = peek();
        }
        if (next == '}') {
            at++;
            return null;
        }
        String key = string();
        expect(':');
        return key;
    }

    /** Whether the array has another item, which is then to be read or skipped. */
    public boolean item() {
        char next = peek();
        if (next == ',') {
            at++;
            return true;
        }
        if (next == ']') {
            at++;
            return false;
        }
        return true;
    }

    /** Reads a text. */
    public String string() {
        expect('"');
        int begin = at;
        int end = text.indexOf('"', begin);
        if (end < 0) throw broken();
        int escape = text.indexOf('\\', begin, end);
        at = (escape < 0 ? end : escape) + 1;
        return escape < 0 ? text.substring(begin, end) : escaped(begin);
    }

    /** Reads an integer. */
    public long integer() {
        int begin = begin();
        skipScalar();
        return Long.parseLong(text, begin, at, 10);
    }

    /** Reads true or false. */
    public boolean bool() {
        boolean value = peek() == 't';
        skipScalar();
        return value;
    }

    /** Where in the text it is. */
    public int position() {
        return at;
    }

    /** Reads a value of any kind as the text that it is. */
    public String raw() {
        int begin = begin();
        skip();
        return text.substring(begin, at);
    }

    /** Reads an object and all that is in it. */
    public Map<String, Object> map() {
        var map = new LinkedHashMap<String, Object>();
        object();
        for (String key = key(); key != null; key = key()) map.put(key, value());
        return map;
    }

    /** Reads a value of any kind: a map, a list, a text, an integer, true, false or nothing. */
    private @Nullable Object value() {
        return switch (peek()) {
            case '{' -> map();
            case '[' -> {
                var list = new ArrayList<Object>();
                array();
                while (item()) list.add(value());
                yield list;
            }
            case '"' -> string();
            case 't', 'f' -> bool();
            case 'n' -> {
                skip();
                yield null;
            }
            default -> integer();
        };
    }

    /** Reads a value of any kind and forgets it. */
    public void skip() {
        switch (peek()) {
            case '"' -> {
                at++;
                skipString();
            }
            case '{', '[' -> skipNested();
            default -> skipScalar();
        }
    }

    private void skipNested() {
        int depth = 0;
        do {
            switch (character()) {
                case '{', '[' -> depth++;
                case '}', ']' -> depth--;
                case '"' -> skipString();
                default -> {}
            }
        } while (depth > 0);
    }

    private void skipString() {
        while (true) {
            char next = character();
            if (next == '"') return;
            if (next == '\\') at++;
        }
    }

    private void skipScalar() {
        while (at < text.length() && ",]} \t\r\n".indexOf(text.charAt(at)) < 0) at++;
    }

    /** The rest of a text from its first escape on. */
    private String escaped(int begin) {
        var out = new StringBuilder(at - begin + 32).append(text, begin, at - 1);
        at--;
        while (true) {
            char next = character();
            if (next == '"') return out.toString();
            out.append(next == '\\' ? escape() : next);
        }
    }

    private char escape() {
        char kind = character();
        return switch (kind) {
            case 'n' -> '\n';
            case 't' -> '\t';
            case 'r' -> '\r';
            case 'b' -> '\b';
            case 'f' -> '\f';
            case 'u' -> {
                at += 4;
                if (at > text.length()) throw broken();
                yield (char) Integer.parseInt(text, at - 4, at, 16);
            }
            default -> kind;
        };
    }

    private int begin() {
        peek();
        return at;
    }

    private char peek() {
        while (at < text.length()) {
            char next = text.charAt(at);
            if (next != ' ' && next != '\n' && next != '\t' && next != '\r') return next;
            at++;
        }
        throw broken();
    }

    private char character() {
        if (at >= text.length()) throw broken();
        return text.charAt(at++);
    }

    private void expect(char wanted) {
        if (peek() != wanted) throw broken();
        at++;
    }

    private IllegalStateException broken() {
        return new IllegalStateException("the text of the core is not what this version expects, at character " + at);
    }
}
