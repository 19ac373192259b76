//! A run with its host and its history.

use serde_json::{Value, json};

use crate::bridge::{Job, Stall};
use crate::history::Event;
use crate::history::wire::history_event::EventType;
use crate::history::wire::workflow_action::WorkflowActionType as Type;
use crate::history::wire::{self, create_timer_action, timer_created_event};
use crate::model::Micros;
use crate::testkit::host::Host;
use crate::worker::replay::{Dialect, Next, Replay, TurnResult};

pub(super) const INSTANCE: &str = "order-7";
pub(super) const RUN: &str = "33140b85-e1a9-46c1-b2e7-173ddaeba550";

/// A run: cached as long as `replay` stays, rebuilt from `turns` by [`Bench::forget`].
pub(super) struct Bench {
    body: Value,
    pub(super) host: Host,
    pub(super) replay: Replay,
    /// The committed turns.
    pub(super) turns: Vec<Vec<Event>>,
    /// The jobs of the last turn, as they were handed out: one list per answer.
    pub(super) batches: Vec<Vec<Job>>,
    pub(super) now: Micros,
    pub(super) max_bytes: usize,
}

pub(super) fn event(id: i32, at: Micros, kind: EventType) -> wire::HistoryEvent {
    wire::HistoryEvent {
        event_id: id,
        timestamp: Some(wire::timestamp(at)),
        event_type: Some(kind),
        ..Default::default()
    }
}

pub(super) fn started(input: Option<&str>) -> EventType {
    EventType::ExecutionStarted(Box::new(wire::ExecutionStartedEvent {
        name: "program".into(),
        input: input.map(str::to_owned),
        workflow_instance: Some(wire::WorkflowInstance {
            instance_id: INSTANCE.into(),
            execution_id: Some(RUN.into()),
        }),
        ..Default::default()
    }))
}

pub(super) fn done(id: i32, result: &str) -> EventType {
    EventType::TaskCompleted(wire::TaskCompletedEvent {
        task_scheduled_id: id,
        result: Some(result.into()),
        ..Default::default()
    })
}

pub(super) fn failed(id: i32, error_type: &str) -> EventType {
    let details = wire::TaskFailureDetails { error_type: error_type.into(), ..Default::default() };
    EventType::TaskFailed(wire::TaskFailedEvent {
        task_scheduled_id: id,
        failure_details: Some(details),
        ..Default::default()
    })
}

pub(super) fn fired(id: i32) -> EventType {
    EventType::TimerFired(wire::TimerFiredEvent { timer_id: id, fire_at: None })
}

pub(super) fn raised(name: &str, input: &str) -> EventType {
    EventType::EventRaised(wire::EventRaisedEvent { name: name.into(), input: Some(input.into()) })
}

pub(super) fn turn_started() -> EventType {
    EventType::WorkflowStarted(wire::WorkflowStartedEvent::default())
}

impl Bench {
    pub(super) fn new(body: Value) -> Bench {
        let mut bench = Bench {
            host: Host::new(),
            replay: Replay::new(INSTANCE),
            turns: Vec::new(),
            batches: Vec::new(),
            now: Micros::from_millis(1_000_000),
            max_bytes: 1 << 20,
            body: Value::Null,
        };
        bench.code(body);
        bench
    }

    /// Changes the code of the workflow; counts for the next rebuild.
    pub(super) fn code(&mut self, body: Value) {
        self.host.program(&json!({"name": "program", "body": body}));
        self.body = body;
    }

    /// Drops the cached instance, in the worker and in the host.
    pub(super) fn forget(&mut self) {
        self.forget_in(Dialect::Own);
    }

    pub(super) fn forget_in(&mut self, dialect: Dialect) {
        self.host.evict(INSTANCE, RUN);
        self.replay = Replay::new(INSTANCE);
        self.replay.speak(dialect);
        for turn in &self.turns {
            self.replay.past(turn.clone());
        }
    }

    pub(super) fn start(&mut self) -> TurnResult {
        self.turn(vec![started(Some("null"))])
    }

    pub(super) fn turn(&mut self, news: Vec<EventType>) -> TurnResult {
        self.try_turn(news).unwrap()
    }

    /// Runs one turn, a second later, and commits it.
    pub(super) fn try_turn(&mut self, news: Vec<EventType>) -> Result<TurnResult, Stall> {
        self.now = Micros(self.now.0 + 1_000_000);
        let mut events = vec![event(-1, self.now, turn_started())];
        events.extend(news.into_iter().map(|kind| event(-1, self.now, kind)));
        self.run(events.into_iter().map(Event::new).collect())
    }

