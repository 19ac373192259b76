//! One event of a history.

use everstep::history::{HistoryEvent, TimerOrigin, TimerUse};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::answer::{Text, some};

fn full<T>(list: &[T]) -> Option<&[T]> {
    (!list.is_empty()).then_some(list)
}

/// An event. What its kind does not have is absent; durations are microseconds, places count from 0.
impl Serialize for Text<'_, HistoryEvent> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let event = self.0;
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("eventId", &event.event_id)?;
        map.serialize_entry("kind", event.kind)?;
        some(&mut map, "timestamp", &event.timestamp.map(|time| time.0))?;
        map.serialize_entry("turn", &event.turn)?;
        some(&mut map, "counterpart", &event.counterpart)?;
        some(&mut map, "duration", &event.duration.map(|duration| duration.as_micros() as i64))?;
        some(&mut map, "firstAttempt", &event.first_attempt)?;
        some(&mut map, "timerUse", &event.timer_use.map(TimerUse::name))?;
        some(&mut map, "serves", &event.serves)?;
        some(&mut map, "givenUp", &event.given_up)?;
        map.serialize_entry("said", &Said(event))?;
        map.end()
    }
}

/// What an event says.
struct Said<'a>(&'a HistoryEvent);

impl Serialize for Said<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let event = self.0;
        let mut map = to.serialize_map(None)?;
        some(&mut map, "sourceAppId", &event.source_app_id)?;
        some(&mut map, "targetAppId", &event.target_app_id)?;
        some(&mut map, "targetAppNamespace", &event.target_app_namespace)?;
        some(&mut map, "taskId", &event.task_id)?;
        some(&mut map, "name", &event.name)?;
        some(&mut map, "version", &event.version)?;
        some(&mut map, "input", &event.input)?;
        some(&mut map, "result", &event.result)?;
        some(&mut map, "failure", &event.failure.as_ref().map(Text))?;
        some(&mut map, "status", &event.status.map(|status| status.name()))?;
        some(&mut map, "instanceId", &event.instance_id)?;
        some(&mut map, "executionId", &event.execution_id)?;
        some(&mut map, "firstExecutionId", &event.first_execution_id)?;
        some(&mut map, "parentInstanceId", &event.parent.as_ref().map(|parent| &parent.instance_id))?;
        some(&mut map, "parentTaskId", &event.parent.as_ref().map(|parent| parent.task_id))?;
        some(&mut map, "taskExecutionId", &event.task_execution_id)?;
        some(&mut map, "fireAt", &event.fire_at.map(|time| time.0))?;
        some(&mut map, "origin", &event.origin.as_ref().map(origin))?;
        some(&mut map, "startAt", &event.start_at.map(|time| time.0))?;
        some(&mut map, "recursive", &event.recurse)?;
        some(&mut map, "reason", &event.stalled_reason)?;
        some(&mut map, "description", &event.description)?;
        some(&mut map, "stall", &event.stall.as_ref().map(stall))?;
        some(&mut map, "patches", &full(&event.patches))?;
        some(&mut map, "tags", &(!event.tags.is_empty()).then_some(&event.tags))?;
        some(&mut map, "rerunOf", &event.rerun_of)?;
        some(&mut map, "retryOf", &event.retry_of)?;
        some(&mut map, "traceParent", &event.trace_parent)?;
        some(&mut map, "traceState", &event.trace_state)?;
        some(&mut map, "spanId", &event.span_id)?;
        some(&mut map, "propagation", &event.propagation)?;
        some(&mut map, "call", &event.call)?;
        some(&mut map, "detached", &event.detached.then_some(true))?;
        some(&mut map, "attempt", &event.attempt)?;
        some(&mut map, "timeoutMs", &event.timeout_millis)?;
        some(&mut map, "customStatus", &event.custom_status)?;
        some(&mut map, "clearsCustomStatus", &event.clears_custom_status.then_some(true))?;
        some(&mut map, "cancelledTimers", &full(&event.cancelled_timers))?;
        some(&mut map, "cancelledTasks", &full(&event.cancelled_tasks))?;
        map.end()
    }
}

/// Why a turn stalled.
fn stall(stall: &everstep::history::Stall) -> Value {
    let mut value = json!({ "code": stall.code, "message": stall.message, "eventIndex": stall.event_index });
    if let Some(stack) = &stall.stack {
        value["stack"] = json!(stack);
    }
    value
}

/// What a timer is for, as the worker said it.
fn origin(origin: &TimerOrigin) -> Value {
    let (kind, of) = match origin {
        TimerOrigin::CreateTimer => ("createTimer", None),
        TimerOrigin::ExternalEvent(name) => ("externalEvent", Some(name)),
        TimerOrigin::ActivityRetry(id) => ("activityRetry", Some(id)),
        TimerOrigin::ChildWorkflowRetry(id) => ("childWorkflowRetry", Some(id)),
        _ => ("unknown", None),
    };
    of.map_or_else(|| json!({ "kind": kind }), |of| json!({ "kind": kind, "of": of }))
}
