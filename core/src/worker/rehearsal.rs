//! A recorded history through the code of a worker: what would stall after a deployment is found before it.
//!
//! Nothing of the engine takes part. A history that has not ended is all past, and the turn after it brings no news: replay checks
//! everything that was asked for. One that has ended is rebuilt up to its last turn, which then runs again, and what it asks for is
//! compared with what is recorded.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::replay::Dialect;
use super::source::{Session, TaskSource, TurnOutcome};
use super::{Worker, replay};
use crate::bridge::Stall;
use crate::engine::store::Key;
use crate::engine::task::{ActivityKey, ActivityResult, RunKey, TurnResult, Version, WorkflowTask};
use crate::engine::{Abilities, ActivityWork, Bell, WorkflowWork};
use crate::error::Result;
use crate::history::wire::history_event::EventType;
use crate::history::wire::workflow_action::WorkflowActionType as Action;
use crate::history::{Event, wire};

/// The one turn of a rehearsal, and what came of it.
pub struct Rehearsal {
    task: Mutex<Option<WorkflowTask>>,
    past: Vec<Event>,
    dialect: Dialect,
    /// What the last turn of an ended history asked for; absent while the history has not ended.
    recorded: Option<BTreeSet<Asked>>,
    outcome: Mutex<Option<std::result::Result<(), Stall>>>,
}

