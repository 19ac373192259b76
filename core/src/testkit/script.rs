//! Runs the fixture programs of `conformance/fixtures.json` (language: `conformance/fixtures.md`) on the
//! [`Host`](super::host::Host).

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::context::{ActivityOptions, ChildOptions, Ctx, Task};
use super::expression::{compute, decode, encode, truth};
use super::fan_out::several;
use super::host::{End, Fault, Host};
use crate::bridge::{ActivityTask, Command, Due, Stall, StallCode, TaskError, read_step};
use crate::error::ErrorKind;
use crate::model::Payload;
use crate::retry::RetryPolicy;

/// A variable of a program.
#[derive(Clone)]
pub(super) enum Var {
    /// A value.
    Value(Value),
    /// A task that was begun.
    Task(Task),
}

pub(super) type Env = HashMap<String, Var>;
type Flow = Result<Option<End>, Fault>;
type Block<'a> = Pin<Box<dyn Future<Output = Flow> + Send + 'a>>;

/// Every operation that a program may have.
const OPERATIONS: [&str; 23] = [
    "activity",
    "child",
    "timer",
    "timer_at",
    "event",
    "begin",
    "await",
    "all",
    "each",
    "map",
    "any",
    "cancel",
    "send",
    "status",
    "patch",
    "set",
    "if",
    "while",
    "for",
    "try",
    "raise",
    "return",
    "continue_as_new",
];

impl Host {
    /// Registers a fixture program: `{"name", "version"?, "body"}`.
    ///
    /// # Panics
    /// When the fixture has no name or body: it is test data.
    pub fn program(&mut self, fixture: &Value) {
        let name = fixture["name"].as_str().expect("a fixture has a name");
        let body = Arc::new(fixture["body"].as_array().expect("a fixture has a body").clone());
        self.version(name, fixture["version"].as_str(), move |ctx, input| {
            let body = Arc::clone(&body);
            async move {
                let mut env = Env::from([("input".to_owned(), Var::Value(decode(input.as_deref())))]);
                let end = block(&ctx, &body, &mut env).await?;
                Ok(end.unwrap_or(End::Return(Some("null".to_owned()))))
            }
        });
    }

    /// Registers the fixture activities that need no clock: `echo`, `add`, `fail`, `flaky`, `task_info`.
    pub fn fixture_activities(&mut self) {
        self.activity("echo", |task| Ok(task.input.clone().or(Some("null".to_owned()))));
        self.activity("add", |task| Ok(encode(&compute_sum(&decode(task.input.as_deref())))));
        self.activity("fail", |task| Err(failure(&decode(task.input.as_deref()))));
        self.activity("flaky", flaky);
        self.activity("task_info", |task| {
            Ok(encode(&json!({"key": task.key, "attempt": task.attempt, "id": task.id, "task": task.task})))
        });
    }
}

fn compute_sum(numbers: &Value) -> Value {
    super::expression::add(numbers.as_array().map_or(&[][..], Vec::as_slice))
}

fn failure(input: &Value) -> TaskError {
    let text = |key: &str| input[key].as_str().unwrap_or_default().to_owned();
    let inner = TaskError {
        error_type: "Inner".into(),
        message: "inner".into(),
        retryable: true,
        ..TaskError::default()
    };
    TaskError {
        error_type: text("type"),
        message: text("message"),
        retryable: input["retryable"] != json!(false),
        cause: truth(&input["cause"]).then(|| Box::new(inner)),
        ..TaskError::default()
    }
}

fn flaky(task: &ActivityTask) -> Result<Payload, TaskError> {
    let input = decode(task.input.as_deref());
    if u64::from(task.attempt) > input["fails"].as_u64().unwrap_or(0) {
        return Ok(encode(&json!({"attempt": task.attempt})));
    }
    Err(TaskError {
        error_type: input["type"].as_str().unwrap_or("Flaky").to_owned(),
        message: format!("attempt {}", task.attempt),
        retryable: true,
        ..TaskError::default()
    })
}

fn block<'a>(ctx: &'a Ctx, ops: &'a [Value], env: &'a mut Env) -> Block<'a> {
    Box::pin(async move {
        for op in ops {
            if let Some(end) = operation(ctx, op, env).await? {
                return Ok(Some(end));
            }
        }
        Ok(None)
    })
}

/// The ops of a nested block; none when the key is absent.
pub(super) fn nested<'a>(op: &'a Value, key: &str) -> &'a [Value] {
    op[key].as_array().map_or(&[], Vec::as_slice)
}

fn bad(message: impl Into<String>) -> Fault {
    Fault::Stalled(Stall::new(StallCode::InvalidArgument, message))
}

