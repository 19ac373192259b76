package io.github.everstep;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import org.jspecify.annotations.Nullable;

/**
 * Names a type with its type arguments, which a {@link Class} cannot: {@code new TypeRef<List<Order>>() {}}.
 *
 * @param <T> the type
 */
public abstract class TypeRef<T extends @Nullable Object> {
    private final Type type;

    /** Takes the type from the declaration of the subclass. */
    protected TypeRef() {
        if (!(getClass().getGenericSuperclass() instanceof ParameterizedType parent)) {
            throw new IllegalStateException("a TypeRef needs its type: new TypeRef<List<String>>() {}");
        }
        this.type = parent.getActualTypeArguments()[0];
    }

    private TypeRef(Type type) {
        this.type = type;
    }

    /**
     * The reference to a type that is only known at run time.
     *
     * @param type the type
     * @return its reference
     */
    public static TypeRef<?> of(Type type) {
        return new Known<>(type);
    }

    /**
     * The reference to a class.
     *
     * @param <T> the type
     * @param type the class
     * @return its reference
     */
    public static <T> TypeRef<T> of(Class<T> type) {
        return new Known<>(type);
    }

    /**
     * The type as reflection has it.
     *
     * @return the type
     */
    public final Type type() {
        return type;
    }

    @Override
    public final boolean equals(@Nullable Object other) {
        return other instanceof TypeRef<?> that && type.equals(that.type);
    }

    @Override
    public final int hashCode() {
        return type.hashCode();
    }

    @Override
    public final String toString() {
        return type.getTypeName();
    }

    private static final class Known<T extends @Nullable Object> extends TypeRef<T> {
        Known(Type type) {
            super(type);
        }
    }
}
