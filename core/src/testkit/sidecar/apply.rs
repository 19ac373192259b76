//! A worker's answer to a turn, applied to an instance in daprd's way: only the fields that daprd copies get into events.

use super::instance::{Instance, Parent, event, news};
use crate::history::wire::history_event::EventType;
use crate::history::wire::workflow_action::WorkflowActionType as Action;
use crate::history::{Event, wire};
use crate::model::{Micros, RuntimeStatus};

/// What is to be done after a turn.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Activities to send, by action id.
    pub(super) activities: Vec<i32>,
    /// Timers to arm.
    pub(super) timers: Vec<(i32, prost_types::Timestamp)>,
    /// Children to create.
    pub(super) children: Vec<Instance>,
    /// What the parent is told.
    pub(super) told: Option<(Parent, Event)>,
    /// Children to terminate, and with what.
    pub(super) terminated: Vec<(String, Event)>,
}

impl Instance {
    /// Applies an answer to the turn at the worker.
    ///
    /// # Errors
    /// In words why daprd fails the turn.
    pub(super) fn apply(&mut self, response: wire::WorkflowResponse) -> Result<Outcome, String> {
        let turn = self.turn.take().ok_or("no turn is out")?;
        if let Some(reason) = self.stall_of(&response) {
            self.stall(reason);
            return Ok(Outcome::default());
        }
        let (mut created, mut outcome) = (Vec::new(), Outcome::default());
        for action in &response.actions {
            match self.apply_one(action, &mut created, &mut outcome) {
                Ok(None) => {}
                Ok(Some(renewed)) => {
                    self.continue_as_new(turn.taken, renewed);
                    self.custom_status = response.custom_status;
                    return Ok(Outcome::default());
                }
                Err(reason) => {
                    self.turn = None;
                    return Err(reason);
                }
            }
        }
        self.stalled = false;
        let version = response.version.map(|mut version| {
            version.patches.drain(..self.patches().len());
            version
        });
        self.past.push(started_with(&turn.started, version));
        let taken: Vec<Event> = self.inbox.drain(..turn.taken).collect();
        self.past.extend(taken);
        self.past.extend(created);
        self.custom_status = response.custom_status;
        self.updated = Micros::now();
        if self.is_finished() {
            outcome.told = self.told();
            outcome.terminated = self.recursion();
        }
        Ok(outcome)
    }

    /// The patches that turns have seen; each is in the history of the turn that saw it first.
    fn patches(&self) -> Vec<String> {
        self.past.iter().filter_map(version).flat_map(|version| version.patches).collect()
    }

    /// Why the runtime stalls the instance instead of taking the answer.
    fn stall_of(&self, response: &wire::WorkflowResponse) -> Option<(wire::StalledReason, String)> {
        let unavailable = |action: &wire::WorkflowAction| {
            matches!(action.workflow_action_type, Some(Action::WorkflowVersionNotAvailable(_)))
        };
        if response.actions.iter().any(unavailable) {
            let name = response.version.clone().and_then(|version| version.name).unwrap_or_default();
            let text = format!("Version not available: {name}");
            return Some((wire::StalledReason::VersionNotAvailable, text));
        }
        let seen = self.patches();
        let now = response.version.clone().unwrap_or_default().patches;
        (!now.starts_with(&seen)).then(|| {
            let text = format!("Patch mismatch. History patches: {seen:?}, current patches: {now:?}. ");
            (wire::StalledReason::PatchMismatch, text)
        })
    }

    fn stall(&mut self, (reason, description): (wire::StalledReason, String)) {
        self.stalled = true;
        let known = self.past.iter().any(|event| {
            matches!(&event.message().event_type, Some(EventType::ExecutionStalled(stalled))
                if stalled.description.as_deref() == Some(&description))
        });
        if !known {
            let stalled =
                wire::ExecutionStalledEvent { reason: reason.into(), description: Some(description) };
            self.past.push(news(EventType::ExecutionStalled(stalled)));
        }
    }

