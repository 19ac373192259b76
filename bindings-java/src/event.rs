//! One event of a history.

use std::collections::HashMap;

use everstep::history::{HistoryEvent, TimerOrigin, TimerUse};

use crate::convert::micros;
use crate::error::{NativeFailure, chain};

/// What a timer is for, as the worker said it.
#[derive(uniffi::Record)]
pub struct NativeOrigin {
    pub kind: String,
    pub of: Option<String>,
}

/// Why a turn stalled.
#[derive(uniffi::Record)]
pub struct NativeStall {
    pub code: String,
    pub message: String,
    pub stack: Option<String>,
    pub event_index: i32,
}

/// An event. What its kind does not have is absent; times and durations are microseconds, places count from 0.
#[derive(uniffi::Record)]
pub struct NativeEvent {
    pub event_id: i32,
    pub kind: String,
    pub timestamp: Option<i64>,
    pub turn: u32,
    pub counterpart: Option<u32>,
    pub duration: Option<i64>,
    pub first_attempt: Option<u32>,
    pub timer_use: Option<String>,
    pub serves: Option<u32>,
    pub given_up: Option<u32>,
    pub said: NativeSaid,
}

/// What an event says.
#[derive(uniffi::Record)]
pub struct NativeSaid {
    pub source_app_id: Option<String>,
    pub target_app_id: Option<String>,
    pub target_app_namespace: Option<String>,
    pub task_id: Option<i32>,
    pub name: Option<String>,
    pub version: Option<String>,
    pub input: Option<String>,
    pub result: Option<String>,
    pub failure: Option<Vec<NativeFailure>>,
    pub status: Option<String>,
    pub instance_id: Option<String>,
    pub execution_id: Option<String>,
    pub first_execution_id: Option<String>,
    pub parent_instance_id: Option<String>,
    pub parent_task_id: Option<i32>,
    pub task_execution_id: Option<String>,
    pub fire_at: Option<i64>,
    pub origin: Option<NativeOrigin>,
    pub start_at: Option<i64>,
    pub recursive: Option<bool>,
    pub reason: Option<String>,
    pub description: Option<String>,
    pub stall: Option<NativeStall>,
    pub patches: Option<Vec<String>>,
    pub tags: Option<HashMap<String, String>>,
    pub rerun_of: Option<String>,
    pub retry_of: Option<String>,
    pub trace_parent: Option<String>,
    pub trace_state: Option<String>,
    pub span_id: Option<String>,
    pub propagation: Option<String>,
    pub call: Option<u32>,
    pub detached: Option<bool>,
    pub attempt: Option<i32>,
    pub timeout_ms: Option<i64>,
    pub custom_status: Option<String>,
    pub clears_custom_status: Option<bool>,
    pub cancelled_timers: Option<Vec<i32>>,
    pub cancelled_tasks: Option<Vec<i32>>,
}

fn place(index: Option<usize>) -> Option<u32> {
    index.and_then(|index| u32::try_from(index).ok())
}

fn some<T: Clone>(list: &[T]) -> Option<Vec<T>> {
    (!list.is_empty()).then(|| list.to_vec())
}

impl From<&HistoryEvent> for NativeEvent {
    fn from(event: &HistoryEvent) -> NativeEvent {
        NativeEvent {
            event_id: event.event_id,
            kind: event.kind.to_owned(),
            timestamp: event.timestamp.map(micros),
            turn: event.turn,
            counterpart: place(event.counterpart),
            duration: event.duration.map(|duration| duration.as_micros() as i64),
            first_attempt: place(event.first_attempt),
            timer_use: event.timer_use.map(|used| TimerUse::name(used).to_owned()),
            serves: place(event.serves),
            given_up: place(event.given_up),
            said: NativeSaid::from(event),
        }
    }
}

impl From<&HistoryEvent> for NativeSaid {
    fn from(event: &HistoryEvent) -> NativeSaid {
        NativeSaid {
            source_app_id: event.source_app_id.clone(),
            target_app_id: event.target_app_id.clone(),
            target_app_namespace: event.target_app_namespace.clone(),
            task_id: event.task_id,
            name: event.name.clone(),
            version: event.version.clone(),
            input: event.input.clone(),
            result: event.result.clone(),
            failure: event.failure.as_ref().map(chain),
            status: event.status.map(|status| status.name().to_owned()),
            instance_id: event.instance_id.clone(),
            execution_id: event.execution_id.clone(),
            first_execution_id: event.first_execution_id.clone(),
            parent_instance_id: event.parent.as_ref().map(|parent| parent.instance_id.clone()),
            parent_task_id: event.parent.as_ref().map(|parent| parent.task_id),
            task_execution_id: event.task_execution_id.clone(),
            fire_at: event.fire_at.map(micros),
            origin: event.origin.as_ref().map(origin),
            start_at: event.start_at.map(micros),
            recursive: event.recurse,
            reason: event.stalled_reason.map(str::to_owned),
            description: event.description.clone(),
            stall: event.stall.as_ref().map(|stall| NativeStall {
                code: stall.code.clone(),
                message: stall.message.clone(),
                stack: stall.stack.clone(),
                event_index: stall.event_index,
            }),
            patches: some(&event.patches),
            tags: (!event.tags.is_empty()).then(|| event.tags.clone().into_iter().collect()),
            rerun_of: event.rerun_of.clone(),
            retry_of: event.retry_of.clone(),
            trace_parent: event.trace_parent.clone(),
            trace_state: event.trace_state.clone(),
            span_id: event.span_id.clone(),
            propagation: event.propagation.map(str::to_owned),
            call: event.call,
            detached: event.detached.then_some(true),
            attempt: event.attempt,
            timeout_ms: event.timeout_millis,
            custom_status: event.custom_status.clone(),
            clears_custom_status: event.clears_custom_status.then_some(true),
            cancelled_timers: some(&event.cancelled_timers),
            cancelled_tasks: some(&event.cancelled_tasks),
        }
    }
}

fn origin(origin: &TimerOrigin) -> NativeOrigin {
    let (kind, of) = match origin {
        TimerOrigin::CreateTimer => ("createTimer", None),
        TimerOrigin::ExternalEvent(name) => ("externalEvent", Some(name)),
        TimerOrigin::ActivityRetry(id) => ("activityRetry", Some(id)),
        TimerOrigin::ChildWorkflowRetry(id) => ("childWorkflowRetry", Some(id)),
        _ => ("unknown", None),
    };
    NativeOrigin { kind: kind.to_owned(), of: of.cloned() }
}
