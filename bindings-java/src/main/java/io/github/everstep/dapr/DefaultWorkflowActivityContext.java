package io.github.everstep.dapr;

import io.github.everstep.ActivityContext;
import org.jspecify.annotations.Nullable;

/** The context of an activity. */
record DefaultWorkflowActivityContext(ActivityContext context, PayloadCodec.@Nullable Given input)
        implements WorkflowActivityContext {
    @Override
    public Logger getLogger() {
        return new Logger(System.getLogger(context.name()));
    }

    @Override
    public String getName() {
        return context.name();
    }

    @Override
    public String getTaskExecutionId() {
        return context.taskKey();
    }

    @Override
    public <T> @Nullable T getInput(Class<T> targetType) {
        return PayloadCodec.read(input, targetType);
    }

    @Override
    public String getTraceParent() {
        return "";
    }
}
