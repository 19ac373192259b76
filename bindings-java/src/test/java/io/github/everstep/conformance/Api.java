package io.github.everstep.conformance;

import io.github.everstep.AsyncClient;
import io.github.everstep.AsyncWatch;
import io.github.everstep.AsyncWorkflowHandle;
import io.github.everstep.BulkOptions;
import io.github.everstep.Client;
import io.github.everstep.Filter;
import io.github.everstep.History;
import io.github.everstep.ListOptions;
import io.github.everstep.Page;
import io.github.everstep.RerunOptions;
import io.github.everstep.RuntimeStatus;
import io.github.everstep.StartOptions;
import io.github.everstep.TerminateOptions;
import io.github.everstep.TypeRef;
import io.github.everstep.Watch;
import io.github.everstep.WorkflowHandle;
import io.github.everstep.WorkflowState;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * What steps ask of a client: of a {@link Client}, or of an {@link AsyncClient}, whose futures are then waited for.
 * Both have these methods, so what is tested of one is tested of the other.
 */
interface Api {
    /** Of the blocking client. */
    static Api of(Client client) {
        return behind(client, Api.class);
    }

    /** Of the other one. */
    static Api of(AsyncClient client) {
        return behind(client, Api.class);
    }

    Handle startWorkflow(String workflow, Object input, Class<?> output, StartOptions options);

    Handle rerunWorkflow(String instanceId, int fromEvent, Class<?> output, RerunOptions options);

    Handle getHandle(String instanceId, Class<?> output);

    Handle getHandle(String instanceId, String executionId, TypeRef<?> output);

    WorkflowState getWorkflow(String instanceId);

    WorkflowState getWorkflow(String instanceId, boolean payloads);

    WorkflowState waitForWorkflowStart(String instanceId, Duration timeout);

    WorkflowState waitForWorkflowCompletion(String instanceId, Duration timeout);

    Changes watchWorkflow(String instanceId);

    Page listWorkflowsPage(Filter filter, ListOptions options, String cursor);

    Map<RuntimeStatus, Long> countWorkflows(Filter filter);

    History getWorkflowHistory(String instanceId);

    History getWorkflowHistory(String instanceId, int expand);

    void pauseWorkflow(String instanceId, String reason);

    void resumeWorkflow(String instanceId, String reason);

    void raiseWorkflowEvent(String instanceId, String eventName, Object eventData);

    void terminateWorkflow(String instanceId, TerminateOptions options);

    long purgeWorkflow(String instanceId, boolean recursive);

    long purgeWorkflows(Filter filter, BulkOptions options);

    long terminateWorkflows(Filter filter, BulkOptions options);

    long pauseWorkflows(Filter filter, BulkOptions options);

    long resumeWorkflows(Filter filter, BulkOptions options);

    Api component(String name);

    void close();

    /** What steps ask of a handle. */
    interface Handle {
        String instanceId();

        String executionId();

        Object result(Duration timeout);
    }

    /** What is watched. */
    interface Changes {
        /** The next state; null after the final one. */
        WorkflowState next() throws Exception;

        /** Gives it up. */
        void close();
    }

    private static <T> T behind(Object subject, Class<T> type) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> asked(subject, method, arguments)));
    }

    private static Object asked(Object subject, Method method, Object[] arguments) throws Throwable {
        var same = subject.getClass().getMethod(method.getName(), method.getParameterTypes());
        try {
            return settled(same.invoke(subject, arguments));
        } catch (InvocationTargetException thrown) {
            throw thrown.getCause();
        }
    }

    private static Object settled(Object answer) throws Exception {
        return switch (answer) {
            case CompletableFuture<?> future -> settled(awaited(future));
            case WorkflowHandle<?> handle -> behind(handle, Handle.class);
            case AsyncWorkflowHandle<?> handle -> behind(handle, Handle.class);
            case Client component -> of(component);
            case AsyncClient component -> of(component);
            case Watch watch -> changes(watch);
            case AsyncWatch watch -> changes(watch);
            case null, default -> answer;
        };
    }

    private static <T> T awaited(CompletableFuture<T> future) throws Exception {
        try {
            return future.get(2, TimeUnit.MINUTES);
        } catch (ExecutionException failed) {
            throw failed.getCause() instanceof Exception error ? error : failed;
        }
    }

    private static Changes changes(Watch watch) {
        return new Changes() {
            @Override
            public WorkflowState next() {
                return watch.hasNext() ? watch.next() : null;
            }

            @Override
            public void close() {
                watch.close();
            }
        };
    }

    private static Changes changes(AsyncWatch watch) {
        return new Changes() {
            @Override
            public WorkflowState next() throws Exception {
                return awaited(watch.next());
            }

            @Override
            public void close() {}
        };
    }
}
