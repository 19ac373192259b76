package io.github.everstep.conformance;

import io.github.everstep.Activity;
import io.github.everstep.ActivityContext;
import io.github.everstep.ApplicationException;
import io.github.everstep.NonRetryableException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/** The activities that every host registers; {@code fixtures.md} says what they do. */
final class Activities {
    private static final Duration LONG = Duration.ofDays(1);

    static final Activity<?, ?>[] ALL = {
        Activity.of("echo", Object.class, Object.class, (context, input) -> input),
        Activity.of("add", Object.class, Object.class, (context, numbers) -> Expressions.sum(Json.array(numbers))),
        Activity.of("fail", Object.class, Object.class, (context, input) -> fail(Json.object(input))),
        Activity.of("flaky", Object.class, Object.class, (context, input) -> flaky(context, Json.object(input))),
        Activity.of("task_info", Object.class, Object.class, (context, input) -> taskInfo(context)),
        Activity.of("until_cancelled", Object.class, Object.class, (context, input) -> {
                while (!context.awaitCancelled(LONG)) {}
                return null;
            })
    };

    private Activities() {}

    private static Object fail(Map<String, Object> input) {
        var type = (String) input.get("type");
        var message = (String) input.get("message");
        var cause = input.get("cause") == Boolean.TRUE ? new ApplicationException("Inner", "inner") : null;
        if (input.get("retryable") == Boolean.FALSE) throw new NonRetryableException(type, message, cause);
        throw new ApplicationException(type, message, cause);
    }

    private static Object flaky(ActivityContext context, Map<String, Object> input) {
        if (context.attempt() <= Json.number(input.get("fails"))) {
            throw new ApplicationException((String) input.getOrDefault("type", "Flaky"), "attempt " + context.attempt());
        }
        return Map.of("attempt", context.attempt());
    }

    private static Object taskInfo(ActivityContext context) {
        var info = new LinkedHashMap<String, Object>();
        info.put("key", context.taskKey());
        info.put("attempt", context.attempt());
        info.put("id", context.instanceId());
        info.put("task", context.taskId());
        return info;
    }
}
