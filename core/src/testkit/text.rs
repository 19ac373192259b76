//! The scripted [`Host`] behind the bridge's text, as a host in any other language sits behind it.
//!
//! It reads batches and writes completions with a plain JSON tree and none of the core's own readers and writers, so
//! that a fault in one of those is not answered by the same fault on the other side.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value, json};

use super::host::Host;
use crate::bridge::{ActivityTask, Command, Due, EvictReason, Job, Parent, TaskError, WorkflowName};
use crate::model::Payload;
use crate::retry::RetryPolicy;

/// The activity that ends only when it is told to stop.
const UNTIL_CANCELLED: &str = "until_cancelled";

/// A host of fixture workflows that takes text and answers with text.
pub struct TextHost {
    host: Host,
    waiting: HashSet<String>,
}

impl TextHost {
    /// A host of these fixtures and of all fixture activities.
    pub fn new<'a>(fixtures: impl IntoIterator<Item = &'a Value>) -> TextHost {
        let mut host = Host::new();
        host.fixture_activities();
        fixtures.into_iter().for_each(|fixture| host.program(fixture));
        TextHost::over(host)
    }

    /// A host of what is registered here.
    pub fn over(host: Host) -> TextHost {
        TextHost { host, waiting: HashSet::new() }
    }

    /// The text that opens its worker.
    pub fn open(&self, max_cached: usize) -> String {
        let declared = self.host.declared().iter();
        let workflows: Vec<Value> = declared.map(declaration).collect();
        let mut activities = self.host.activity_names();
        activities.push(UNTIL_CANCELLED.to_owned());
        json!({
            "v": 1, "host": "script/1", "payloads": "inline", "workflows": workflows, "activities": activities,
            "max_cached": max_cached, "slots": {"workflows": 200, "activities": 64},
        })
        .to_string()
    }

    /// Runs a batch of workflow tasks; gives the text that completes it.
    pub fn turns(&mut self, batch: &str) -> String {
        let batch = parse(batch);
        let turns: Vec<Value> = list(&batch, "tasks").iter().map(|task| self.turn(task)).collect();
        json!({"v": 1, "turns": turns, "activities": []}).to_string()
    }

    fn turn(&mut self, task: &Value) -> Value {
        let jobs: Vec<Job> = list(task, "jobs").iter().map(job).collect();
        match self.host.apply(text(task, "id"), text(task, "run"), &jobs) {
            Ok(steps) => {
                let steps: Vec<Vec<Value>> =
                    steps.iter().map(|step| step.iter().map(command).collect()).collect();
                json!({"t": task["t"], "steps": steps})
            }
            Err(stall) => {
                let (code, message) = (stall.code.code(), stall.message);
                json!({"t": task["t"], "stall": {"code": code, "message": message, "stack": ""}})
            }
        }
    }

    /// Runs a batch of activity tasks; gives the text that completes those that have ended.
    pub fn activities(&mut self, batch: &str) -> String {
        let batch = parse(batch);
        let mut answers = Vec::new();
        for task in list(&batch, "tasks") {
            if text(task, "name") == UNTIL_CANCELLED {
                self.waiting.insert(text(task, "t").to_owned());
                continue;
            }
            let mut answer = Map::from_iter([("t".to_owned(), task["t"].clone())]);
            match self.host.run_activity(&activity(task)) {
                Ok(value) => put(&mut answer, "value", &value),
                Err(error) => drop(answer.insert("error".into(), error_value(&error))),
            }
            answers.push(Value::Object(answer));
        }
        for token in list(&batch, "cancel") {
            if self.waiting.remove(token.as_str().unwrap_or_default()) {
                answers.push(json!({"t": token, "value": null}));
            }
        }
        json!({"v": 1, "turns": [], "activities": answers}).to_string()
    }
}

fn declaration(workflow: &WorkflowName) -> Value {
    match &workflow.version {
        Some(version) => json!({"name": workflow.name, "version": version}),
        None => json!({"name": workflow.name}),
    }
}

fn job(value: &Value) -> Job {
    match text(value, "kind") {
        "turn" => Job::Turn {
            now: value["now"].as_i64().expect("a turn has a time"),
            replay: value["replay"].as_bool().expect("a turn says whether it is one of the past"),
            patches: list(value, "patches").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        },
        "start" => Job::Start {
            name: text(value, "name").to_owned(),
            version: optional(value, "version"),
            input: payload(value, "input"),
            seed: text(value, "seed").parse().expect("a seed is the text of a u64"),
            parent: value
                .get("parent")
                .map(|parent| Parent { id: text(parent, "id").to_owned(), run: optional(parent, "run") }),
            tags: tags(value),
        },
        "done" => Job::Done { reference: reference(value), value: payload(value, "value") },
        "failed" => Job::Failed { reference: reference(value), error: error(&value["error"]) },
        "evict" => Job::Evict {
            reason: EvictReason::from_code(text(value, "reason")).expect("the protocol names the reasons"),
        },
        other => panic!("the protocol has no job {other:?}"),
    }
}

fn activity(task: &Value) -> ActivityTask {
    let number = |key: &str| task[key].as_i64().unwrap_or_else(|| panic!("an activity task has {key:?}"));
    ActivityTask {
        token: text(task, "t").to_owned(),
        name: text(task, "name").to_owned(),
        input: payload(task, "input"),
        id: text(task, "id").to_owned(),
        run: text(task, "run").to_owned(),
        task: i32::try_from(number("task")).expect("action ids are 32-bit"),
        attempt: u32::try_from(number("attempt")).expect("attempts are counted from 1"),
        key: text(task, "key").to_owned(),
        deadline: task.get("deadline").and_then(Value::as_i64),
    }
}

