//! A host's answers. One pass over the text where all is well; item by item where something is not.

use std::borrow::Cow;
use std::time::Duration;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::error::{Stall, StallCode, TaskError};
use super::ops::{Command, Due, Ref, Step};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Payload;
use crate::retry::RetryPolicy;

/// The most causes that a chain of errors keeps.
const MAX_CAUSES: usize = 64;

/// The text of `complete`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Completion {
    /// Answers to workflow tasks.
    pub turns: Vec<TurnAnswer>,
    /// Answers to activity tasks.
    pub activities: Vec<ActivityAnswer>,
}

/// The answer to a workflow task.
#[derive(Clone, Debug, PartialEq)]
pub struct TurnAnswer {
    /// The task's token.
    pub token: String,
    /// One step per job, or why the turn must stall.
    pub steps: std::result::Result<Vec<Step>, Stall>,
}

/// The answer to an activity task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivityAnswer {
    /// The task's token.
    pub token: String,
    /// What the activity returned or failed with.
    pub result: std::result::Result<Payload, TaskError>,
}

/// Reads the text of `complete`.
///
/// A turn that cannot be read becomes a stall of that turn, an activity a failure of that activity, with the code
/// `decode_failed` (not the shape of the protocol) or `invalid_argument` (an unknown kind, a value out of its range);
/// the other items count. An item without a readable token is dropped: nobody knows whose it was.
///
/// # Errors
/// `decode_failed` when the text as a whole is not an object with the two lists.
pub fn read_completion(text: &str) -> Result<Completion> {
    #[derive(Deserialize)]
    struct Batch<'a> {
        #[serde(borrow, default)]
        turns: Vec<&'a RawValue>,
        #[serde(borrow, default)]
        activities: Vec<&'a RawValue>,
    }
    let batch: Batch<'_> = serde_json::from_str(text).map_err(|error| {
        Error::new(ErrorKind::DecodeFailed, format!("the host's answer cannot be read: {error}"))
    })?;
    let mut turns = Vec::with_capacity(batch.turns.len());
    turns.extend(batch.turns.into_iter().filter_map(|raw| turn(raw.get())));
    let mut activities = Vec::with_capacity(batch.activities.len());
    activities.extend(batch.activities.into_iter().filter_map(|raw| activity(raw.get())));
    Ok(Completion { turns, activities })
}

/// Reads the commands of one step, a JSON list.
///
/// # Errors
/// A stall with `decode_failed` or `invalid_argument`.
pub fn read_step(text: &str) -> std::result::Result<Step, Stall> {
    let raw: Vec<RawCommand<'_>> = serde_json::from_str(text).map_err(|error| unreadable(&error))?;
    raw.into_iter().map(command).collect()
}

fn unreadable(error: &serde_json::Error) -> Stall {
    Stall::new(StallCode::DecodeFailed, format!("the host's answer cannot be read: {error}"))
}

/// The token alone, where the rest of an item cannot be read.
fn token(text: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Token {
        t: String,
    }
    serde_json::from_str::<Token>(text).ok().map(|item| item.t)
}

fn turn(text: &str) -> Option<TurnAnswer> {
    #[derive(Deserialize)]
    struct Turn<'a> {
        t: String,
        #[serde(borrow, default)]
        steps: Option<Vec<RawStep<'a>>>,
        #[serde(default)]
        stall: Option<RawStall>,
    }
    let raw: Turn<'_> = match serde_json::from_str(text) {
        Ok(raw) => raw,
        Err(error) => return Some(TurnAnswer { token: token(text)?, steps: Err(unreadable(&error)) }),
    };
    let steps = match (raw.steps, raw.stall) {
        (_, Some(stall)) => Err(stall.into_stall()),
        (Some(steps), None) => {
            steps.into_iter().map(|RawStep(step)| step.into_iter().map(command).collect()).collect()
        }
        (None, None) => Err(Stall::invalid("the answer to a workflow task has neither steps nor stall")),
    };
    Some(TurnAnswer { token: raw.t, steps })
}

