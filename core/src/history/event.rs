//! The view of a history for programs: one plain struct per event, with the answers linked to what they answer.

use std::collections::{BTreeMap, HashMap};

use super::Event;
use crate::model::{Failure, Micros, Payload, RuntimeStatus};

/// One event of a history, as a program reads it. What a kind does not have is absent.
///
/// The kinds and the meaning of the fields are Dapr's; a kind that this version does not know is `Unknown` and keeps
/// its id, timestamp and app IDs. Times are rounded down to a microsecond.
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
    /// The place in the history of the counterpart: of the answer at what was scheduled, and the other way round.
    pub counterpart: Option<usize>,
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
}

/// What a timer is for.
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

/// Reads a history and links every answer with what it answers.
pub fn decode(events: &[Event]) -> Vec<HistoryEvent> {
    let mut decoded: Vec<HistoryEvent> = events.iter().map(HistoryEvent::from).collect();
    link(&mut decoded);
    decoded
}

/// What an answer looks for. Tasks, children and timers share one counter, but a damaged or foreign history must not
/// link across them.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Asked {
    Task,
    Child,
    Timer,
}

impl HistoryEvent {
    fn asks(&self) -> Option<(Asked, i32)> {
        let asked = match self.kind {
            "TaskScheduled" => Asked::Task,
            "ChildWorkflowInstanceCreated" => Asked::Child,
            "TimerCreated" => Asked::Timer,
            _ => return None,
        };
        Some((asked, self.event_id))
    }

    fn answers(&self) -> Option<(Asked, i32)> {
        let asked = match self.kind {
            "TaskCompleted" | "TaskFailed" => Asked::Task,
            "ChildWorkflowInstanceCompleted" | "ChildWorkflowInstanceFailed" => Asked::Child,
            "TimerFired" => Asked::Timer,
            _ => return None,
        };
        Some((asked, self.task_id?))
    }
}

/// Links within one run: ids begin again with each `ExecutionStarted`. Of several events with one id the latest
/// counts, and its counterpart is the first answer.
fn link(events: &mut [HistoryEvent]) {
    let mut asked = HashMap::new();
    for index in 0..events.len() {
        let event = &events[index];
        if event.kind == "ExecutionStarted" {
            asked.clear();
        } else if let Some(key) = event.asks() {
            asked.insert(key, index);
        } else if let Some(&question) = event.answers().as_ref().and_then(|key| asked.get(key)) {
            events[index].counterpart = Some(question);
            events[question].counterpart.get_or_insert(index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: &'static str, event_id: i32, task_id: Option<i32>) -> HistoryEvent {
        HistoryEvent { kind, event_id, task_id, ..HistoryEvent::default() }
    }

    fn links(events: &[(&'static str, i32, Option<i32>)]) -> Vec<Option<usize>> {
        let mut events: Vec<_> = events.iter().map(|(kind, id, task)| event(kind, *id, *task)).collect();
        link(&mut events);
        events.iter().map(|event| event.counterpart).collect()
    }

    #[test]
    fn an_answer_and_what_it_answers_point_at_each_other() {
        let links = links(&[
            ("TaskScheduled", 0, None),
            ("TimerCreated", 1, None),
            ("ChildWorkflowInstanceCreated", 2, None),
            ("ChildWorkflowInstanceFailed", -1, Some(2)),
            ("TaskCompleted", -1, Some(0)),
            ("TimerFired", -1, Some(1)),
        ]);
        assert_eq!(links, [Some(4), Some(5), Some(3), Some(2), Some(0), Some(1)]);
    }

    #[test]
    fn the_first_answer_counts_and_a_later_one_still_finds_its_question() {
        let links =
            links(&[("TaskScheduled", 1, None), ("TaskFailed", -1, Some(1)), ("TaskCompleted", -1, Some(1))]);
        assert_eq!(links, [Some(1), Some(0), Some(0)]);
    }

    #[test]
    fn nothing_links_across_kinds_runs_or_without_a_question() {
        let links = links(&[
            ("TimerCreated", 1, None),
            ("TaskCompleted", -1, Some(1)),
            ("ExecutionStarted", -1, None),
            ("TimerFired", -1, Some(1)),
        ]);
        assert_eq!(links, [None, None, None, None]);
    }
}