async fn operation(ctx: &Ctx, op: &Value, env: &mut Env) -> Flow {
    let kind = OPERATIONS.into_iter().find(|kind| op.get(kind).is_some());
    let Some(kind) = kind else {
        if op.get("non_durable").is_some() {
            std::future::pending::<()>().await;
        }
        return Err(bad(format!("unknown operation {op}")));
    };
    let main = &op[kind];
    let value = match kind {
        "if" => {
            let branch = if truth(&compute(ctx, main, env)) { "then" } else { "else" };
            return block(ctx, nested(op, branch), env).await;
        }
        "while" => {
            while truth(&compute(ctx, main, env)) {
                if let Some(end) = block(ctx, nested(op, "do"), env).await? {
                    return Ok(Some(end));
                }
            }
            return Ok(None);
        }
        "for" => return each_in_turn(ctx, op, env).await,
        "try" => return try_catch(ctx, op, env).await,
        "raise" => {
            let name = compute(ctx, main, env);
            let message = compute(ctx, &op["message"], env);
            let error_type = name.as_str().unwrap_or_default().to_owned();
            let message = message.as_str().unwrap_or_default().to_owned();
            return Err(TaskError { error_type, message, retryable: true, ..TaskError::default() }.into());
        }
        "return" => return Ok(Some(End::Return(encode(&compute(ctx, main, env))))),
        "continue_as_new" => {
            let input = encode(&compute(ctx, main, env));
            return Ok(Some(End::Continue { input, keep_events: op["keep_events"] != json!(false) }));
        }
        "begin" => {
            let task = ask(ctx, main, env)?;
            if let Some(name) = op["as"].as_str() {
                env.insert(name.to_owned(), Var::Task(task));
            }
            return Ok(None);
        }
        "set" => {
            let value = compute(ctx, &op["to"], env);
            env.insert(main.as_str().unwrap_or_default().to_owned(), Var::Value(value));
            return Ok(None);
        }
        "cancel" => {
            ctx.cancel(&task(ctx, main, env)?);
            return Ok(None);
        }
        "send" => {
            let (name, to) = (compute(ctx, main, env), compute(ctx, &op["to"], env));
            let data = op.get("data").and_then(|data| encode(&compute(ctx, data, env)));
            ctx.send(to.as_str().unwrap_or_default(), name.as_str().unwrap_or_default(), data);
            return Ok(None);
        }
        "status" => {
            ctx.status(encode(&compute(ctx, main, env)));
            return Ok(None);
        }
        "patch" => Value::Bool(ctx.patch(compute(ctx, main, env).as_str().unwrap_or_default())),
        "all" | "each" | "map" | "any" => several(ctx, kind, op, env).await?,
        "await" => decode(task(ctx, main, env)?.await?.as_deref()),
        _ => {
            let detached = truth(&op["detached"]);
            let task = ask(ctx, op, env)?;
            if detached { Value::Null } else { decode(task.await?.as_deref()) }
        }
    };
    if let Some(name) = op["as"].as_str() {
        env.insert(name.to_owned(), Var::Value(value));
    }
    Ok(None)
}

/// A task variable, or what an asking operation begins.
pub(super) fn task(ctx: &Ctx, item: &Value, env: &mut Env) -> Result<Task, Fault> {
    let name = item.as_str().or_else(|| item.get("$").and_then(Value::as_str));
    match name.map(|name| env.get(name)) {
        Some(Some(Var::Task(task))) => Ok(task.clone()),
        Some(_) => Err(bad(format!("{item} is no task"))),
        None => ask(ctx, item, env),
    }
}

fn ask(ctx: &Ctx, op: &Value, env: &mut Env) -> Result<Task, Fault> {
    let field = |key: &str| op.get(key).map(|value| compute(ctx, value, env));
    let text = |value: Option<Value>| value.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
    let payload = |value: Option<Value>| value.as_ref().and_then(encode);
    let whole = |value: Option<Value>| value.as_ref().and_then(Value::as_i64);
    if op.get("activity").is_some() {
        let options =
            ActivityOptions { retry: retry(field("retry"))?, timeout_ms: whole(field("timeout_ms")) };
        Ok(ctx.activity_with(&text(field("activity")), payload(field("input")), options))
    } else if op.get("child").is_some() {
        let options = ChildOptions {
            version: field("version").and_then(|version| version.as_str().map(str::to_owned)),
            id: field("id").and_then(|id| id.as_str().map(str::to_owned)),
            retry: retry(field("retry"))?,
            detached: op["detached"] == json!(true),
        };
        Ok(ctx.child_with(&text(field("child")), payload(field("input")), options))
    } else if op.get("timer").is_some() {
        Ok(ctx.timer(Due::After(whole(field("timer")).unwrap_or(0))))
    } else if op.get("timer_at").is_some() {
        Ok(ctx.timer(Due::At(whole(field("timer_at")).unwrap_or(0))))
    } else if op.get("event").is_some() {
        Ok(ctx.event(&text(field("event")), whole(field("timeout_ms"))))
    } else {
        Err(bad(format!("{op} asks for nothing")))
    }
}