fn activity(text: &str) -> Option<ActivityAnswer> {
    #[derive(Deserialize)]
    struct Activity<'a> {
        t: String,
        #[serde(borrow, default, deserialize_with = "present")]
        value: Option<&'a RawValue>,
        #[serde(default)]
        value_text: Option<String>,
        #[serde(borrow, default)]
        error: Option<RawError<'a>>,
    }
    let raw: Activity<'_> = match serde_json::from_str(text) {
        Ok(raw) => raw,
        Err(error) => {
            let message = format!("the host's answer cannot be read: {error}");
            let error = TaskError::new("DecodeError", ErrorKind::DecodeFailed, message);
            return Some(ActivityAnswer { token: token(text)?, result: Err(error) });
        }
    };
    let result = match raw.error {
        Some(error) => Err(error.into_error(0)),
        None => Ok(payload(raw.value, raw.value_text)),
    };
    Some(ActivityAnswer { token: raw.t, result })
}

/// Keeps a JSON `null` apart from an absent key.
fn present<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

fn payload(raw: Option<&RawValue>, text: Option<String>) -> Payload {
    text.or_else(|| raw.map(|raw| raw.get().to_owned()))
}

#[derive(Deserialize)]
struct RawStall {
    code: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    stack: Option<String>,
}

impl RawStall {
    fn into_stall(self) -> Stall {
        match StallCode::from_code(&self.code) {
            Some(code) => Stall { stack: self.stack, ..Stall::new(code, self.message) },
            None => {
                let message =
                    format!("the host stalled with the unknown code {:?}: {}", self.code, self.message);
                Stall { stack: self.stack, ..Stall::invalid(message) }
            }
        }
    }
}

#[derive(Deserialize)]
struct RawError<'a> {
    #[serde(rename = "type", default)]
    error_type: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    stack: Option<String>,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    retryable: Option<bool>,
    #[serde(borrow, default, deserialize_with = "present")]
    data: Option<&'a RawValue>,
    #[serde(default)]
    data_text: Option<String>,
    #[serde(borrow, default)]
    cause: Option<&'a RawValue>,
}

impl RawError<'_> {
    /// The chain is cut at [`MAX_CAUSES`]; a cause that cannot be read ends it.
    fn into_error(self, depth: usize) -> TaskError {
        let cause = self.cause.filter(|_| depth < MAX_CAUSES);
        let cause = cause.and_then(|raw| serde_json::from_str::<RawError<'_>>(raw.get()).ok());
        TaskError {
            error_type: self.error_type,
            message: self.message,
            stack: self.stack,
            code: self.code,
            retryable: self.retryable.unwrap_or(true),
            data: payload(self.data, self.data_text),
            cause: cause.map(|cause| Box::new(cause.into_error(depth + 1))),
        }
    }
}

#[derive(Deserialize)]
struct RawRetry {
    #[serde(default)]
    max_attempts: Option<u32>,
    #[serde(default)]
    first_interval_ms: Option<u64>,
    #[serde(default)]
    backoff: Option<f64>,
    #[serde(default)]
    max_interval_ms: Option<u64>,
    #[serde(default)]
    total_timeout_ms: Option<u64>,
    #[serde(default)]
    non_retryable: Vec<String>,
}

impl RawRetry {
    fn policy(self) -> std::result::Result<RetryPolicy, Stall> {
        let default = RetryPolicy::default();
        let policy = RetryPolicy {
            max_attempts: self.max_attempts,
            first_interval: self.first_interval_ms.map_or(default.first_interval, Duration::from_millis),
            backoff: self.backoff.unwrap_or(default.backoff),
            max_interval: self.max_interval_ms.map_or(default.max_interval, Duration::from_millis),
            total_timeout: self.total_timeout_ms.map(Duration::from_millis),
            non_retryable: self.non_retryable,
        };
        policy.validate().map_err(|error| Stall::invalid(error.message()))?;
        Ok(policy)
    }
}

