//! The expressions of the fixture programs.

use serde_json::{Value, json};

use super::context::Ctx;
use super::script::{Env, Var};
use crate::model::Payload;

/// A payload as a value; absent, empty and unreadable ones are null.
pub(super) fn decode(payload: Option<&str>) -> Value {
    payload.and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null)
}

/// A value as a payload.
pub(super) fn encode(value: &Value) -> Payload {
    Some(value.to_string())
}

/// Whether a value counts as true.
pub(super) fn truth(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

/// The sum of numbers, or texts joined.
pub(super) fn add(values: &[Value]) -> Value {
    if values.iter().any(Value::is_string) {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        return values.iter().map(text).collect::<String>().into();
    }
    match values.iter().map(Value::as_i64).sum::<Option<i64>>() {
        Some(sum) => sum.into(),
        None => values.iter().filter_map(Value::as_f64).sum::<f64>().into(),
    }
}

/// Computes an expression.
pub(super) fn compute(ctx: &Ctx, expression: &Value, env: &Env) -> Value {
    match expression {
        Value::Array(items) => items.iter().map(|item| compute(ctx, item, env)).collect(),
        Value::Object(map) => match map.iter().next() {
            Some((key, argument)) if map.len() == 1 && key.starts_with('$') => call(ctx, key, argument, env),
            _ => {
                Value::Object(map.iter().map(|(key, item)| (key.clone(), compute(ctx, item, env))).collect())
            }
        },
        other => other.clone(),
    }
}

fn call(ctx: &Ctx, name: &str, argument: &Value, env: &Env) -> Value {
    match name {
        "$" => return variable(argument.as_str().unwrap_or_default(), env),
        "$lit" => return argument.clone(),
        "$now" => return ctx.now().into(),
        "$random" => return ctx.random().into(),
        "$uuid" => return ctx.uuid().into(),
        "$instance_id" => return ctx.info().id.into(),
        "$version" => return ctx.info().version.into(),
        _ => {}
    }
    let value = compute(ctx, argument, env);
    match name {
        "$add" => add(value.as_array().map_or(&[][..], Vec::as_slice)),
        "$eq" => equal(&value[0], &value[1]).into(),
        "$lt" => (value[0].as_f64() < value[1].as_f64()).into(),
        "$not" => (!truth(&value)).into(),
        "$len" => value
            .as_array()
            .map_or_else(|| value.as_str().map_or(0, |text| text.chars().count()), Vec::len)
            .into(),
        "$push" => {
            let mut items = value[0].as_array().cloned().unwrap_or_default();
            items.push(value[1].clone());
            items.into()
        }
        "$range" => (0..value.as_i64().unwrap_or(0)).collect(),
        _ => Value::Null,
    }
}

fn equal(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

fn variable(path: &str, env: &Env) -> Value {
    let mut steps = path.split('.');
    let Some(Var::Value(root)) = steps.next().and_then(|name| env.get(name)) else { return json!(null) };
    let mut value = root;
    for step in steps {
        let next = match value {
            Value::Array(items) => step.parse::<usize>().ok().and_then(|index| items.get(index)),
            other => other.get(step),
        };
        match next {
            Some(next) => value = next,
            None => return Value::Null,
        }
    }
    value.clone()
}
