//! The operations of fixture programs that work with several tasks: `all`, `each`, `map`, `any`.

use serde_json::{Value, json};

use super::context::{Ctx, Outcome, Task};
use super::expression::{compute, decode, truth};
use super::host::Fault;
use super::script::{Env, Var, describe, nested, task};
use crate::model::Payload;

/// Runs the operation and gives its value.
pub(super) async fn several(ctx: &Ctx, kind: &str, op: &Value, env: &mut Env) -> Result<Value, Fault> {
    let keep = truth(&op["return_exceptions"]);
    match kind {
        "map" => map(ctx, op, keep, env).await,
        "any" => {
            let tasks = all_of(ctx, nested(op, "any"), env)?;
            let (index, outcome) = ctx.any(&tasks, truth(&op["keep"])).await;
            Ok(json!({"index": index, "value": decode(outcome?.as_deref())}))
        }
        _ => {
            let tasks = if kind == "all" { all_of(ctx, nested(op, "all"), env) } else { each(ctx, op, env) }?;
            if keep {
                return Ok(outcomes(&ctx.settled(&tasks).await));
            }
            Ok(ctx.all(&tasks).await?.iter().map(value).collect())
        }
    }
}

fn all_of(ctx: &Ctx, items: &[Value], env: &mut Env) -> Result<Vec<Task>, Fault> {
    items.iter().map(|item| task(ctx, item, env)).collect()
}

fn each(ctx: &Ctx, op: &Value, env: &mut Env) -> Result<Vec<Task>, Fault> {
    let items = compute(ctx, &op["each"], env);
    items.as_array().into_iter().flatten().map(|item| one(ctx, op, item, env)).collect()
}

async fn map(ctx: &Ctx, op: &Value, keep: bool, env: &mut Env) -> Result<Value, Fault> {
    let items = compute(ctx, &op["map"], env);
    let limit = compute(ctx, &op["max_concurrency"], env).as_u64().unwrap_or(u64::MAX);
    let mut items = items.as_array().into_iter().flatten();
    let next = || items.next().map(|item| one(ctx, op, item, env));
    Ok(outcomes(&ctx.map(usize::try_from(limit).unwrap_or(usize::MAX), keep, next).await?))
}

/// Asks for what is done with one item.
fn one(ctx: &Ctx, op: &Value, item: &Value, env: &mut Env) -> Result<Task, Fault> {
    env.insert(op["item"].as_str().unwrap_or_default().to_owned(), Var::Value(item.clone()));
    task(ctx, &op["do"], env)
}

fn value(payload: &Payload) -> Value {
    decode(payload.as_deref())
}

/// Values, and errors as a `catch` sees them.
fn outcomes(outcomes: &[Outcome]) -> Value {
    outcomes.iter().map(|outcome| outcome.as_ref().map_or_else(describe, value)).collect()
}