/// Every field that a command may have; the kind says which count.
#[derive(Deserialize)]
struct RawCommand<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(rename = "ref", default)]
    reference: Option<Ref>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    id: Option<String>,
    #[serde(borrow, default, deserialize_with = "present")]
    input: Option<&'a RawValue>,
    #[serde(default)]
    input_text: Option<String>,
    #[serde(default)]
    retry: Option<Box<RawRetry>>,
    #[serde(default)]
    timeout_ms: Option<i64>,
    #[serde(default)]
    after_ms: Option<i64>,
    #[serde(default)]
    at_ms: Option<i64>,
    #[serde(default)]
    app: Option<String>,
    #[serde(default)]
    detached: bool,
    #[serde(borrow, default, deserialize_with = "present")]
    data: Option<&'a RawValue>,
    #[serde(default)]
    data_text: Option<String>,
    #[serde(borrow, default, deserialize_with = "present")]
    status: Option<&'a RawValue>,
    #[serde(default)]
    status_text: Option<String>,
    #[serde(borrow, default, deserialize_with = "present")]
    output: Option<&'a RawValue>,
    #[serde(default)]
    output_text: Option<String>,
    #[serde(default)]
    keep_events: Option<bool>,
    #[serde(borrow, default)]
    error: Option<Box<RawError<'a>>>,
}

/// The commands of a step. Most have one: the list grows from room for one on, since a `Vec` takes room for four by itself.
struct RawStep<'a>(Vec<RawCommand<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for RawStep<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Commands;

        impl<'de> Visitor<'de> for Commands {
            type Value = Vec<RawCommand<'de>>;

            fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str("a sequence")
            }

            fn visit_seq<A: SeqAccess<'de>>(
                self,
                mut items: A,
            ) -> std::result::Result<Self::Value, A::Error> {
                let mut commands = Vec::new();
                while let Some(command) = items.next_element()? {
                    if commands.len() == commands.capacity() {
                        commands.reserve_exact(commands.len().max(1));
                    }
                    commands.push(command);
                }
                Ok(commands)
            }
        }

        deserializer.deserialize_seq(Commands).map(RawStep)
    }
}

fn need<T>(kind: &str, field: &str, value: Option<T>) -> std::result::Result<T, Stall> {
    value.ok_or_else(|| Stall::invalid(format!("the command {kind:?} has no {field:?}")))
}

