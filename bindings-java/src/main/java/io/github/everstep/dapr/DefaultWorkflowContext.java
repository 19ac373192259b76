package io.github.everstep.dapr;

import io.github.everstep.CallOptions;
import io.github.everstep.ChildOptions;
import io.github.everstep.EverstepException;
import io.github.everstep.Failure;
import io.github.everstep.InvalidArgumentException;
import io.github.everstep.TypeRef;
import io.github.everstep.WaitTimeoutException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The context of a workflow. {@link #context} is the same in everstep's words, with what Dapr's SDK has no word for. */
public class DefaultWorkflowContext implements WorkflowContext {
    private final io.github.everstep.WorkflowContext context;
    private final PayloadCodec.@Nullable Given input;
    private final Logger logger;
    private @Nullable Object output;
    private int asked;

    DefaultWorkflowContext(io.github.everstep.WorkflowContext context, PayloadCodec.@Nullable Given input) {
        this.context = context;
        this.input = input;
        this.logger = new Logger(context.logger());
    }

    /**
     * The same in everstep's words.
     *
     * @return everstep's context
     */
    public io.github.everstep.WorkflowContext context() {
        return context;
    }

    @Nullable Object output() {
        return output;
    }

    @Override
    public Logger getLogger() {
        return logger;
    }

    @Override
    public String getName() {
        return context.workflowName();
    }

    @Override
    public String getInstanceId() {
        return context.instanceId();
    }

    @Override
    public Instant getCurrentInstant() {
        return context.now();
    }

    @Override
    public void complete(@Nullable Object output) {
        this.output = output;
    }

    @Override
    public <V> Task<V> waitForExternalEvent(String name, @Nullable Duration timeout, Class<V> dataType) {
        int id = asked++;
        var wait = timeout == null || timeout.isNegative() ? null : timeout;
        return new DurableTask<>(context, context.waitForEvent(name, TypeRef.of(dataType), wait), error -> {
            if (!(error instanceof WaitTimeoutException)) {
                return error;
            }
            var message = "Timeout of " + timeout + " expired while waiting for an event named '" + name + "' (ID = " + id + ").";
            return new TaskCanceledException(message, id, name, details(error), error);
        });
    }

    @Override
    public <V> Task<V> callActivity(
            String name, @Nullable Object input, @Nullable WorkflowTaskOptions options, Class<V> returnType) {
        var told = CallOptions.none();
        if (options != null && options.getRetryPolicy() != null) {
            told = told.withRetry(options.getRetryPolicy().toRetry());
        }
        if (options != null && options.getAppId() != null) {
            told = told.withAppId(options.getAppId());
        }
        var told1 = told;
        return call(name, options, () -> context.callActivity(name, input, TypeRef.of(returnType), told1));
    }

    @Override
    public <V> Task<V> callChildWorkflow(
            String name,
            @Nullable Object input,
            @Nullable String instanceID,
            @Nullable WorkflowTaskOptions options,
            Class<V> returnType) {
        var told = instanceID == null || instanceID.isEmpty() ? ChildOptions.none() : ChildOptions.instanceId(instanceID);
        if (options != null && options.getRetryPolicy() != null) {
            told = told.withRetry(options.getRetryPolicy().toRetry());
        }
        if (options != null && options.getAppId() != null) {
            told = told.withAppId(options.getAppId());
        }
        var told1 = told;
        return call(name, options, () -> context.callChild(name, input, TypeRef.of(returnType), told1));
    }

    private <V> Task<V> call(
            String name, @Nullable WorkflowTaskOptions options, Supplier<io.github.everstep.Task<V>> ask) {
        var first = ask(name, ask);
        var handler = options == null ? null : options.getRetryHandler();
        if (handler == null) {
            return first;
        }
        var began = context.now();
        return new DurableTask.Derived<>(context, DurableTask.branch(context, () -> {
            var attempt = first;
            for (int attempts = 1;; attempts++) {
                try {
                    return attempt.await();
                } catch (TaskFailedException failed) {
                    var passed = Duration.between(began, context.now());
                    if (!handler.handle(new WorkflowTaskRetryContext(this, attempts, failed.getErrorDetails(), passed))) {
                        throw failed;
                    }
                    attempt = ask(name, ask);
                }
            }
        }));
    }

    private <V> Task<V> ask(String name, Supplier<io.github.everstep.Task<V>> ask) {
        int id = asked++;
        return new DurableTask<>(context, ask.get(), error -> {
            if (error.failure() == null) {
                return error;
            }
            var details = details(error);
            var message = "Task '" + name + "' (#" + id + ") failed with an unhandled exception: " + details.getErrorMessage();
            return new TaskFailedException(message, id, name, details, error);
        });
    }

    private static FailureDetails details(EverstepException error) {
        var failure = error.failure();
        var text = String.valueOf(error.getMessage());
        return new FailureDetails(
                failure == null ? new Failure(error.getClass().getName(), text, null, false, null, null) : failure);
    }

    @Override
    public boolean isReplaying() {
        return context.isReplaying();
    }

    @Override
    public <V> Task<List<V>> allOf(List<Task<V>> tasks) {
        var all = List.copyOf(tasks);
        return new DurableTask.Derived<>(context, DurableTask.branch(context, () -> {
            var results = new ArrayList<V>();
            var failed = new ArrayList<Exception>();
            for (var task : all) {
                try {
                    results.add(task.await());
                } catch (RuntimeException error) {
                    failed.add(error);
                }
            }
            if (!failed.isEmpty()) {
                throw new CompositeTaskFailedException(
                        failed.size() + " of " + all.size() + " tasks failed: " + failed.getFirst().getMessage(), failed);
            }
            return results;
        }));
    }

    @Override
    public Task<Task<?>> anyOf(List<Task<?>> tasks) {
        var any = List.copyOf(tasks);
        if (any.isEmpty()) {
            throw new InvalidArgumentException("anyOf needs at least one task");
        }
        return new DurableTask.Derived<>(context, DurableTask.branch(context, () -> {
            if (any.stream().noneMatch(Task::isDone)) {
                try {
                    context.any(any.stream().map(DefaultWorkflowContext::source).toList(), false).await();
                } catch (EverstepException failed) {
                    // The first that is done may be one that failed: waiting for it says so.
                }
            }
            return any.stream().filter(Task::isDone).findFirst().orElseThrow();
        }));
    }

    private static io.github.everstep.Task<?> source(Task<?> task) {
        return task instanceof DurableTask<?> durable ? durable.source() : ((DurableTask.Derived<?>) task).source();
    }

    @Override
    public Task<Void> createTimer(Duration duration) {
        asked++;
        var due = duration.isNegative() ? Duration.ZERO : duration;
        return new DurableTask<>(context, context.timer(due), error -> error);
    }

    @Override
    public Task<Void> createTimer(ZonedDateTime zonedDateTime) {
        asked++;
        return new DurableTask<>(context, context.timer(zonedDateTime.toInstant()), error -> error);
    }

    @Override
    public <V> @Nullable V getInput(Class<V> targetType) {
        return PayloadCodec.read(input, targetType);
    }

    @Override
    public void continueAsNew(@Nullable Object input, boolean preserveUnprocessedEvents) {
        context.continueAsNew(input, preserveUnprocessedEvents);
    }

    @Override
    public UUID newUuid() {
        return context.uuid();
    }

    @Override
    public void setCustomStatus(@Nullable Object status) {
        context.setCustomStatus(status);
    }

    @Override
    public boolean isPatched(String patchName) {
        return context.isPatched(patchName);
    }
}
