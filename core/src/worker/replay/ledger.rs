//! What history says was asked for, against what the function asks for.

use std::collections::{HashMap, HashSet};

use crate::bridge::{Ref, Stall, StallCode};
use crate::history::Event;
use crate::history::wire::history_event::EventType;
use crate::history::wire::timer_created_event::Origin;

/// The last second of the year 9999: the due time of timers that official SDKs make for waits without a timeout.
const SENTINEL_SECONDS: i64 = 253_402_300_799;

/// Kinds of actions, as they leave an event in the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Task,
    Child,
    Timer,
    Sent,
    Detached,
    Completed,
}

impl Kind {
    const fn noun(self) -> &'static str {
        match self {
            Kind::Task => "activity",
            Kind::Child => "child workflow",
            Kind::Timer => "timer",
            Kind::Sent => "sent event",
            Kind::Detached => "detached workflow",
            Kind::Completed => "end of the run",
        }
    }
}

/// One action of the past.
pub(super) struct Recorded {
    pub(super) index: usize,
    pub(super) kind: Kind,
    /// The host's number; 0 where the history is not ours.
    pub(super) call: Ref,
    event: Event,
}

impl Recorded {
    fn name(&self) -> Option<&str> {
        match self.event.message().event_type.as_ref() {
            Some(EventType::TaskScheduled(task)) => Some(&task.name),
            Some(EventType::ChildWorkflowInstanceCreated(child)) => Some(&child.name),
            Some(EventType::EventSent(sent)) => Some(&sent.name),
            _ => None,
        }
    }

    /// Whether this is a timer that a function asked for, not one that the core made for itself.
    pub(super) fn is_plain_timer(&self) -> bool {
        match self.event.message().event_type.as_ref() {
            Some(EventType::TimerCreated(timer)) => {
                timer.name.is_none() && matches!(timer.origin, Some(Origin::CreateTimer(_)))
            }
            _ => false,
        }
    }

