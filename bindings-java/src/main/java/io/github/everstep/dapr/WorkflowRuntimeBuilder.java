package io.github.everstep.dapr;

import io.github.everstep.Activity;
import io.github.everstep.ApplicationException;
import io.github.everstep.EverstepException;
import io.github.everstep.InvalidArgumentException;
import io.github.everstep.NamedActivity;
import io.github.everstep.NamedWorkflow;
import io.github.everstep.NonRetryableException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Registers workflows and activities and makes runtimes of them. A class is known by its canonical name. */
public class WorkflowRuntimeBuilder {
    private final Properties properties;
    private final List<NamedWorkflow<?, ?>> workflows = new ArrayList<>();
    private final List<NamedActivity<?, ?>> activities = new ArrayList<>();
    private @Nullable ExecutorService executor;

    /** A builder for where the environment says. */
    public WorkflowRuntimeBuilder() {
        this(new Properties());
    }

    /**
     * A builder.
     *
     * @param properties where the runtime connects to
     */
    public WorkflowRuntimeBuilder(Properties properties) {
        this.properties = properties;
    }

    /**
     * A runtime of what is registered. Each call makes another one.
     *
     * @return a runtime that has not started
     */
    public WorkflowRuntime build() {
        return new WorkflowRuntime(properties, workflows, activities);
    }

    /**
     * Where activities run; without, on virtual threads. It is the program's to end.
     *
     * @param executorService runs activities
     * @return this
     */
    public WorkflowRuntimeBuilder withExecutorService(@Nullable ExecutorService executorService) {
        executor = executorService;
        return this;
    }

    /**
     * Registers a workflow by its class.
     *
     * @param <T> the class
     * @param clazz the class, which has a constructor without parameters
     * @return this
     */
    public <T extends Workflow> WorkflowRuntimeBuilder registerWorkflow(Class<T> clazz) {
        return registerWorkflow(DaprWorkflowClient.nameOf(clazz), clazz, null, null);
    }

    /**
     * Registers a workflow by another name.
     *
     * @param <T> the class
     * @param name the name
     * @param clazz the class, which has a constructor without parameters
     * @return this
     */
    public <T extends Workflow> WorkflowRuntimeBuilder registerWorkflow(String name, Class<T> clazz) {
        return registerWorkflow(name, clazz, null, null);
    }

    /**
     * Registers a version of a workflow.
     *
     * @param <T> the class
     * @param name the name
     * @param clazz the class, which has a constructor without parameters
     * @param versionName the version; null for none
     * @param isLatestVersion whether new runs use it; null for no
     * @return this
     */
    public <T extends Workflow> WorkflowRuntimeBuilder registerWorkflow(
            String name, Class<T> clazz, @Nullable String versionName, @Nullable Boolean isLatestVersion) {
        return workflow(name, () -> made(clazz), versionName, isLatestVersion);
    }

    /**
     * Registers a workflow by its class.
     *
     * @param <T> the class
     * @param instance runs all of them
     * @return this
     */
    public <T extends Workflow> WorkflowRuntimeBuilder registerWorkflow(T instance) {
        return registerWorkflow(DaprWorkflowClient.nameOf(instance.getClass()), instance, null, null);
    }

    /**
     * Registers a version of a workflow.
     *
     * @param <T> the class
     * @param name the name
     * @param instance runs all of them
     * @param versionName the version; null for none
     * @param isLatestVersion whether new runs use it; null for no
     * @return this
     */
    public <T extends Workflow> WorkflowRuntimeBuilder registerWorkflow(
            String name, T instance, @Nullable String versionName, @Nullable Boolean isLatestVersion) {
        return workflow(name, () -> instance, versionName, isLatestVersion);
    }

    private WorkflowRuntimeBuilder workflow(
            String name, Supplier<? extends Workflow> maker, @Nullable String version, @Nullable Boolean latest) {
        io.github.everstep.Workflow<PayloadCodec.Given, Object> run = (context, input) -> {
            var dapr = new DefaultWorkflowContext(context, input);
            named(() -> {
                maker.get().run(dapr);
                return null;
            });
            return dapr.output();
        };
        var made = io.github.everstep.Workflow.of(name, PayloadCodec.Given.class, Object.class, run);
        if (version != null && !version.isEmpty()) {
            made = made.withVersion(version);
        }
        workflows.add(Boolean.TRUE.equals(latest) ? made.asLatest() : made);
        return this;
    }

    /**
     * Registers an activity by its class.
     *
     * @param <T> the class
     * @param clazz the class, which has a constructor without parameters
     * @return this
     */
    public <T extends WorkflowActivity> WorkflowRuntimeBuilder registerActivity(Class<T> clazz) {
        return registerActivity(DaprWorkflowClient.nameOf(clazz), clazz);
    }

    /**
     * Registers an activity by another name.
     *
     * @param <T> the class
     * @param name the name
     * @param clazz the class, which has a constructor without parameters
     * @return this
     */
    public <T extends WorkflowActivity> WorkflowRuntimeBuilder registerActivity(String name, Class<T> clazz) {
        return activity(name, () -> made(clazz));
    }

    /**
     * Registers an activity by its class.
     *
     * @param <T> the class
     * @param instance runs all of them
     * @return this
     */
    public <T extends WorkflowActivity> WorkflowRuntimeBuilder registerActivity(T instance) {
        return activity(DaprWorkflowClient.nameOf(instance.getClass()), () -> instance);
    }

    /**
     * Registers an activity by another name.
     *
     * @param <T> the class
     * @param name the name
     * @param instance runs all of them
     * @return this
     */
    public <T extends WorkflowActivity> WorkflowRuntimeBuilder registerActivity(String name, T instance) {
        return activity(name, () -> instance);
    }

    private WorkflowRuntimeBuilder activity(String name, Supplier<? extends WorkflowActivity> maker) {
        activities.add(Activity.of(name, PayloadCodec.Given.class, Object.class, (context, input) -> {
            Callable<@Nullable Object> run = () -> maker.get().run(new DefaultWorkflowActivityContext(context, input));
            return named(executor == null ? run : () -> elsewhere(executor, run));
        }));
        return this;
    }

    private static @Nullable Object elsewhere(ExecutorService executor, Callable<@Nullable Object> run) throws Exception {
        try {
            return executor.submit(run).get();
        } catch (ExecutionException failed) {
            throw failed.getCause() instanceof Exception error ? error : failed;
        }
    }

    /** Runs the program's code; what it throws has the full name of its class, as in Dapr's SDK. */
    private static <T extends @Nullable Object> T named(Callable<T> code) throws Exception {
        try {
            return code.call();
        } catch (EverstepException | ApplicationException | NonRetryableException known) {
            throw known;
        } catch (Exception error) {
            var named = new ApplicationException(error.getClass().getName(), error.getMessage(), error.getCause());
            named.setStackTrace(error.getStackTrace());
            throw named;
        }
    }

    private static <T> T made(Class<T> type) {
        try {
            return type.getDeclaredConstructor().newInstance();
        } catch (ReflectiveOperationException error) {
            throw new InvalidArgumentException(type.getName() + " cannot be made: give it a public constructor without parameters");
        }
    }
}