fn command(command: &Command) -> Value {
    let mut fields = Map::new();
    let mut set = |key: &str, value: Value| drop(fields.insert(key.to_owned(), value));
    match command {
        Command::Activity { reference, name, input, retry, timeout_ms, app } => {
            set("kind", "activity".into());
            set("ref", (*reference).into());
            set("name", name.as_str().into());
            put(&mut fields, "input", input);
            put_retry(&mut fields, retry.as_ref());
            put_number(&mut fields, "timeout_ms", *timeout_ms);
            put_text(&mut fields, "app", app.as_ref());
        }
        Command::Child { reference, name, version, input, id, retry, app, detached } => {
            set("kind", "child".into());
            set("ref", (*reference).into());
            set("name", name.as_str().into());
            set("detached", (*detached).into());
            put_text(&mut fields, "version", version.as_ref());
            put(&mut fields, "input", input);
            put_text(&mut fields, "id", id.as_ref());
            put_retry(&mut fields, retry.as_ref());
            put_text(&mut fields, "app", app.as_ref());
        }
        Command::Timer { reference, due } => {
            set("kind", "timer".into());
            set("ref", (*reference).into());
            match due {
                Due::After(millis) => set("after_ms", (*millis).into()),
                Due::At(millis) => set("at_ms", (*millis).into()),
            }
        }
        Command::Event { reference, name, timeout_ms } => {
            set("kind", "event".into());
            set("ref", (*reference).into());
            set("name", name.as_str().into());
            put_number(&mut fields, "timeout_ms", *timeout_ms);
        }
        Command::Cancel { reference } => {
            set("kind", "cancel".into());
            set("ref", (*reference).into());
        }
        Command::Send { id, name, data } => {
            set("kind", "send".into());
            set("id", id.as_str().into());
            set("name", name.as_str().into());
            put(&mut fields, "data", data);
        }
        Command::Status { status } => {
            set("kind", "status".into());
            put(&mut fields, "status", status);
        }
        Command::Patch { name } => {
            set("kind", "patch".into());
            set("name", name.as_str().into());
        }
        Command::Complete { output } => {
            set("kind", "complete".into());
            put(&mut fields, "output", output);
        }
        Command::Continue { input, keep_events } => {
            set("kind", "continue".into());
            set("keep_events", (*keep_events).into());
            put(&mut fields, "input", input);
        }
        Command::Fail { error } => {
            set("kind", "fail".into());
            set("error", error_value(error));
        }
    }
    Value::Object(fields)
}

fn put_retry(fields: &mut Map<String, Value>, retry: Option<&RetryPolicy>) {
    let Some(retry) = retry else { return };
    let millis = |duration: std::time::Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut policy = json!({
        "first_interval_ms": millis(retry.first_interval), "backoff": retry.backoff,
        "max_interval_ms": millis(retry.max_interval), "non_retryable": retry.non_retryable,
    });
    if let Some(attempts) = retry.max_attempts {
        policy["max_attempts"] = attempts.into();
    }
    if let Some(total) = retry.total_timeout {
        policy["total_timeout_ms"] = millis(total).into();
    }
    fields.insert("retry".into(), policy);
}

fn put_text(fields: &mut Map<String, Value>, key: &str, text: Option<&String>) {
    if let Some(text) = text {
        fields.insert(key.to_owned(), text.as_str().into());
    }
}

fn put_number(fields: &mut Map<String, Value>, key: &str, number: Option<i64>) {
    if let Some(number) = number {
        fields.insert(key.to_owned(), number.into());
    }
}

/// Writes a payload: JSON as it is, anything else as text.
fn put(fields: &mut Map<String, Value>, key: &str, payload: &Payload) {
    let Some(text) = payload else { return };
    match serde_json::from_str::<Value>(text) {
        Ok(value) => fields.insert(key.to_owned(), value),
        Err(_) => fields.insert(format!("{key}_text"), text.as_str().into()),
    };
}

fn payload(value: &Value, key: &str) -> Payload {
    match value.get(key) {
        Some(raw) => Some(raw.to_string()),
        None => optional(value, &format!("{key}_text")),
    }
}

fn error(value: &Value) -> TaskError {
    TaskError {
        error_type: text(value, "type").to_owned(),
        message: text(value, "message").to_owned(),
        stack: optional(value, "stack"),
        code: optional(value, "code"),
        retryable: value["retryable"].as_bool().unwrap_or(true),
        data: payload(value, "data"),
        cause: value.get("cause").map(|cause| Box::new(error(cause))),
    }
}

fn error_value(error: &TaskError) -> Value {
    let mut fields = Map::new();
    fields.insert("type".into(), error.error_type.as_str().into());
    fields.insert("message".into(), error.message.as_str().into());
    fields.insert("retryable".into(), error.retryable.into());
    put_text(&mut fields, "stack", error.stack.as_ref());
    put_text(&mut fields, "code", error.code.as_ref());
    put(&mut fields, "data", &error.data);
    if let Some(cause) = &error.cause {
        fields.insert("cause".into(), error_value(cause));
    }
    Value::Object(fields)
}

fn tags(value: &Value) -> BTreeMap<String, String> {
    let fields = value.get("tags").and_then(Value::as_object).into_iter().flatten();
    fields.map(|(key, tag)| (key.clone(), tag.as_str().unwrap_or_default().to_owned())).collect()
}

fn reference(value: &Value) -> u32 {
    value["ref"].as_u64().and_then(|number| u32::try_from(number).ok()).expect("an answer has a ref")
}

fn optional(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).expect("the core writes JSON")
}
