package io.github.everstep.conformance;

import io.github.everstep.WorkflowContext;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** The variables of a program that runs, and the expressions over them. */
final class Expressions {
    private final WorkflowContext context;
    private final Map<String, Object> variables = new HashMap<>();

    Expressions(WorkflowContext context) {
        this.context = context;
    }

    void set(String name, Object value) {
        variables.put(name, value);
    }

    Object get(String name) {
        return variables.get(name);
    }

    Object compute(Object expression) {
        if (expression instanceof List<?> list) {
            var values = new ArrayList<>();
            for (var item : list) values.add(compute(item));
            return values;
        }
        if (!(expression instanceof Map<?, ?>)) return expression;
        var object = Json.object(expression);
        String key = object.isEmpty() ? "" : object.keySet().iterator().next();
        if (object.size() == 1 && key.startsWith("$")) return computed(key, object.get(key));
        var values = new LinkedHashMap<String, Object>();
        object.forEach((name, item) -> values.put(name, compute(item)));
        return values;
    }

    String text(Object expression) {
        return (String) compute(expression);
    }

    long number(Object expression) {
        return Json.number(compute(expression));
    }

    private Object computed(String function, Object argument) {
        return switch (function) {
            case "$" -> variable((String) argument);
            case "$lit" -> argument;
            case "$now" -> context.now().toEpochMilli();
            case "$random" -> context.random().nextDouble();
            case "$uuid" -> context.uuid().toString();
            case "$instance_id" -> context.instanceId();
            case "$version" -> context.version();
            default -> applied(function, compute(argument));
        };
    }

    private static Object applied(String function, Object value) {
        return switch (function) {
            case "$add" -> sum(Json.array(value));
            case "$eq" -> Json.same(Json.array(value).get(0), Json.array(value).get(1));
            case "$lt" -> decimal(Json.array(value).get(0)).compareTo(decimal(Json.array(value).get(1))) < 0;
            case "$not" -> !isTrue(value);
            case "$len" -> value instanceof String text ? text.length() : Json.array(value).size();
            case "$push" -> pushed(Json.array(Json.array(value).get(0)), Json.array(value).get(1));
            case "$range" -> IntStream.range(0, ((Number) value).intValue()).boxed().toList();
            default -> throw new AssertionError("unknown expression " + function);
        };
    }

    /** A variable, maybe with a path; a missing step of it is null. */
    private Object variable(String path) {
        String[] steps = path.split("\\.");
        Object value = variables.get(steps[0]);
        for (int i = 1; i < steps.length; i++) {
            if (value instanceof Map<?, ?> object) value = object.get(steps[i]);
            else if (value instanceof List<?> list) value = item(list, steps[i]);
            else return null;
        }
        return value;
    }

    private static Object item(List<?> list, String step) {
        int index = Integer.parseInt(step);
        return index < list.size() ? list.get(index) : null;
    }

    private static List<Object> pushed(List<Object> list, Object item) {
        var longer = new ArrayList<>(list);
        longer.add(item);
        return longer;
    }

    /** Texts joined, or the sum of numbers. */
    static Object sum(List<Object> values) {
        if (values.stream().anyMatch(String.class::isInstance)) {
            var joined = new StringBuilder();
            values.forEach(joined::append);
            return joined.toString();
        }
        var sum = values.stream().map(Expressions::decimal).reduce(BigDecimal.ZERO, BigDecimal::add);
        return sum.stripTrailingZeros().scale() <= 0 ? (Object) sum.toBigInteger() : (Object) sum;
    }

    private static BigDecimal decimal(Object number) {
        return new BigDecimal(number.toString());
    }

    /** false, null, 0, "", [] and {} are false. */
    static boolean isTrue(Object value) {
        return switch (value) {
            case null -> false;
            case Boolean flag -> flag;
            case Number number -> decimal(number).signum() != 0;
            case String text -> !text.isEmpty();
            case List<?> list -> !list.isEmpty();
            case Map<?, ?> object -> !object.isEmpty();
            default -> true;
        };
    }
}