    fn apply_one(
        &self,
        action: &wire::WorkflowAction,
        created: &mut Vec<Event>,
        outcome: &mut Outcome,
    ) -> Result<Option<wire::CompleteWorkflowAction>, String> {
        let id = action.id;
        let event_type = match action.workflow_action_type.clone().ok_or("unknown action type")? {
            Action::ScheduleTask(task) => {
                outcome.activities.push(id);
                EventType::TaskScheduled(wire::TaskScheduledEvent {
                    name: task.name,
                    version: task.version,
                    input: task.input,
                    task_execution_id: task.task_execution_id,
                    ..Default::default()
                })
            }
            Action::CreateTimer(timer) => {
                outcome.timers.extend(timer.fire_at.map(|at| (id, at)));
                EventType::TimerCreated(wire::TimerCreatedEvent {
                    fire_at: timer.fire_at,
                    name: timer.name,
                    origin: timer.origin.map(Into::into),
                    ..Default::default()
                })
            }
            Action::CreateChildWorkflow(child) => {
                let default = || format!("{}:{:04x}", self.id, id & 0xffff);
                let child_id = Some(child.instance_id).filter(|id| !id.is_empty()).unwrap_or_else(default);
                let parent = Parent {
                    id: self.id.clone(),
                    execution_id: self.execution_id.clone(),
                    name: self.name.clone(),
                    task_id: id,
                };
                outcome.children.push(Instance::child(&child_id, &child.name, child.input.clone(), parent));
                EventType::ChildWorkflowInstanceCreated(wire::ChildWorkflowInstanceCreatedEvent {
                    instance_id: child_id,
                    name: child.name,
                    version: child.version,
                    input: child.input,
                    ..Default::default()
                })
            }
            Action::CompleteWorkflow(done) => {
                if done.workflow_status == RuntimeStatus::ContinuedAsNew.number() {
                    return Ok(Some(done));
                }
                EventType::ExecutionCompleted(wire::ExecutionCompletedEvent {
                    workflow_status: done.workflow_status,
                    result: done.result,
                    failure_details: done.failure_details,
                })
            }
            Action::SendEvent(_) | Action::TerminateWorkflow(_) => {
                return Err("don't know how to process outbound message".into());
            }
            Action::CreateDetachedWorkflow(_) => return Err("unknown action type".into()),
            Action::WorkflowVersionNotAvailable(_) => return Ok(None),
        };
        created.push(event(id, event_type));
        Ok(None)
    }

    /// Everything is replaced; what came in meanwhile stays.
    fn continue_as_new(&mut self, taken: usize, renewed: wire::CompleteWorkflowAction) {
        self.inbox.drain(..taken);
        let later = std::mem::take(&mut self.inbox);
        self.past.clear();
        self.begin(renewed.result);
        self.inbox.extend(renewed.carryover_events.into_iter().map(Event::new));
        // Answers of the old run are of no run any more.
        self.inbox.extend(later.into_iter().filter(|event| {
            matches!(
                event.message().event_type,
                Some(
                    EventType::EventRaised(_)
                        | EventType::ExecutionSuspended(_)
                        | EventType::ExecutionResumed(_)
                        | EventType::ExecutionTerminated(_)
                )
            )
        }));
        self.stalled = false;
        self.updated = Micros::now();
    }

    fn told(&self) -> Option<(Parent, Event)> {
        let parent = self.parent.clone()?;
        let Some(EventType::ExecutionCompleted(done)) = self.past.last()?.message().event_type.clone() else {
            return None;
        };
        let task_scheduled_id = parent.task_id;
        let event_type = if done.workflow_status == RuntimeStatus::Completed.number() {
            EventType::ChildWorkflowInstanceCompleted(wire::ChildWorkflowInstanceCompletedEvent {
                task_scheduled_id,
                result: done.result,
                ..Default::default()
            })
        } else {
            EventType::ChildWorkflowInstanceFailed(wire::ChildWorkflowInstanceFailedEvent {
                task_scheduled_id,
                failure_details: done.failure_details,
                ..Default::default()
            })
        };
        Some((parent, news(event_type)))
    }

    fn recursion(&self) -> Vec<(String, Event)> {
        let terminated = self.past.iter().find_map(|event| match event.message().event_type.as_ref() {
            Some(EventType::ExecutionTerminated(terminated)) if terminated.recurse => {
                Some(terminated.clone())
            }
            _ => None,
        });
        let Some(terminated) = terminated else { return Vec::new() };
        let children = self.past.iter().filter_map(|event| match event.message().event_type.as_ref() {
            Some(EventType::ChildWorkflowInstanceCreated(child)) => Some(child.instance_id.clone()),
            _ => None,
        });
        let event = news(EventType::ExecutionTerminated(terminated));
        children.map(|child| (child, event.clone())).collect()
    }
}

fn version(event: &Event) -> Option<wire::WorkflowVersion> {
    match event.message().event_type.as_ref()? {
        EventType::WorkflowStarted(started) => started.version.clone(),
        _ => None,
    }
}

/// The turn's first event with the version that the worker answered.
fn started_with(started: &Event, version: Option<wire::WorkflowVersion>) -> Event {
    let mut message = started.message().clone();
    message.event_type = Some(EventType::WorkflowStarted(wire::WorkflowStartedEvent { version }));
    Event::new(message)
}