/// Something that a turn asked for: id, kind, name.
type Asked = (i32, &'static str, String);

impl Worker {
    /// Opens a worker that has this history as its only task, and no activities. Poll it once with a timeout of zero after each
    /// answer, until it gives nothing; then see [`Rehearsal::outcome`].
    ///
    /// # Errors
    /// `invalid_argument` for a bad open request.
    pub fn rehearse(
        instance_id: &str,
        events: Vec<Event>,
        open: &str,
        max_payload: usize,
    ) -> Result<(Worker, Arc<Rehearsal>)> {
        let rehearsal = Arc::new(Rehearsal::new(instance_id, events));
        let (worker, _) = Worker::join(&Source(rehearsal.clone()), open, max_payload)?;
        Ok((worker, rehearsal))
    }
}

impl Rehearsal {
    fn new(instance_id: &str, events: Vec<Event>) -> Rehearsal {
        let (name, execution_id, version) = facts(&events);
        let dialect = dialect(&events);
        let mut turns = turns(events);
        // The engine writes the end of a terminated run by itself.
        while turns.last().is_some_and(|turn| turn.iter().any(|event| event.kind() == "ExecutionTerminated"))
        {
            turns.pop();
        }
        let ended =
            turns.last().is_some_and(|turn| turn.iter().any(|event| event.kind() == "ExecutionCompleted"));
        let last = if ended { turns.pop().unwrap_or_default() } else { Vec::new() };
        let recorded = ended.then(|| last.iter().filter_map(recorded).collect());
        let begins =
            last.first().or_else(|| turns.last().and_then(|turn| turn.first())).map(Event::timestamp);
        let past: Vec<Event> = turns.into_iter().flatten().collect();
        let task = begins.map(|time| WorkflowTask {
            run: RunKey { key: Key(1), generation: 0 },
            token: 1,
            instance_id: Arc::from(instance_id),
            execution_id: Arc::from(execution_id),
            name: Arc::from(name),
            version: version.map_or(Version::Unversioned, |name| Version::Named(Arc::from(name))),
            turn: 1,
            has_past: !past.is_empty(),
            events: [started(time)].into_iter().chain(last.into_iter().skip(1).filter(is_news)).collect(),
        });
        // A run that has not begun has nothing to compare.
        let outcome = Mutex::new(task.is_none().then_some(Ok(())));
        Rehearsal { task: Mutex::new(task), past, dialect, recorded, outcome }
    }

    /// Whether the code fits the history; absent until the host has answered.
    pub fn outcome(&self) -> Option<std::result::Result<(), Stall>> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn judge(&self, result: &TurnResult) -> std::result::Result<(), Stall> {
        let Some(recorded) = &self.recorded else { return Ok(()) };
        let asked: BTreeSet<Asked> = result.actions.iter().filter_map(asked).collect();
        if let Some((id, kind, name)) = asked.difference(recorded).next() {
            let found =
                format!("the function asks for {kind} {name:?} as action {id}, where the history ends");
            return Err(replay::non_determinism(&found));
        }
        if let Some((id, kind, name)) = recorded.difference(&asked).next() {
            let found = format!(
                "action {id} is {kind} {name:?} in the history, but the function does not ask for it"
            );
            return Err(replay::non_determinism(&found));
        }
        if !result.finished {
            return Err(replay::non_determinism("the history ends, but the function goes on to wait"));
        }
        Ok(())
    }
}

/// Name, execution ID and version of a run.
fn facts(events: &[Event]) -> (String, String, Option<String>) {
    let mut version = None;
    for event in events {
        match event.message().event_type.as_ref() {
            Some(EventType::WorkflowStarted(turn)) if version.is_none() => {
                version = turn.version.as_ref().and_then(|version| version.name.clone());
            }
            Some(EventType::ExecutionStarted(start)) => {
                let run = start.workflow_instance.as_ref().and_then(|instance| instance.execution_id.clone());
                return (
                    start.name.clone(),
                    run.unwrap_or_default(),
                    version.or_else(|| start.version.clone()),
                );
            }
            _ => {}
        }
    }
    (String::new(), String::new(), version)
}

/// A Dapr runtime names its app on what a workflow asks for; the embedded engine has no apps.
fn dialect(events: &[Event]) -> Dialect {
    let names_an_app = |event: &Event| {
        event.message().router.as_ref().is_some_and(|router| !router.source_app_id.is_empty())
    };
    if events.iter().any(names_an_app) { Dialect::Dapr } else { Dialect::Own }
}

/// The events of each turn, which a `WorkflowStarted` begins. A stall is no turn.
fn turns(events: Vec<Event>) -> Vec<Vec<Event>> {
    let mut turns: Vec<Vec<Event>> = Vec::new();
    for event in events.into_iter().filter(|event| event.kind() != "ExecutionStalled") {
        match turns.last_mut() {
            Some(turn) if event.kind() != "WorkflowStarted" => turn.push(event),
            _ => turns.push(vec![event]),
        }
    }
    turns
}

fn started(time: crate::model::Micros) -> Event {
    let started = EventType::WorkflowStarted(wire::WorkflowStartedEvent::default());
    Event::new(wire::HistoryEvent {
        event_id: -1,
        timestamp: Some(wire::timestamp(time)),
        event_type: Some(started),
        ..wire::HistoryEvent::default()
    })
}

/// Whether the worker was given the event, and did not add it by its answer.
fn is_news(event: &Event) -> bool {
    recorded(event).is_none() && event.kind() != "ExecutionCompleted"
}

fn recorded(event: &Event) -> Option<Asked> {
    let id = event.message().event_id;
    Some(match event.message().event_type.as_ref()? {
        EventType::TaskScheduled(task) => (id, "activity", task.name.clone()),
        EventType::TimerCreated(_) => (id, "timer", String::new()),
        EventType::ChildWorkflowInstanceCreated(child) => (id, "child workflow", child.name.clone()),
        EventType::DetachedWorkflowInstanceCreated(_) => (id, "detached workflow", String::new()),
        EventType::EventSent(sent) => (id, "sent event", sent.name.clone()),
        _ => return None,
    })
}

fn asked(action: &wire::WorkflowAction) -> Option<Asked> {
    Some(match action.workflow_action_type.as_ref()? {
        Action::ScheduleTask(task) => (action.id, "activity", task.name.clone()),
        Action::CreateTimer(_) => (action.id, "timer", String::new()),
        Action::CreateChildWorkflow(child) => (action.id, "child workflow", child.name.clone()),
        Action::CreateDetachedWorkflow(_) => (action.id, "detached workflow", String::new()),
        Action::SendEvent(sent) => (action.id, "sent event", sent.name.clone()),
        _ => return None,
    })
}

struct Source(Arc<Rehearsal>);

impl TaskSource for Source {
    fn join(&self, _: Arc<Abilities>, _: Arc<dyn Bell>) -> Result<Arc<dyn Session>> {
        Ok(self.0.clone())
    }
}

impl Session for Rehearsal {
    fn take_turns(&self, max: usize) -> WorkflowWork {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        let tasks = if max > 0 { task.take().into_iter().collect() } else { Vec::new() };
        WorkflowWork { tasks, evictions: Vec::new() }
    }

    fn dialect(&self) -> Dialect {
        self.dialect
    }

    fn take_activities(&self, _: usize) -> ActivityWork {
        ActivityWork::default()
    }

    fn past(&self, _: &WorkflowTask) -> Result<Vec<Event>> {
        Ok(self.past.clone())
    }

    fn answer_turns(&self, answers: Vec<TurnOutcome>) {
        for answer in answers {
            let outcome = answer.outcome.and_then(|result| self.judge(&result));
            *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        }
    }

    fn answer_activities(&self, _: Vec<(ActivityKey, ActivityResult)>) {}

    fn give_back(&self, _: RunKey, _: u64) {}

    fn dropped(&self, _: RunKey) {}

    fn leave(&self) {}
}
