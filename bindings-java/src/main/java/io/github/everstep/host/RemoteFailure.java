package io.github.everstep.host;

/** An error as the bridge protocol has it. */
record RemoteFailure(
        String type,
        String message,
        @Nullable String stack,
        @Nullable String code,
        boolean retryable,
        @Nullable RemoteFailure cause) {
    static final RemoteFailure NOTHING = new RemoteFailure("", "", null, null, true, null);

    static RemoteFailure read(JsonReader json) {
        String type = "";
        String message = "";
        String stack = null;
        String code = null;
        boolean retryable = true;
        RemoteFailure cause = null;
        json.object();
        for (String key = json.key(); key != null; key = json.key()) {
            switch (key) {
                case "type" -> type = json.string();
                case "message" -> message = json.string();
                case "stack" -> stack = json.string();
                case "code" -> code = json.string();
                case "retryable" -> retryable = json.bool();
                case "cause" -> cause = read(json);
                default -> json.skip();
            }
        }
        return new RemoteFailure(type, message, stack, code, retryable, cause);
    }
}
