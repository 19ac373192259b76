//! Batches of tasks as text, each in one allocation.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::VERSION;
use super::error::TaskError;
use super::ops::Job;
use super::payload::{PayloadMode, write_payload, write_string};
use crate::model::Payload;

/// A workflow task: the jobs that wake one instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkflowTask {
    /// The token that the answer names.
    pub token: String,
    /// The instance ID.
    pub id: String,
    /// The run's execution ID.
    pub run: String,
    /// Whether more jobs of the same turn follow after the answer.
    pub more: bool,
    /// What the function is told, one after the other.
    pub jobs: Vec<Job>,
}

/// An activity task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActivityTask {
    /// The token that the answer names.
    pub token: String,
    /// The activity's name.
    pub name: String,
    /// Its input.
    pub input: Payload,
    /// The instance ID of the workflow.
    pub id: String,
    /// The workflow's execution ID.
    pub run: String,
    /// The action's ID.
    pub task: i32,
    /// The attempt of one call, from 1.
    pub attempt: u32,
    /// The same for all attempts of one call.
    pub key: String,
    /// When the attempt times out, in milliseconds since 1970-01-01 UTC.
    pub deadline: Option<i64>,
}

/// About how many bytes a job takes in the text.
pub fn text_len(job: &Job) -> usize {
    let payload = |payload: &Payload| payload.as_ref().map_or(0, |text| text.len() + 16);
    match job {
        Job::Turn { patches, .. } => 72 + patches.iter().map(|patch| patch.len() + 3).sum::<usize>(),
        Job::Start { name, version, input, parent, tags, .. } => {
            let tags: usize = tags.iter().map(|(key, value)| key.len() + value.len() + 6).sum();
            let parent =
                parent.as_ref().map_or(0, |p| p.id.len() + p.run.as_ref().map_or(0, String::len) + 32);
            112 + name.len() + version.as_ref().map_or(0, String::len) + payload(input) + parent + tags
        }
        Job::Done { value, .. } => 40 + payload(value),
        Job::Failed { error, .. } => 40 + error_len(error),
        Job::Evict { .. } => 40,
    }
}

fn error_len(error: &TaskError) -> usize {
    let own = error.error_type.len()
        + error.message.len()
        + error.stack.as_ref().map_or(0, |stack| stack.len() * 9 / 8);
    128 + own + error.data.as_ref().map_or(0, String::len) + error.cause.as_deref().map_or(0, error_len)
}

/// Writes the answer of `poll_workflows`.
pub fn write_workflow_tasks(batch: &str, tasks: &[WorkflowTask], mode: PayloadMode) -> String {
    let len = |task: &WorkflowTask| {
        64 + task.token.len() + task.id.len() + task.run.len() + task.jobs.iter().map(text_len).sum::<usize>()
    };
    let mut out = begin(batch, tasks.iter().map(len).sum());
    list(&mut out, "tasks", tasks, |out, task| {
        out.push_str("{\"t\":");
        write_string(out, &task.token);
        field(out, "id", &task.id);
        field(out, "run", &task.run);
        out.push_str(if task.more { ",\"more\":true" } else { ",\"more\":false" });
        list(out, "jobs", &task.jobs, |out, job| write_job(out, job, mode));
        out.push('}');
    });
    out.push('}');
    out
}

