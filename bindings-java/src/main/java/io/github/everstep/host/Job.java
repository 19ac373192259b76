package io.github.everstep.host;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the core has a workflow instance do, one after the other. A payload is the text of it, or null if it is absent. */
sealed interface Job {
    /** The first of each turn: what is known during it. */
    record Turn(long now, boolean replay, List<String> patches) implements Job {}

    /** Create and run the function. */
    record Start(
            String name,
            @Nullable String version,
            @Nullable String input,
            long seed,
            @Nullable String parent,
            Map<String, String> tags)
            implements Job {}

    /** What a ref asked for is there. */
    record Done(int ref, @Nullable String value) implements Job {}

    /** What a ref asked for has failed, timed out or was cancelled. */
    record Failed(int ref, RemoteFailure error) implements Job {}

    /** Drop the instance. */
    record Evict() implements Job {}

    /** What this version does not know. */
    record Unknown(String kind) implements Job {}

    /** Reads one. */
    static Job read(JsonReader json) {
        String kind = "";
        String name = "";
        String version = null;
        String payload = null;
        String parent = null;
        String seed = "0";
        long now = 0;
        int ref = 0;
        boolean replay = false;
        List<String> patches = List.of();
        Map<String, String> tags = Map.of();
        RemoteFailure error = RemoteFailure.NOTHING;
        json.object();
        for (String key = json.key(); key != null; key = json.key()) {
            switch (key) {
                case "kind" -> kind = json.string();
                case "ref" -> ref = (int) json.integer();
                case "value", "input" -> payload = json.raw();
                case "value_text", "input_text" -> payload = json.string();
                case "error" -> error = RemoteFailure.read(json);
                case "now" -> now = json.integer();
                case "replay" -> replay = json.bool();
                case "patches" -> patches = texts(json);
                case "name" -> name = json.string();
                case "version" -> version = json.string();
                case "seed" -> seed = json.string();
                case "parent" -> parent = parentId(json);
                case "tags" -> tags = tags(json);
                default -> json.skip();
            }
        }
        return switch (kind) {
            case "turn" -> new Turn(now, replay, patches);
            case "start" -> new Start(name, version, payload, Long.parseUnsignedLong(seed), parent, tags);
            case "done" -> new Done(ref, payload);
            case "failed" -> new Failed(ref, error);
            case "evict" -> new Evict();
            default -> new Unknown(kind);
        };
    }

    private static List<String> texts(JsonReader json) {
        var texts = new ArrayList<String>();
        json.array();
        while (json.item()) texts.add(json.string());
        return texts.isEmpty() ? List.of() : texts;
    }

    private static @Nullable String parentId(JsonReader json) {
        String id = null;
        json.object();
        for (String key = json.key(); key != null; key = json.key()) {
            if (key.equals("id")) id = json.string();
            else json.skip();
        }
        return id;
    }

    private static Map<String, String> tags(JsonReader json) {
        var tags = new LinkedHashMap<String, String>();
        json.object();
        for (String key = json.key(); key != null; key = json.key()) tags.put(key, json.string());
        return tags;
    }
}