    /// The name of the event that this timer limits the wait for.
    pub(super) fn waits_for(&self) -> Option<&str> {
        match self.event.message().event_type.as_ref() {
            Some(EventType::TimerCreated(timer)) => match &timer.origin {
                Some(Origin::ExternalEvent(origin)) => Some(&origin.name),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether the timer is the pause before another attempt.
    pub(super) fn is_pause(&self) -> bool {
        match self.event.message().event_type.as_ref() {
            Some(EventType::TimerCreated(timer)) => {
                matches!(timer.origin, Some(Origin::ActivityRetry(_) | Origin::ChildWorkflowRetry(_)))
            }
            _ => false,
        }
    }
}

/// The actions of the past that the function has not asked for yet.
#[derive(Default)]
pub(super) struct Ledger {
    recorded: HashMap<i32, Recorded>,
    sentinels: HashSet<i32>,
    /// Ids of official Go and Java workers begin with 0.
    pub(super) from_zero: bool,
    /// A rerun keeps parts of another history, in orders of its own.
    pub(super) rerun: bool,
}

impl Ledger {
    /// Notes the action that an event of the past stands for.
    pub(super) fn note(&mut self, index: usize, event: &Event) {
        let rerun;
        let kind = match event.message().event_type.as_ref() {
            Some(EventType::TaskScheduled(task)) => {
                rerun = task.rerun_parent_instance_info.is_some();
                Kind::Task
            }
            Some(EventType::ChildWorkflowInstanceCreated(child)) => {
                rerun = child.rerun_parent_instance_info.is_some();
                Kind::Child
            }
            Some(EventType::TimerCreated(timer)) => {
                let far = timer.fire_at.as_ref().is_some_and(|at| at.seconds >= SENTINEL_SECONDS);
                if far && matches!(timer.origin, Some(Origin::ExternalEvent(_))) {
                    self.sentinels.insert(event.message().event_id);
                    self.from_zero |= event.message().event_id == 0;
                    return;
                }
                rerun = timer.rerun_parent_instance_info.is_some();
                Kind::Timer
            }
            Some(EventType::EventSent(_)) if event.message().event_id > 0 => {
                rerun = false;
                Kind::Sent
            }
            Some(EventType::DetachedWorkflowInstanceCreated(_)) => {
                rerun = false;
                Kind::Detached
            }
            Some(EventType::ExecutionStarted(_)) => {
                self.rerun |= event.message().own.as_ref().is_some_and(|own| !own.rerun_of.is_empty());
                return;
            }
            _ => return,
        };
        self.rerun |= rerun;
        self.from_zero |= event.message().event_id == 0;
        let call = event.message().own.as_ref().map_or(0, |own| own.call);
        self.recorded.entry(event.message().event_id).or_insert_with(|| Recorded {
            index,
            kind,
            call,
            event: event.clone(),
        });
    }

    /// Skips the ids that foreign waits without a timeout took.
    pub(super) fn next_free(&mut self, mut id: i32) -> i32 {
        while !self.sentinels.is_empty() && self.sentinels.remove(&id) {
            id = id.saturating_add(1);
        }
        id
    }

    /// The action of the past with this id that the function has not asked for yet.
    pub(super) fn get(&self, id: i32) -> Option<&Recorded> {
        self.recorded.get(&id)
    }

    /// What the function once asked for as its call of this number and has not asked for now.
    pub(super) fn describe_call(&self, call: Ref) -> Option<String> {
        let (id, recorded) = self.recorded.iter().find(|(_, recorded)| recorded.call == call)?;
        Some(format!("action {id}, {}", shown(recorded.kind, recorded.name())))
    }

    /// Strikes out the action that the function asked for with this id; false when history has none.
    ///
    /// # Errors
    /// `non_determinism` when history has something else there.
    pub(super) fn strike(
        &mut self,
        id: i32,
        kind: Kind,
        name: Option<&str>,
        call: Ref,
    ) -> Result<bool, Stall> {
        if self.recorded.is_empty() {
            return Ok(false);
        }
        let Some(recorded) = self.recorded.remove(&id) else { return Ok(false) };
        let same_call = recorded.call == 0 || call == 0 || recorded.call == call;
        if recorded.kind == kind && same_call && (name.is_none() || recorded.name() == name) {
            return Ok(true);
        }
        let mut message = format!(
            "action {id} is {} in the history, but the function now asks for {}",
            shown(recorded.kind, recorded.name()),
            shown(kind, name)
        );
        if !same_call {
            message += &format!(" as its call {call} instead of {}", recorded.call);
        }
        Err(non_determinism(&message).at_event(recorded.index))
    }

    /// Checks that nothing of the past is left over. Of a rerun too: it keeps nothing that a step to come asks for.
    ///
    /// # Errors
    /// `non_determinism` when the function has not asked for something that history has.
    pub(super) fn check_end(&mut self) -> Result<(), Stall> {
        let Some((id, left)) = self.recorded.iter().min_by_key(|(id, _)| **id) else { return Ok(()) };
        let what = shown(left.kind, left.name());
        let message = format!("history has action {id}, {what}, but the function no longer asks for it");
        Err(non_determinism(&message).at_event(left.index))
    }
}

/// What an action is, for people.
pub(super) fn shown(kind: Kind, name: Option<&str>) -> String {
    match name {
        Some(name) => format!("{} {name:?}", kind.noun()),
        None => kind.noun().to_owned(),
    }
}

/// A stall because the code and its history disagree; adds the likely cause and the cure.
pub(in crate::worker) fn non_determinism(found: &str) -> Stall {
    let message = format!(
        "{found}; likely cause: the code of the workflow was changed while this instance runs, or it depends on \
         something that is not in its history (time, random numbers, files); restore the code or guard the change \
         with a patch or a new version"
    );
    Stall::new(StallCode::NonDeterminism, message)
}
