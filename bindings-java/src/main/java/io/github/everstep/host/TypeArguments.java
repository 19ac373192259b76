package io.github.everstep.host;

import io.github.everstep.InvalidArgumentException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.util.HashMap;
import java.util.Map;

/** Finds what a class has put in the place of an interface's type parameters. */
final class TypeArguments {
    private TypeArguments() {}

    /** The arguments of {@code wanted} that {@code type} implements. */
    static Type[] of(Class<?> type, Class<?> wanted) {
        var found = find(type, wanted, Map.of());
        if (found == null) throw new InvalidArgumentException(type.getName() + " does not implement " + wanted.getName());
        return found;
    }

    private static Type[] find(Type type, Class<?> wanted, Map<TypeVariable<?>, Type> known) {
        Class<?> raw;
        Map<TypeVariable<?>, Type> bound = known;
        if (type instanceof ParameterizedType generic) {
            raw = (Class<?>) generic.getRawType();
            bound = new HashMap<>();
            var parameters = raw.getTypeParameters();
            for (int i = 0; i < parameters.length; i++) {
                bound.put(parameters[i], resolved(generic.getActualTypeArguments()[i], known));
            }
        } else {
            raw = (Class<?>) type;
        }
        if (raw == wanted) {
            var parameters = wanted.getTypeParameters();
            var arguments = new Type[parameters.length];
            for (int i = 0; i < arguments.length; i++) arguments[i] = bound.getOrDefault(parameters[i], Object.class);
            return arguments;
        }
        for (var implemented : raw.getGenericInterfaces()) {
            var found = find(implemented, wanted, bound);
            if (found != null) return found;
        }
        var above = raw.getGenericSuperclass();
        return above == null ? null : find(above, wanted, bound);
    }

    /** A type without variables at its top; one that nothing is known of is an object. */
    private static Type resolved(Type type, Map<TypeVariable<?>, Type> known) {
        return type instanceof TypeVariable<?> variable ? known.getOrDefault(variable, Object.class) : type;
    }
}
