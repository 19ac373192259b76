package io.github.everstep.conformance;

import io.github.everstep.ApplicationException;
import io.github.everstep.EverstepException;
import io.github.everstep.Failure;
import io.github.everstep.OperationCancelledException;
import java.util.LinkedHashMap;
import java.util.Map;

/** How a program sees an error that it caught. */
final class Failures {
    private Failures() {}

    static Map<String, Object> described(Throwable error) {
        return switch (error) {
            case OperationCancelledException given -> described("cancelled", "Cancelled", "");
            case ApplicationException raised -> described("workflow_failed", raised.errorType(), raised.getMessage());
            case EverstepException known when known.failure() != null -> {
                var described = described(known.failure());
                described.put("code", known.code());
                yield described;
            }
            case EverstepException known -> described(known.code(), known.getClass().getSimpleName(), known.getMessage());
            default -> described("workflow_failed", error.getClass().getSimpleName(), error.getMessage());
        };
    }

    private static Map<String, Object> described(Failure failure) {
        var code = failure.code() == null ? "workflow_failed" : failure.code();
        var described = described(code, failure.errorType(), failure.message());
        if (failure.cause() != null) described.put("cause", described(failure.cause()));
        return described;
    }

    private static Map<String, Object> described(String code, String type, String message) {
        var described = new LinkedHashMap<String, Object>();
        described.put("code", code);
        described.put("type", type);
        described.put("message", message);
        return described;
    }
}
