//! Whether what came is what was expected.

use everstep::Error;
use everstep::history::{Event, HistoryTree};
use everstep::model::{Failure, Payload, WorkflowState};
use serde_json::Value;

use super::case::{ExpectedError, ExpectedFailure, Kinds, State, Watched};

pub(crate) type Check = Result<(), String>;

/// An absent payload and `""` read as null.
pub(crate) fn decoded(payload: &Payload) -> Value {
    match payload.as_deref() {
        None | Some("") => Value::Null,
        Some(text) => {
            serde_json::from_str(text).unwrap_or_else(|_| Value::String(format!("not JSON: {text}")))
        }
    }
}

#[allow(clippy::needless_pass_by_value, reason = "what is compared is often made on the spot")]
fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: T, expected: T) -> Check {
    if found == expected {
        return Ok(());
    }
    let short = |value: &T| format!("{value:?}").chars().take(300).collect::<String>();
    Err(format!("{what} is {} and should be {}", short(&found), short(&expected)))
}

pub(crate) fn payload(what: &str, found: &Payload, expected: &Value) -> Check {
    let found = decoded(found);
    if let Some(parent) = expected.get("$default_child_of").and_then(Value::as_str) {
        let suffix =
            found.as_str().and_then(|id| id.strip_prefix(parent)).and_then(|rest| rest.strip_prefix(':'));
        let hex = |text: &str| {
            text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        return if suffix.is_some_and(hex) {
            Ok(())
        } else {
            Err(format!("{what} {found} is no child's ID"))
        };
    }
    same(what, &found, expected)
}

pub(crate) fn state(found: &WorkflowState, expected: &State) -> Check {
    let status = expected.status.as_deref();
    status.map_or(Ok(()), |status| {
        same("the status", found.status.name(), status)
            .map_err(|error| format!("{error} (failure {:?}, reason {:?})", found.failure, found.reason))
    })?;
    expected.name.as_deref().map_or(Ok(()), |name| same("the name", found.name.as_str(), name))?;
    expected.input.as_ref().map_or(Ok(()), |input| payload("the input", &found.input, input))?;
    if expected.input_absent {
        same("the input", &found.input, &None)?;
    }
    expected.output.as_ref().map_or(Ok(()), |output| payload("the output", &found.output, output))?;
    expected
        .custom_status
        .as_ref()
        .map_or(Ok(()), |status| payload("the custom status", &found.custom_status, status))?;
    expected.started.map_or(Ok(()), |started| same("started", found.started_at.is_some(), started))?;
    expected
        .completed
        .map_or(Ok(()), |completed| same("completed", found.completed_at.is_some(), completed))?;
    let version = found.version.as_deref().map_or(Value::Null, Value::from);
    expected.version.as_ref().map_or(Ok(()), |expected| same("the version", &version, expected))?;
    let reason = found.reason.as_deref().unwrap_or_default();
    if let Some(missed) = expected.reason_names.iter().find(|text| !reason.contains(text.as_str())) {
        return Err(format!("the reason does not name {missed:?}: {reason:?}"));
    }
    expected.has_reason.map_or(Ok(()), |reason| same("has a reason", found.reason.is_some(), reason))?;
    let parent = expected.parent.as_deref();
    parent.map_or(Ok(()), |parent| same("the parent", found.parent_instance_id.as_deref(), Some(parent)))?;
    expected.tags.as_ref().map_or(Ok(()), |tags| same("the tags", &found.tags, tags))?;
    expected.failure.as_ref().map_or(Ok(()), |expected| failure(found.failure.as_ref(), expected))
}

pub(crate) fn failure(found: Option<&Failure>, expected: &ExpectedFailure) -> Check {
    let found = found.ok_or("there is no failure")?;
    let error_type = expected.error_type.as_deref();
    error_type.map_or(Ok(()), |name| same("the failure's type", found.error_type.as_str(), name))?;
    let message = expected.message.as_deref();
    message.map_or(Ok(()), |message| same("the failure's message", found.message.as_str(), message))?;
    let cause = expected.cause.as_deref();
    cause.map_or(Ok(()), |cause| failure(found.cause.as_deref(), cause))
}

/// Whether a call went as expected: an expected error must come, and no other may.
pub(crate) fn outcome<T>(
    found: Result<T, Error>,
    expected: Option<&ExpectedError>,
    check: impl FnOnce(T) -> Check,
) -> Check {
    match (found, expected) {
        (Ok(value), None) => check(value),
        (Ok(_), Some(expected)) => Err(format!("it succeeded and should be {}", expected.code)),
        (Err(error), None) => Err(format!("it is {}: {error}", error.code())),
        (Err(error), Some(expected)) => {
            same("the code", error.code(), &expected.code).map_err(|text| format!("{text}: {error}"))?;
            expected.failure.as_ref().map_or(Ok(()), |expected| failure(error.failure(), expected))
        }
    }
}

pub(crate) fn kinds(found: &[Event], expected: &Kinds) -> Check {
    // WorkflowStarted says only how turns were cut, which is the engine's business.
    let mut found: Vec<&str> =
        found.iter().map(Event::kind).filter(|kind| *kind != "WorkflowStarted").collect();
    let mut expected_kinds: Vec<&str> = expected.kinds.iter().map(String::as_str).collect();
    if expected.order.as_deref() == Some("any") {
        found.sort_unstable();
        expected_kinds.sort_unstable();
    }
    same("the history", found, expected_kinds)
}

/// The names of all workflows below this one.
pub(crate) fn children(tree: &HistoryTree, mut expected: Vec<String>) -> Check {
    fn names(tree: &HistoryTree, found: &mut Vec<String>) {
        for child in tree.children.values() {
            let started = child.events.iter().find(|event| event.kind == "ExecutionStarted");
            found.extend(started.and_then(|event| event.name.clone()));
            names(child, found);
        }
    }
    let mut found = Vec::new();
    names(tree, &mut found);
    found.sort_unstable();
    expected.sort_unstable();
    same("the children", found, expected)
}

/// Each state of a watch is another one than the one before, and only the last may be final.
pub(crate) fn watched(found: &[WorkflowState], until: Option<&State>, expected: Option<&Watched>) -> Check {
    for pair in found.windows(2) {
        let bare = |state: &WorkflowState| {
            let mut state = state.clone();
            state.last_updated_at = state.created_at;
            state
        };
        if bare(&pair[0]) == bare(&pair[1]) || pair[0].status.is_terminal() {
            return Err(format!("a watch went on from {:?} to {:?}", pair[0], pair[1]));
        }
    }
    let last = found.last();
    if let Some(until) = until {
        state(last.ok_or("the watch gave nothing")?, until)?;
    } else if last.is_some_and(|last| !last.status.is_terminal()) {
        return Err(format!("the watch ended with {last:?}"));
    }
    let Some(expected) = expected else { return Ok(()) };
    if let Some(expected) = &expected.last {
        state(last.ok_or("the watch gave nothing")?, expected)?;
    }
    let Some(states) = &expected.states else { return Ok(()) };
    same("the number of states", found.len(), states.len())?;
    found.iter().zip(states).try_for_each(|(found, expected)| state(found, expected))
}
