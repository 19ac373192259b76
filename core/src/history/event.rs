//! The view of a history for programs: one plain struct per event, with the answers linked to what they answer.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Event;
use super::links::link;
use crate::model::{Failure, Micros, Payload, RuntimeStatus};

/// One event of a history, as a program reads it. What a kind does not have is absent.
///
/// The kinds and the meaning of the fields are Dapr's; a kind that this version does not know is `Unknown` and keeps
/// its id, timestamp and app IDs. Times are rounded down to a microsecond. What only the other events of a history tell
/// (`turn`, `counterpart`, `duration`, `first_attempt`, `timer_use`, `serves`, `given_up`, an answer's `name` and
/// `instance_id`, an `attempt` that the event does not say) is there after [`decode`].
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct HistoryEvent {
    /// What happened, for example `TaskScheduled`.
    pub kind: &'static str,
    /// The action's id for what the workflow asked for, else -1.
    pub event_id: i32,
    /// When it happened. Timestamps of a history do not only rise.
    pub timestamp: Option<Micros>,
    /// The app that the event comes from.
    pub source_app_id: Option<String>,
    /// The app that it goes to.
    pub target_app_id: Option<String>,
    /// The namespace of the app that it goes to.
    pub target_app_namespace: Option<String>,
    /// The number of the turn that it was written with, from 1; 0 before the first `WorkflowStarted`.
    pub turn: u32,
    /// The place in the history of the counterpart: of the answer at what was scheduled, and the other way round. Events
    /// raised and the timers of the waits that took them, pauses and resumes, start and end of the run are such pairs too.
    pub counterpart: Option<usize>,
    /// The time between the two of a pair, said at both; absent where the timestamps fall or are those of no clock.
    pub duration: Option<Duration>,
    /// Of a further attempt of a call: the place of its first one.
    pub first_attempt: Option<usize>,
    /// What a timer is for, by everything that the history says of it.
    pub timer_use: Option<TimerUse>,
    /// Of a timer: the place of the attempt that it limits, or that failed before it.
    pub serves: Option<usize>,
    /// Of a timer or an activity that nobody waits for any more: the place of the turn that gave it up.
    pub given_up: Option<usize>,
    /// `taskScheduledId` or `timerId`: the id of the event that this one answers.
    pub task_id: Option<i32>,
    /// The name of the workflow, activity, timer or event.
    pub name: Option<String>,
    /// The named version.
    pub version: Option<String>,
    /// The input; of a pause or resume its reason, of a termination the output.
    pub input: Payload,
    /// The result.
    pub result: Payload,
    /// What it failed with. A child that was terminated fails without it.
    pub failure: Option<Failure>,
    /// The status that the workflow ended with.
    pub status: Option<RuntimeStatus>,
    /// The instance started, created or addressed.
    pub instance_id: Option<String>,
    /// The execution ID of that instance.
    pub execution_id: Option<String>,
    /// The execution ID of the run's first generation, where this one continues it.
    pub first_execution_id: Option<String>,
    /// The instance that started this one.
    pub parent: Option<Parent>,
    /// The ID of an activity's execution.
    pub task_execution_id: Option<String>,
    /// When a timer is due.
    pub fire_at: Option<Micros>,
    /// What a timer is for, if the worker said it.
    pub origin: Option<TimerOrigin>,
    /// The earliest time of the first turn.
    pub start_at: Option<Micros>,
    /// Whether a termination includes the children.
    pub recurse: Option<bool>,
    /// Why the workflow stalled: Dapr's name of the reason, or `UNKNOWN`.
    pub stalled_reason: Option<&'static str>,
    /// The stall in words.
    pub description: Option<String>,
    /// What the workflow's code stalled with.
    pub stall: Option<Stall>,
    /// The patches that the turn saw first.
    pub patches: Vec<String>,
    /// Labels.
    pub tags: BTreeMap<String, String>,
    /// The instance that this event or this instance repeats.
    pub rerun_of: Option<String>,
    /// The instance of the child's first attempt.
    pub retry_of: Option<String>,
    /// Whether a created workflow is no child of its creator.
    pub detached: bool,
    /// The W3C trace parent.
    pub trace_parent: Option<String>,
    /// The W3C trace state.
    pub trace_state: Option<String>,
    /// The ID of the workflow's own span.
    pub span_id: Option<String>,
    /// How much of the history the callee gets to see: Dapr's name of the scope.
    pub propagation: Option<&'static str>,
    /// The number by which the workflow's code knows the call, within its run.
    pub call: Option<u32>,
    /// The attempt of the call, from 1.
    pub attempt: Option<i32>,
    /// The activity's timeout in milliseconds.
    pub timeout_millis: Option<i64>,
    /// The custom status after the turn, if the turn set it.
    pub custom_status: Payload,
    /// Whether the turn removed the custom status.
    pub clears_custom_status: bool,
    /// Ids of the timers that the turn disarmed.
    pub cancelled_timers: Vec<i32>,
    /// Ids of the activities that the turn gave up.
    pub cancelled_tasks: Vec<i32>,
}

/// The instance that started another one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parent {
    /// Its instance ID.
    pub instance_id: String,
    /// Its execution ID, where it is known.
    pub execution_id: Option<String>,
    /// The workflow's name.
    pub name: Option<String>,
    /// The named version.
    pub version: Option<String>,
    /// The id of the event that created the child.
    pub task_id: i32,
    /// The app it runs in.
    pub app_id: Option<String>,
    /// The namespace of that app.
    pub app_namespace: Option<String>,
}

/// What a timer is for, as its worker said it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimerOrigin {
    /// The workflow asked for a timer.
    CreateTimer,
    /// The workflow waits for the event of this name.
    ExternalEvent(String),
    /// The delay before the next attempt of the activity with this execution ID.
    ActivityRetry(String),
    /// The delay before the next attempt of the child with this instance ID.
    ChildWorkflowRetry(String),
}

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimerUse {
    /// The workflow asked for it.
    Sleep,
    /// It ends a wait for an event.
    EventTimeout,
    /// It limits an attempt of an activity.
    ActivityTimeout,
    /// It is the pause before the next attempt of an activity or a child.
    Retry,
}

impl TimerUse {
    /// Its name: `sleep`, `event_timeout`, `activity_timeout`, `retry`.
    pub const fn name(self) -> &'static str {
        match self {
            TimerUse::Sleep => "sleep",
            TimerUse::EventTimeout => "event_timeout",
            TimerUse::ActivityTimeout => "activity_timeout",
            TimerUse::Retry => "retry",
        }
    }
}

/// What a workflow's code stalled with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stall {
    /// The code of the error.
    pub code: String,
    /// The message.
    pub message: String,
    /// The stack, if there is one.
    pub stack: Option<String>,
    /// The event of the history concerned, counted from 0.
    pub event_index: i32,
}

/// Reads a history and links its events with each other.
pub fn decode(events: &[Event]) -> Vec<HistoryEvent> {
    let mut decoded: Vec<HistoryEvent> = events.iter().map(HistoryEvent::from).collect();
    link(&mut decoded);
    decoded
}
