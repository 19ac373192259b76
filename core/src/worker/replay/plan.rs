//! Which jobs are certain before the steps in front of them are answered.

use super::calls::{Call, task_error, wait_timeout};
use super::machine::{Machine, Role, child_failure, code_of};
use crate::bridge::{Job, Ref};
use crate::error::ErrorKind;
use crate::history::Event;
use crate::history::wire::history_event::EventType;
use crate::model::{Failure, Payload};

/// A step that the host owes.
pub(super) enum Planned {
    /// For a `turn` job.
    Turn,
    /// For a job that the machine made.
    Head,
    /// For a job that was sent ahead: the machine has not seen its event yet.
    Event {
        /// The event's place.
        index: usize,
        /// The ref that the job answered.
        reference: Ref,
    },
}

/// What an event will mean, told without applying it.
pub(super) enum Preview {
    /// This job, or none if a step in between cancels the ref.
    Job(Ref, Job),
    /// No job.
    Nothing,
    /// Only the machine can tell.
    Unknown,
}

impl Machine {
    /// Whether previews are certain: nothing waits that a step could take before the next event.
    pub(super) fn is_plannable(&self) -> bool {
        !self.has_ended()
            && !self.suspended
            && self.ready.is_empty()
            && self.early.is_empty()
            && !self.waits.has_buffered()
    }

    /// Whether a ref was asked for and is answered or cancelled.
    pub(super) fn is_settled(&self, reference: Ref) -> bool {
        reference <= self.last_ref && !self.calls.contains_key(&reference)
    }

    /// Tells what an event will mean when the machine comes to it.
    pub(super) fn preview(&self, event: &Event) -> Preview {
        match event.message().event_type.as_ref() {
            Some(EventType::TaskCompleted(done)) => self.preview_done(done.task_scheduled_id, &done.result),
            Some(EventType::ChildWorkflowInstanceCompleted(done)) => {
                self.preview_done(done.task_scheduled_id, &done.result)
            }
            Some(EventType::TaskFailed(failed)) => {
                let details = failed.failure_details.as_ref();
                self.preview_failed(failed.task_scheduled_id, || {
                    details.map(Failure::from).unwrap_or_default()
                })
            }
            Some(EventType::ChildWorkflowInstanceFailed(failed)) => {
                let details = failed.failure_details.as_ref();
                self.preview_failed(failed.task_scheduled_id, || child_failure(details))
            }
            Some(EventType::TimerFired(fired)) => self.preview_fired(fired.timer_id),
            Some(
                EventType::EventRaised(_)
                | EventType::ExecutionStarted(_)
                | EventType::ExecutionSuspended(_)
                | EventType::ExecutionResumed(_)
                | EventType::ExecutionTerminated(_),
            ) => Preview::Unknown,
            _ => Preview::Nothing,
        }
    }

    fn preview_done(&self, id: i32, value: &Payload) -> Preview {
        let reference = match self.open.get(&id) {
            Some((Role::Task | Role::Child, reference)) => *reference,
            Some(_) => return Preview::Unknown,
            None if id < self.next_id => return Preview::Nothing,
            None => match self.foreseen(id) {
                Some(reference) => reference,
                None => return Preview::Unknown,
            },
        };
        Preview::Job(reference, Job::Done { reference, value: value.clone() })
    }

    /// The ref of an action that history has and that the function will have asked for by then.
    fn foreseen(&self, id: i32) -> Option<Ref> {
        if self.ledger.rerun {
            return None;
        }
        self.ledger.get(id).map(|recorded| recorded.call).filter(|call| *call > 0)
    }

    fn preview_failed(&self, id: i32, failure: impl FnOnce() -> Failure) -> Preview {
        let reference = match self.open.get(&id) {
            Some((Role::Task | Role::Child, reference)) => *reference,
            None if id < self.next_id => return Preview::Nothing,
            _ => return Preview::Unknown,
        };
        let failure = failure();
        let code = match self.calls.get(&reference) {
            Some(Call::Activity(attempts)) if attempts.again.is_none() => {
                code_of(&failure, ErrorKind::ActivityFailed)
            }
            Some(Call::Child(attempts)) if attempts.again.is_none() => ErrorKind::ChildFailed,
            _ => return Preview::Unknown,
        };
        Preview::Job(reference, Job::Failed { reference, error: task_error(&failure, code) })
    }

    fn preview_fired(&self, id: i32) -> Preview {
        let fired = |reference| Preview::Job(reference, Job::Done { reference, value: None });
        let late = |reference| Preview::Job(reference, Job::Failed { reference, error: wait_timeout() });
        match self.open.get(&id) {
            Some((Role::Timer, reference)) => fired(*reference),
            Some((Role::WaitLimit, reference)) => late(*reference),
            Some((Role::Pause, _)) => Preview::Nothing,
            Some(_) => Preview::Unknown,
            None if id < self.next_id => Preview::Nothing,
            None => match (self.foreseen(id), self.ledger.get(id)) {
                (Some(reference), Some(timer)) if timer.is_plain_timer() => fired(reference),
                (Some(reference), Some(timer)) if timer.waits_for().is_some() => late(reference),
                (Some(_), Some(timer)) if timer.is_pause() => Preview::Nothing,
                _ => Preview::Unknown,
            },
        }
    }
}