/// A policy as the bridge reads it, so that fixtures and hosts have one form.
fn retry(policy: Option<Value>) -> Result<Option<RetryPolicy>, Fault> {
    let Some(policy) = policy else { return Ok(None) };
    let text = json!([{"kind": "activity", "ref": 1, "name": "x", "retry": policy}]).to_string();
    match read_step(&text).map_err(Fault::Stalled)?.pop() {
        Some(Command::Activity { retry, .. }) => Ok(retry),
        _ => Ok(None),
    }
}

async fn each_in_turn(ctx: &Ctx, op: &Value, env: &mut Env) -> Flow {
    let items = compute(ctx, &op["in"], env);
    let name = op["for"].as_str().unwrap_or_default();
    for item in items.as_array().into_iter().flatten() {
        env.insert(name.to_owned(), Var::Value(item.clone()));
        if let Some(end) = block(ctx, nested(op, "do"), env).await? {
            return Ok(Some(end));
        }
    }
    Ok(None)
}

async fn try_catch(ctx: &Ctx, op: &Value, env: &mut Env) -> Flow {
    match block(ctx, nested(op, "try"), env).await {
        Err(Fault::Failed(error)) => {
            if let Some(name) = op["as"].as_str() {
                env.insert(name.to_owned(), Var::Value(describe(&error)));
            }
            block(ctx, nested(op, "catch"), env).await
        }
        other => other,
    }
}

/// An error as a program sees it.
pub(super) fn describe(error: &TaskError) -> Value {
    let mut map = Map::new();
    let code = error.code.as_deref().unwrap_or(ErrorKind::WorkflowFailed.code());
    map.insert("code".into(), code.into());
    map.insert("type".into(), error.error_type.clone().into());
    map.insert("message".into(), error.message.clone().into());
    if let Some(cause) = &error.cause {
        map.insert("cause".into(), describe(cause));
    }
    Value::Object(map)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridge::{Job, Step};

    fn start(input: &str) -> Job {
        let (name, input) = ("p".to_owned(), Some(input.to_owned()));
        Job::Start { name, version: None, input, seed: 1, parent: None, tags: Default::default() }
    }

    fn host(body: &Value) -> Host {
        let mut host = Host::new();
        host.program(&json!({"name": "p", "body": body}));
        host
    }

    fn done(reference: u32, value: &str) -> Job {
        Job::Done { reference, value: Some(value.to_owned()) }
    }

    fn kinds(steps: &[Step]) -> Vec<Vec<&'static str>> {
        steps.iter().map(|step| step.iter().map(Command::kind).collect()).collect()
    }

    #[test]
    fn a_fan_out_asks_in_order_and_ends_with_the_last_result() {
        let mut host = host(&json!([
            {"each": {"$range": {"$": "input"}}, "item": "i", "do": {"activity": "a", "input": {"$": "i"}}, "as": "all"},
            {"return": {"$": "all"}}
        ]));
        let jobs = [start("3"), done(2, "\"b\""), done(1, "\"a\""), done(9, "0"), done(3, "\"c\"")];
        let steps = host.apply("i", "r", &jobs).unwrap();
        assert_eq!(kinds(&steps), [vec!["activity"; 3], vec![], vec![], vec![], vec!["complete"]]);
        assert_eq!(steps[4], [Command::Complete { output: Some("[\"a\",\"b\",\"c\"]".into()) }]);
    }

    #[test]
    fn any_cancels_the_losers_and_a_late_answer_changes_nothing() {
        let mut host = host(&json!([
            {"any": [{"event": "go"}, {"timer": 5}], "as": "first"},
            {"event": "go", "as": "x"},
            {"return": [{"$": "first.index"}, {"$": "x"}]}
        ]));
        let steps = host
            .apply("i", "r", &[start("null"), Job::Done { reference: 2, value: None }, done(1, "7")])
            .unwrap();
        assert_eq!(kinds(&steps), [vec!["event", "timer"], vec!["cancel", "event"], vec![]]);
        let steps = host.apply("i", "r", &[done(3, "8")]).unwrap();
        assert_eq!(steps[0], [Command::Complete { output: Some("[1,8]".into()) }]);
    }

    #[test]
    fn a_foreign_await_stalls_and_drops_the_instance() {
        let mut host = host(&json!([{"non_durable": {}}]));
        assert_eq!(host.apply("i", "r", &[start("null")]).unwrap_err().code, StallCode::NonDurable);
        assert_eq!(host.cached(), 0);
    }

    #[test]
    fn errors_are_caught_by_their_code() {
        let mut host = host(&json!([
            {"try": [{"activity": "a"}], "catch": [{"return": {"$": "e.code"}}], "as": "e"}
        ]));
        let error = TaskError::new("Declined", ErrorKind::ActivityFailed, "no");
        let steps = host.apply("i", "r", &[start("null"), Job::Failed { reference: 1, error }]).unwrap();
        assert_eq!(steps[1], [Command::Complete { output: Some("\"activity_failed\"".into()) }]);
    }
}