/// Writes the answer of `poll_activities`; `cancel` names the tokens of running activities nobody waits for any more.
pub fn write_activity_tasks(
    batch: &str,
    tasks: &[ActivityTask],
    cancel: &[String],
    mode: PayloadMode,
) -> String {
    let len = |task: &ActivityTask| {
        let names = task.token.len() + task.name.len() + task.id.len() + task.run.len() + task.key.len();
        160 + names + task.input.as_ref().map_or(0, String::len)
    };
    let extra: usize = cancel.iter().map(|token| token.len() + 3).sum();
    let mut out = begin(batch, extra + tasks.iter().map(len).sum::<usize>());
    list(&mut out, "tasks", tasks, |out, task| {
        out.push_str("{\"t\":");
        write_string(out, &task.token);
        field(out, "name", &task.name);
        write_payload(out, "input", &task.input, mode);
        field(out, "id", &task.id);
        field(out, "run", &task.run);
        let _ = write!(out, ",\"task\":{},\"attempt\":{}", task.task, task.attempt);
        field(out, "key", &task.key);
        if let Some(deadline) = task.deadline {
            let _ = write!(out, ",\"deadline\":{deadline}");
        }
        out.push('}');
    });
    list(&mut out, "cancel", cancel, |out, token| write_string(out, token));
    out.push('}');
    out
}

fn begin(batch: &str, body: usize) -> String {
    let mut out = String::with_capacity(64 + batch.len() + body);
    let _ = write!(out, "{{\"v\":{VERSION}");
    field(&mut out, "batch", batch);
    out
}

fn field(out: &mut String, key: &str, text: &str) {
    let _ = write!(out, ",\"{key}\":");
    write_string(out, text);
}

fn optional(out: &mut String, key: &str, text: Option<&String>) {
    if let Some(text) = text {
        field(out, key, text);
    }
}

fn list<T>(out: &mut String, key: &str, items: &[T], mut write: impl FnMut(&mut String, &T)) {
    let _ = write!(out, ",\"{key}\":[");
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(out, item);
    }
    out.push(']');
}

fn write_job(out: &mut String, job: &Job, mode: PayloadMode) {
    match job {
        Job::Turn { now, replay, patches } => {
            let _ = write!(out, "{{\"kind\":\"turn\",\"now\":{now},\"replay\":{replay}");
            list(out, "patches", patches, |out, patch| write_string(out, patch));
        }
        Job::Start { name, version, input, seed, parent, tags } => {
            out.push_str("{\"kind\":\"start\"");
            field(out, "name", name);
            optional(out, "version", version.as_ref());
            write_payload(out, "input", input, mode);
            let _ = write!(out, ",\"seed\":\"{seed}\"");
            if let Some(parent) = parent {
                out.push_str(",\"parent\":{\"id\":");
                write_string(out, &parent.id);
                optional(out, "run", parent.run.as_ref());
                out.push('}');
            }
            write_tags(out, tags);
        }
        Job::Done { reference, value } => {
            let _ = write!(out, "{{\"kind\":\"done\",\"ref\":{reference}");
            write_payload(out, "value", value, mode);
        }
        Job::Failed { reference, error } => {
            let _ = write!(out, "{{\"kind\":\"failed\",\"ref\":{reference},\"error\":");
            write_error(out, error, mode);
        }
        Job::Evict { reason } => {
            out.push_str("{\"kind\":\"evict\"");
            field(out, "reason", reason.code());
        }
    }
    out.push('}');
}

fn write_tags(out: &mut String, tags: &BTreeMap<String, String>) {
    if tags.is_empty() {
        return;
    }
    let mut before = ",\"tags\":{";
    for (key, value) in tags {
        out.push_str(before);
        write_string(out, key);
        out.push(':');
        write_string(out, value);
        before = ",";
    }
    out.push('}');
}

/// Appends an error object. The chain is written without recursion: a hostile chain must not exhaust the stack.
fn write_error(out: &mut String, error: &TaskError, mode: PayloadMode) {
    let (mut next, mut open) = (Some(error), 0);
    while let Some(error) = next {
        if open > 0 {
            out.push_str(",\"cause\":");
        }
        out.push_str("{\"type\":");
        write_string(out, &error.error_type);
        field(out, "message", &error.message);
        optional(out, "stack", error.stack.as_ref());
        optional(out, "code", error.code.as_ref());
        let _ = write!(out, ",\"retryable\":{}", error.retryable);
        write_payload(out, "data", &error.data, mode);
        open += 1;
        next = error.cause.as_deref();
    }
    out.extend(std::iter::repeat_n('}', open));
}