    /// Runs a turn of these events and commits it.
    pub(super) fn run(&mut self, events: Vec<Event>) -> Result<TurnResult, Stall> {
        self.replay.turn(events.clone());
        self.batches.clear();
        let result = drive(&mut self.replay, &mut self.host, self.max_bytes, &mut self.batches)?;
        self.turns.push(committed(events, &result));
        Ok(result)
    }

    /// How many jobs for the function's calls the last turn handed out.
    pub(super) fn answers(&self) -> usize {
        self.batches
            .iter()
            .flatten()
            .filter(|job| matches!(job, Job::Done { .. } | Job::Failed { .. }))
            .count()
    }
}

/// Drives a turn to its end.
pub(super) fn drive(
    replay: &mut Replay,
    host: &mut Host,
    max_bytes: usize,
    batches: &mut Vec<Vec<Job>>,
) -> Result<TurnResult, Stall> {
    loop {
        match replay.next(max_bytes)? {
            Next::Done(result) => return Ok(result),
            Next::Jobs { jobs, .. } => {
                let steps = host.apply(INSTANCE, RUN, &jobs)?;
                batches.push(jobs);
                replay.apply(steps)?;
            }
        }
    }
}

/// A turn as an engine writes it: what came, then what the actions schedule.
pub(super) fn committed(mut events: Vec<Event>, result: &TurnResult) -> Vec<Event> {
    let at = events[0].timestamp();
    if result.version.is_some() {
        let mut first = events[0].message().clone();
        first.event_type =
            Some(EventType::WorkflowStarted(wire::WorkflowStartedEvent { version: result.version.clone() }));
        events[0] = Event::new(first);
    }
    for action in &result.actions {
        let Some(kind) = scheduled(action) else { continue };
        let mut message = event(action.id, at, kind);
        message.own = action.own.clone();
        events.push(Event::new(message));
    }
    events
}

fn scheduled(action: &wire::WorkflowAction) -> Option<EventType> {
    use create_timer_action::Origin as From;
    use timer_created_event::Origin as To;
    Some(match action.workflow_action_type.clone()? {
        Type::ScheduleTask(task) => EventType::TaskScheduled(wire::TaskScheduledEvent {
            name: task.name,
            input: task.input,
            task_execution_id: task.task_execution_id,
            ..Default::default()
        }),
        Type::CreateTimer(timer) => EventType::TimerCreated(wire::TimerCreatedEvent {
            fire_at: timer.fire_at,
            name: timer.name,
            origin: timer.origin.map(|origin| match origin {
                From::CreateTimer(origin) => To::CreateTimer(origin),
                From::ExternalEvent(origin) => To::ExternalEvent(origin),
                From::ActivityRetry(origin) => To::ActivityRetry(origin),
                From::ChildWorkflowRetry(origin) => To::ChildWorkflowRetry(origin),
            }),
            ..Default::default()
        }),
        Type::CreateChildWorkflow(child) => {
            EventType::ChildWorkflowInstanceCreated(wire::ChildWorkflowInstanceCreatedEvent {
                instance_id: child.instance_id,
                name: child.name,
                input: child.input,
                ..Default::default()
            })
        }
        Type::SendEvent(sent) => EventType::EventSent(wire::EventSentEvent {
            instance_id: sent.instance.unwrap_or_default().instance_id,
            name: sent.name,
            input: sent.data,
        }),
        Type::CreateDetachedWorkflow(started) => {
            EventType::DetachedWorkflowInstanceCreated(wire::DetachedWorkflowInstanceCreatedEvent {
                instance_id: started.instance_id,
            })
        }
        _ => return None,
    })
}

/// An action in short, for assertions: `1 task echo`, `2 timer 5000`, …
pub(super) fn short(result: &TurnResult) -> Vec<String> {
    result.actions.iter().map(short_action).collect()
}

pub(super) fn short_action(action: &wire::WorkflowAction) -> String {
    let id = action.id;
    match action.workflow_action_type.clone().unwrap() {
        Type::ScheduleTask(task) => format!("{id} task {}", task.name),
        Type::CreateChildWorkflow(child) => format!("{id} child {} {}", child.name, child.instance_id),
        Type::CreateTimer(timer) => {
            format!("{id} timer {}", wire::micros(&timer.fire_at.unwrap()).as_millis())
        }
        Type::SendEvent(sent) => format!("{id} send {} {}", sent.name, sent.instance.unwrap().instance_id),
        Type::CreateDetachedWorkflow(started) => format!("{id} detached {}", started.name),
        Type::CompleteWorkflow(end) => {
            let status = end
                .workflow_status()
                .as_str_name()
                .trim_start_matches("ORCHESTRATION_STATUS_")
                .to_lowercase();
            let failure = end.failure_details.map(|failure| failure.error_type);
            format!("{id} {status} {}", end.result.or(failure).unwrap_or_default())
        }
        other => format!("{id} {other:?}"),
    }
}
