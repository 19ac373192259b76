package io.github.everstep;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** Says what a {@link Workflow} class is called, where that is not its simple name. */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
public @interface WorkflowName {
    /**
     * The name; empty for the simple name of the class.
     *
     * @return the name
     */
    String value() default "";

    /**
     * The version; empty for none. Classes of one name with different versions live side by side in one worker.
     *
     * @return the version
     */
    String version() default "";

    /**
     * Whether new runs use this version. Of several without, it is the last one that the worker is given.
     *
     * @return {@code true} if they do
     */
    boolean latest() default false;
}
