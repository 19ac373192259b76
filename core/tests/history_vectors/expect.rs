//! What the readable rows of a vector say that the view must be. Every field of a row must be used, so that nothing
//! of a recording goes unread.

use everstep::history::{HistoryEvent, Parent, TimerOrigin, wire};
use everstep::model::{Failure, Micros, RuntimeStatus};
use serde_json::{Map, Value};

use crate::vectors::{instant, items, text};

/// The view of a readable row, without counterpart.
pub fn view(row: &Value) -> HistoryEvent {
    let mut view = HistoryEvent::default();
    let kind = text(&row["kind"]);
    view.event_id = i32::try_from(row["eventId"].as_i64().unwrap()).unwrap();
    view.timestamp = Some(micros(&row["timestamp"]));
    if let Some(router) = row.get("router") {
        view.source_app_id = text_of(router, "sourceAppID");
        view.target_app_id = text_of(router, "targetAppID");
    }
    left_out(&mut view, kind);
    for (field, value) in object(&row["fields"]) {
        fill(&mut view, kind, field, value);
    }
    view.kind = name(kind);
    view
}

/// Zero numbers, false and the first value of an enum are left out of the readable rows.
fn left_out(view: &mut HistoryEvent, kind: &str) {
    match kind {
        "taskCompleted" | "taskFailed" | "timerFired" => view.task_id = Some(0),
        "childWorkflowInstanceCompleted" | "childWorkflowInstanceFailed" => view.task_id = Some(0),
        "executionTerminated" => view.recurse = Some(false),
        "executionCompleted" => view.status = Some(RuntimeStatus::Running),
        "executionStalled" => view.stalled_reason = Some("PATCH_MISMATCH"),
        _ => {}
    }
}

fn fill(view: &mut HistoryEvent, kind: &str, field: &str, value: &Value) {
    let string = || Some(text(value).to_owned());
    match (kind, field) {
        (_, "name") => view.name = string(),
        (_, "input") => view.input = string(),
        (_, "result") => view.result = string(),
        (_, "instanceId") => view.instance_id = string(),
        (_, "taskExecutionId") => view.task_execution_id = string(),
        (_, "description") => view.description = string(),
        (_, "failureDetails") => view.failure = Some(failure(value)),
        (_, "taskScheduledId" | "timerId") => {
            view.task_id = Some(i32::try_from(value.as_i64().unwrap()).unwrap());
        }
        (_, "fireAt") => view.fire_at = Some(micros(value)),
        (_, "scheduledStartTimestamp") => view.start_at = Some(micros(value)),
        (_, "recurse") => view.recurse = value.as_bool(),
        (_, "workflowStatus") => view.status = Some(status(value)),
        (_, "rerunParentInstanceInfo") => view.rerun_of = text_of(value, "instanceID"),
        (_, "reason") => view.stalled_reason = Some(reason(text(value))),
        (_, "createTimer") => view.origin = Some(TimerOrigin::CreateTimer),
        (_, "externalEvent") => view.origin = text_of(value, "name").map(TimerOrigin::ExternalEvent),
        (_, "activityRetry") => {
            view.origin = text_of(value, "taskExecutionId").map(TimerOrigin::ActivityRetry);
        }
        (_, "childWorkflowRetry") => {
            view.origin = text_of(value, "instanceId").map(TimerOrigin::ChildWorkflowRetry);
        }
        ("executionStarted", "workflowInstance") => {
            view.instance_id = text_of(value, "instanceId");
            view.execution_id = text_of(value, "executionId");
        }
        ("executionStarted", "parentInstance") => view.parent = Some(parent(value)),
        ("workflowStarted", "version") => {
            view.version = text_of(value, "name");
            if let Some(patches) = value.get("patches") {
                view.patches = items(patches).iter().map(|patch| text(patch).to_owned()).collect();
            }
        }
        _ => panic!("the test does not know {field} of {kind}"),
    }
}

fn parent(value: &Value) -> Parent {
    let mut parent = Parent::default();
    for (field, value) in object(value) {
        match field.as_str() {
            "taskScheduledId" => parent.task_id = i32::try_from(value.as_i64().unwrap()).unwrap(),
            "name" => parent.name = Some(text(value).to_owned()),
            "appID" => parent.app_id = Some(text(value).to_owned()),
            "workflowInstance" => {
                parent.instance_id = text_of(value, "instanceId").unwrap();
                parent.execution_id = text_of(value, "executionId");
            }
            _ => panic!("the test does not know {field} of a parent"),
        }
    }
    parent
}

/// The state of a readable instance, as the message that carries it.
pub fn state(value: &Value) -> wire::WorkflowState {
    let mut state = wire::WorkflowState::default();
    for (field, value) in object(value) {
        let string = || Some(text(value).to_owned());
        let time = || Some(instant(text(value)));
        match field.as_str() {
            "instanceId" => state.instance_id = text(value).to_owned(),
            "name" => state.name = text(value).to_owned(),
            "version" => state.version = string(),
            "workflowStatus" => state.workflow_status = status(value).number(),
            "createdTimestamp" => state.created_timestamp = time(),
            "lastUpdatedTimestamp" => state.last_updated_timestamp = time(),
            "startedAt" => state.started_at = time(),
            "input" => state.input = string(),
            "output" => state.output = string(),
            "customStatus" => state.custom_status = string(),
            "failureDetails" => state.failure_details = Some((&failure(value)).into()),
            _ => panic!("the test does not know {field} of a state"),
        }
    }
    state
}

pub fn failure(value: &Value) -> Failure {
    let mut failure = Failure::default();
    for (field, value) in object(value) {
        match field.as_str() {
            "errorType" => failure.error_type = text(value).to_owned(),
            "errorMessage" => failure.message = text(value).to_owned(),
            "stackTrace" => failure.stack = Some(text(value).to_owned()),
            "isNonRetriable" => failure.non_retriable = value.as_bool().unwrap(),
            "innerFailure" => failure.cause = Some(Box::new(self::failure(value))),
            _ => panic!("the test does not know {field} of a failure"),
        }
    }
    failure
}

pub fn status(value: &Value) -> RuntimeStatus {
    let name = text(value).strip_prefix("ORCHESTRATION_STATUS_").expect("the protocol's name of a status");
    RuntimeStatus::from_name(name).unwrap_or_else(|| panic!("{name} is no status"))
}

fn reason(name: &str) -> &'static str {
    wire::StalledReason::from_str_name(name).expect("a reason").as_str_name()
}

/// The kind's name begins with a capital in the view.
pub fn name(kind: &str) -> &'static str {
    let capital = kind[..1].to_uppercase() + &kind[1..];
    Box::leak(capital.into_boxed_str())
}

pub fn micros(value: &Value) -> Micros {
    let exact = instant(text(value));
    Micros(exact.seconds * 1_000_000 + i64::from(exact.nanos / 1000))
}

pub fn text_of(value: &Value, field: &str) -> Option<String> {
    value.get(field).map(|value| text(value).to_owned())
}

pub fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap_or_else(|| panic!("{value} is no object"))
}
