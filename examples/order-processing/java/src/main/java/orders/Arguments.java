package orders;

import java.util.HashMap;
import java.util.Map;

/** A command line of {@code --name value} pairs. */
public final class Arguments {
    private final Map<String, String> values = new HashMap<>();

    public Arguments(String[] args) {
        for (int i = 0; i < args.length; i += 2) {
            if (!args[i].startsWith("--") || i + 1 == args.length) throw new IllegalArgumentException("what is " + args[i] + "?");
            values.put(args[i].substring(2), args[i + 1]);
        }
    }

    public String get(String name) {
        var value = values.get(name);
        if (value == null) throw new IllegalArgumentException("--" + name + " is missing");
        return value;
    }

    public String get(String name, String otherwise) {
        return values.getOrDefault(name, otherwise);
    }
}
