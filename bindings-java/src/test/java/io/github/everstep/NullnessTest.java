package io.github.everstep;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.AnnotatedType;
import java.lang.reflect.Type;
import java.time.Duration;
import java.util.Arrays;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What Kotlin and the checkers of Java read: a payload is null only where its type says so. */
class NullnessTest {
    private static boolean isNullable(AnnotatedType type) {
        return type.isAnnotationPresent(Nullable.class);
    }

    @ParameterizedTest
    @ValueSource(
            classes = {
                Definition.class,
                Workflow.class,
                Activity.class,
                NamedWorkflow.class,
                NamedActivity.class,
                Task.class,
                First.class,
                Outcome.class,
                TypeRef.class,
                WorkflowHandle.class,
                AsyncWorkflowHandle.class
            })
    void aPayloadMayBeDeclaredNullable(Class<?> type) {
        for (var parameter : type.getTypeParameters()) assertTrue(isNullable(parameter.getAnnotatedBounds()[0]));
    }

    @ParameterizedTest
    @ValueSource(classes = {Client.class, AsyncClient.class, WorkflowContext.class, WorkerBuilder.class})
    void aDefinitionOfNullablePayloadsCanBeGivenEverywhere(Class<?> type) {
        var methods = Arrays.stream(type.getDeclaredMethods()).filter(method -> {
            return Stream.of(method.getGenericParameterTypes()).anyMatch(NullnessTest::isOfDefinition);
        });
        assertTrue(methods.flatMap(method -> Arrays.stream(method.getTypeParameters()))
                .allMatch(parameter -> isNullable(parameter.getAnnotatedBounds()[0])));
    }

    private static boolean isOfDefinition(Type type) {
        var name = type.getTypeName();
        return name.contains(".Workflow<") || name.contains(".Activity<") || name.contains(".Definition<");
    }

    @Test
    void whatComesIsAsNullableAsItsType() throws Exception {
        assertFalse(isNullable(Task.class.getMethod("await").getAnnotatedReturnType()));
        assertFalse(isNullable(WorkflowHandle.class.getMethod("result").getAnnotatedReturnType()));
        assertFalse(isNullable(WorkflowHandle.class.getMethod("result", Duration.class).getAnnotatedReturnType()));
        assertFalse(isNullable(Payload.class.getMethod("as", TypeRef.class).getAnnotatedReturnType()));
        // What may be absent is nullable whatever its type.
        assertTrue(isNullable(WorkflowState.class.getMethod("output", Class.class).getAnnotatedReturnType()));
    }
}