fn command(raw: RawCommand<'_>) -> std::result::Result<Command, Stall> {
    let kind = &*raw.kind;
    let reference = || need(kind, "ref", raw.reference.filter(|reference| *reference > 0));
    let name = || need(kind, "name", raw.name.clone().filter(|name| !name.is_empty()));
    Ok(match kind {
        "activity" => Command::Activity {
            reference: reference()?,
            name: name()?,
            input: payload(raw.input, raw.input_text),
            retry: raw.retry.map(|retry| retry.policy()).transpose()?,
            timeout_ms: raw.timeout_ms,
            app: raw.app,
        },
        "child" => Command::Child {
            reference: reference()?,
            name: name()?,
            version: raw.version.clone().filter(|version| !version.is_empty()),
            input: payload(raw.input, raw.input_text),
            id: raw.id,
            retry: raw.retry.map(|retry| retry.policy()).transpose()?,
            app: raw.app,
            detached: raw.detached,
        },
        "timer" => {
            let due = raw.after_ms.map(Due::After).or(raw.at_ms.map(Due::At));
            Command::Timer { reference: reference()?, due: need(kind, "after_ms", due)? }
        }
        "event" => Command::Event { reference: reference()?, name: name()?, timeout_ms: raw.timeout_ms },
        "cancel" => Command::Cancel { reference: reference()? },
        "send" => {
            let id = need(kind, "id", raw.id.clone().filter(|id| !id.is_empty()))?;
            Command::Send { id, name: name()?, data: payload(raw.data, raw.data_text) }
        }
        "status" => Command::Status { status: payload(raw.status, raw.status_text) },
        "patch" => Command::Patch { name: name()? },
        "complete" => Command::Complete { output: payload(raw.output, raw.output_text) },
        "continue" => Command::Continue {
            input: payload(raw.input, raw.input_text),
            keep_events: raw.keep_events.unwrap_or(true),
        },
        "fail" => Command::Fail { error: need(kind, "error", raw.error)?.into_error(0) },
        _ => return Err(Stall::invalid(format!("the command kind {kind:?} is unknown"))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_item_leaves_the_others() {
        let text = r#"{"v":1,"turns":[
            {"t":"a","steps":[[{"kind":"timer","ref":1,"after_ms":5}]]},
            {"t":"b","steps":[[{"kind":"fly","ref":1}]]},
            {"t":"c","steps":[[{"kind":"timer","ref":"x"}]]},
            {"t":"d"},
            {"steps":[]},
            {"t":"e","stall":{"code":"non_durable","message":"await","stack":"s"}}],
            "activities":[{"t":"f","value":null},{"t":"g"},{"t":"h","error":7},{"t":"i","value_text":"NaN"}]}"#;
        let answer = read_completion(text).unwrap();
        let codes: Vec<_> = answer
            .turns
            .iter()
            .map(|turn| (turn.token.as_str(), turn.steps.as_ref().err().map(|stall| stall.code)))
            .collect();
        assert_eq!(
            codes,
            [
                ("a", None),
                ("b", Some(StallCode::InvalidArgument)),
                ("c", Some(StallCode::DecodeFailed)),
                ("d", Some(StallCode::InvalidArgument)),
                ("e", Some(StallCode::NonDurable)),
            ]
        );
        assert_eq!(answer.activities[0].result, Ok(Some("null".into())));
        assert_eq!(answer.activities[1].result, Ok(None));
        assert_eq!(answer.activities[2].result.as_ref().unwrap_err().code.as_deref(), Some("decode_failed"));
        assert_eq!(answer.activities[3].result, Ok(Some("NaN".into())));
        assert_eq!(read_completion("[").unwrap_err().kind(), ErrorKind::DecodeFailed);
    }

    #[test]
    fn payloads_pass_as_they_are() {
        let step = read_step(
            r#"[{"kind":"status","status":{"a": 1.50}},{"kind":"complete","output_text":""},
            {"kind":"complete"},{"kind":"continue","input":null,"keep_events":false}]"#,
        );
        assert_eq!(
            step.unwrap(),
            [
                Command::Status { status: Some("{\"a\": 1.50}".into()) },
                Command::Complete { output: Some(String::new()) },
                Command::Complete { output: None },
                Command::Continue { input: Some("null".into()), keep_events: false },
            ]
        );
    }

    #[test]
    fn commands_without_what_they_need_are_refused() {
        for bad in [
            r#"[{"kind":"activity","name":"a"}]"#,
            r#"[{"kind":"activity","ref":0,"name":"a"}]"#,
            r#"[{"kind":"activity","ref":1,"name":""}]"#,
            r#"[{"kind":"timer","ref":1}]"#,
            r#"[{"kind":"send","name":"x"}]"#,
            r#"[{"kind":"fail"}]"#,
            r#"[{"kind":"activity","ref":1,"name":"a","retry":{"max_attempts":0}}]"#,
            r#"[{"kind":"activity","ref":1,"name":"a","retry":{"backoff":0.1}}]"#,
        ] {
            assert_eq!(read_step(bad).unwrap_err().code, StallCode::InvalidArgument, "{bad}");
        }
    }

    #[test]
    fn an_endless_chain_of_causes_is_cut() {
        let depth = 100;
        let error = "{\"type\":\"E\",\"message\":\"m\",\"cause\":".repeat(depth)
            + "{\"type\":\"E\"}"
            + &"}".repeat(depth);
        let step = read_step(&format!("[{{\"kind\":\"fail\",\"error\":{error}}}]")).unwrap();
        let Command::Fail { error } = &step[0] else { panic!("not a failure") };
        let chain = std::iter::successors(Some(error), |error| error.cause.as_deref()).count();
        assert_eq!(chain, MAX_CAUSES + 1);
    }
}
