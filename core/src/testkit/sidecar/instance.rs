//! One workflow instance as daprd keeps it.

use std::collections::VecDeque;

use uuid::Uuid;

use crate::history::wire::history_event::EventType;
use crate::history::{Event, wire};
use crate::model::{Micros, RuntimeStatus};

/// An instance: what was committed, what waits for the next turn, and the turn that a worker has.
#[derive(Clone, Debug)]
pub(super) struct Instance {
    pub(super) id: String,
    pub(super) execution_id: String,
    pub(super) name: String,
    pub(super) input: Option<String>,
    pub(super) parent: Option<Parent>,
    pub(super) created: Micros,
    pub(super) updated: Micros,
    pub(super) start_at: Option<Micros>,
    pub(super) past: Vec<Event>,
    pub(super) inbox: VecDeque<Event>,
    pub(super) turn: Option<Turn>,
    pub(super) custom_status: Option<String>,
    /// Whether it waits for another worker.
    pub(super) stalled: bool,
}

/// Who waits for an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parent {
    pub(super) id: String,
    pub(super) execution_id: String,
    pub(super) name: String,
    pub(super) task_id: i32,
}

/// A turn at a worker.
#[derive(Clone, Debug)]
pub(super) struct Turn {
    pub(super) stream: u64,
    pub(super) token: String,
    pub(super) started: Event,
    pub(super) taken: usize,
}

impl Instance {
    pub(super) fn new(id: &str, name: &str, input: Option<String>, start_at: Option<Micros>) -> Instance {
        let now = Micros::now();
        let mut instance = Instance {
            id: id.to_owned(),
            execution_id: String::new(),
            name: name.to_owned(),
            input: None,
            parent: None,
            created: now,
            updated: now,
            start_at,
            past: Vec::new(),
            inbox: VecDeque::new(),
            turn: None,
            custom_status: None,
            stalled: false,
        };
        instance.begin(input);
        instance
    }

    pub(super) fn child(id: &str, name: &str, input: Option<String>, parent: Parent) -> Instance {
        let mut instance = Instance { parent: Some(parent), ..Instance::new(id, name, None, None) };
        instance.inbox.clear();
        instance.begin(input);
        instance
    }

    /// Begins a run: its first event waits.
    pub(super) fn begin(&mut self, input: Option<String>) {
        self.execution_id = Uuid::new_v4().to_string();
        self.input = input.clone();
        let instance = |id: &str, execution: &str| wire::WorkflowInstance {
            instance_id: id.to_owned(),
            execution_id: Some(execution.to_owned()),
        };
        let started = wire::ExecutionStartedEvent {
            name: self.name.clone(),
            input,
            workflow_instance: Some(instance(&self.id, &self.execution_id)),
            parent_instance: self.parent.as_ref().map(|parent| wire::ParentInstanceInfo {
                task_scheduled_id: parent.task_id,
                name: Some(parent.name.clone()),
                workflow_instance: Some(instance(&parent.id, &parent.execution_id)),
                app_id: Some("fake".into()),
                ..Default::default()
            }),
            scheduled_start_timestamp: self.start_at.map(wire::timestamp),
            ..Default::default()
        };
        self.inbox.push_back(news(EventType::ExecutionStarted(Box::new(started))));
    }

    pub(super) fn is_finished(&self) -> bool {
        self.status().is_terminal()
    }

    pub(super) fn status(&self) -> RuntimeStatus {
        let mut status = RuntimeStatus::Pending;
        for event in &self.past {
            match event.message().event_type.as_ref() {
                Some(EventType::ExecutionCompleted(done)) => {
                    return RuntimeStatus::from_number(done.workflow_status);
                }
                Some(EventType::ExecutionSuspended(_)) => status = RuntimeStatus::Suspended,
                Some(EventType::ExecutionStarted(_) | EventType::ExecutionResumed(_)) => {
                    status = RuntimeStatus::Running;
                }
                _ => {}
            }
        }
        if self.stalled { RuntimeStatus::Stalled } else { status }
    }

    /// The state that a call answers. Before the first turn there is neither a name nor a time.
    pub(super) fn state(&self, payloads: bool) -> wire::WorkflowState {
        let status = self.status();
        let fresh = status == RuntimeStatus::Pending;
        let never = prost_types::Timestamp { seconds: -62_135_596_800, nanos: 0 };
        let time = |time: Micros| Some(if fresh { never } else { wire::timestamp(time) });
        let mut state = wire::WorkflowState {
            instance_id: self.id.clone(),
            name: if fresh { String::new() } else { self.name.clone() },
            workflow_status: status.number(),
            created_timestamp: time(self.created),
            last_updated_timestamp: time(self.updated),
            ..Default::default()
        };
        if payloads {
            state.input = self.input.clone();
            state.custom_status = self.custom_status.clone();
            if let Some(EventType::ExecutionCompleted(done)) =
                self.past.last().and_then(|event| event.message().event_type.as_ref())
            {
                state.output = done.result.clone();
                state.failure_details = done.failure_details.clone();
            }
        }
        state
    }

    /// Whether an answer to this id is in the history or waits.
    pub(super) fn is_answered(&self, id: i32) -> bool {
        self.past.iter().chain(&self.inbox).any(|event| answers(event) == Some(id))
    }

    pub(super) fn scheduled(&self, id: i32) -> Option<&wire::TaskScheduledEvent> {
        self.past.iter().find_map(|event| match event.message().event_type.as_ref() {
            Some(EventType::TaskScheduled(task)) if event.message().event_id == id => Some(task),
            _ => None,
        })
    }
}

/// The id that an event answers.
fn answers(event: &Event) -> Option<i32> {
    Some(match event.message().event_type.as_ref()? {
        EventType::TaskCompleted(done) => done.task_scheduled_id,
        EventType::TaskFailed(failed) => failed.task_scheduled_id,
        EventType::ChildWorkflowInstanceCompleted(done) => done.task_scheduled_id,
        EventType::ChildWorkflowInstanceFailed(failed) => failed.task_scheduled_id,
        EventType::TimerFired(fired) => fired.timer_id,
        _ => return None,
    })
}

/// An event that the runtime makes.
pub(super) fn news(event_type: EventType) -> Event {
    event(-1, event_type)
}

/// An event of now.
pub(super) fn event(id: i32, event_type: EventType) -> Event {
    let router = wire::TaskRouter { source_app_id: "fake".into(), ..Default::default() };
    Event::new(wire::HistoryEvent {
        event_id: id,
        timestamp: Some(wire::timestamp(Micros::now())),
        event_type: Some(event_type),
        router: (id >= 0).then_some(router),
        ..Default::default()
    })
}
