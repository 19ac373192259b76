//! Replay: rebuilds a workflow function's state from its history and turns what it asks for into actions. Sans-IO: no
//! clock, no randomness, no thread.
//!
//! **Order.** What a function asks for depends on the order of history's completions only, never on how it was cut into
//! turns: events are applied one at a time (`machine`), and a step answers each job before the next event counts.
//! [`Replay::next`] still hands out many jobs at once where that is provably the same (`plan`): completions of
//! refs that are known, or that history tells (field `own.call`), while no event is buffered that a step in between
//! could take. [`Replay::apply`] then walks through the same events in single steps and checks that each job was
//! the right one. A job for a ref that a step before it cancelled is harmless: hosts answer it with an empty step.
//!
//! **Check.** Every action asked for while replaying must be the one that history has under that id, by kind, name
//! and ref; at the end of the past nothing may be left over on either side. Reruns keep parts of another history: what
//! they lack becomes a new action.

mod calls;
mod commands;
pub(super) mod dialect;
mod ledger;
mod machine;
mod patches;
mod plan;
#[cfg(test)]
mod tests;
mod waits;

use std::collections::VecDeque;

use crate::bridge::{Job, Ref, Step, text_len};
use crate::history::Event;
use crate::history::wire;
use crate::history::wire::history_event::EventType;
use crate::history::wire::workflow_action::WorkflowActionType;
pub(super) use ledger::non_determinism;
use machine::Machine;
use plan::{Planned, Preview};

pub use crate::bridge::{Stall, StallCode};
pub use crate::engine::task::TurnResult;
pub use dialect::Dialect;

/// What comes next in a turn.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// The host has to apply these jobs; give its steps to [`Replay::apply`].
    Jobs {
        /// The jobs.
        jobs: Vec<Job>,
        /// Whether events are left for after them.
        more: bool,
    },
    /// The turn is done.
    Done(TurnResult),
}

/// The state of one cached run.
pub struct Replay {
    machine: Machine,
    /// Events that are not applied yet, with their places in the history.
    inbox: VecDeque<(usize, Event)>,
    /// Events that came while the run was suspended.
    held: Vec<(usize, Event)>,
    /// The place of the next event to come in.
    length: usize,
    /// Where the live events begin.
    live_from: usize,
    /// The steps that the host owes, one per job.
    owed: VecDeque<Planned>,
    /// A turn that no job has announced yet: its time, and whether it is of the past.
    turn: Option<(i64, bool)>,
    /// The patches that history has so far.
    patches: Vec<String>,
    /// Turns that begin before this place were announced or are `turn`.
    seen: usize,
}

impl Replay {
    /// The state of a run about which nothing is known yet.
    pub fn new(instance_id: &str) -> Replay {
        Replay {
            machine: Machine::new(instance_id),
            inbox: VecDeque::new(),
            held: Vec::new(),
            length: 0,
            live_from: usize::MAX,
            owed: VecDeque::new(),
            turn: None,
            patches: Vec::new(),
            seen: 0,
        }
    }

    /// Says whom the actions are for; the embedded engine if nothing is said. To be said before the first event.
    pub fn speak(&mut self, dialect: Dialect) {
        self.machine.dialect = dialect;
    }

    /// Adds committed events of a rebuild, in order. All of them come before the first [`Replay::turn`].
    pub fn past(&mut self, events: Vec<Event>) {
        for (offset, event) in events.iter().enumerate() {
            self.machine.ledger.note(self.length + offset, event);
        }
        if self.machine.ledger.from_zero {
            self.machine.next_id = 0;
        }
        self.add(events);
    }

    /// Adds the events of the turn to run now; the first one is its WorkflowStarted.
    pub fn turn(&mut self, events: Vec<Event>) {
        self.live_from = self.live_from.min(self.length);
        self.add(events);
    }

    /// The version of a run that has not begun and whose start names none. To be said before its first turn.
    pub fn default_version(&mut self, version: &str) {
        self.machine.version.get_or_insert_with(|| version.to_owned());
    }

    /// Whether the run has ended.
    pub fn is_finished(&self) -> bool {
        self.machine.finished
    }

    fn add(&mut self, events: Vec<Event>) {
        let from = self.length;
        self.length += events.len();
        self.inbox.extend(events.into_iter().enumerate().map(|(offset, event)| (from + offset, event)));
    }

    /// Goes on with the turn: the next jobs, of about `max_bytes` of text but at least one, or its end.
    ///
    /// # Errors
    /// The turn's stall. The state is of no use then.
    pub fn next(&mut self, max_bytes: usize) -> Result<Next, Stall> {
        if !self.owed.is_empty() {
            return Err(Stall::invalid("the answer to the last jobs is missing"));
        }
        let Some(job) = self.head()? else { return Ok(Next::Done(self.done())) };
        // A turn and what wakes the function, as a rule.
        let mut jobs = Vec::with_capacity(2);
        let mut size = self.push(&mut jobs, job, Planned::Head);
        let mut sent = 0;
        if self.machine.is_plannable() {
            sent = self.extend(&mut jobs, &mut size, max_bytes);
        }
        Ok(Next::Jobs { jobs, more: self.inbox.len() > sent })
    }

    /// Takes the steps that answer the last jobs, one for each.
    ///
    /// # Errors
    /// The turn's stall. The state is of no use then.
    pub fn apply(&mut self, steps: Vec<Step>) -> Result<(), Stall> {
        if steps.len() != self.owed.len() {
            let (found, owed) = (steps.len(), self.owed.len());
            return Err(Stall::invalid(format!("the answer has {found} steps for {owed} jobs")));
        }
        for step in steps {
            match self.owed.pop_front() {
                Some(Planned::Head) => self.machine.step(step)?,
                Some(Planned::Event { index, reference }) => self.confirm(index, reference, step)?,
                Some(Planned::Turn) | None if step.is_empty() => {}
                Some(Planned::Turn) | None => {
                    return Err(Stall::invalid("the job \"turn\" was answered with commands"));
                }
            }
        }
        Ok(())
    }

    /// The next job of the truth, if there is one.
    fn head(&mut self) -> Result<Option<Job>, Stall> {
        loop {
            if self.machine.finished && self.machine.live {
                return Ok(None);
            }
            if !self.machine.finished
                && let Some(job) = self.machine.take_ready()?
            {
                return Ok(Some(job));
            }
            let Some((index, event)) = self.inbox.pop_front() else { return Ok(None) };
            self.announce(index, &event);
            if let Some(job) = self.feed(index, event)? {
                return Ok(Some(job));
            }
        }
    }

    /// Applies one event to the machine.
    fn feed(&mut self, index: usize, event: Event) -> Result<Option<Job>, Stall> {
        if index >= self.live_from && !self.machine.live {
            self.machine.go_live()?;
        }
        if self.machine.finished {
            return Ok(None);
        }
        if self.machine.suspended && is_held(&event) {
            self.held.push((index, event));
            return Ok(None);
        }
        let job = self.machine.advance(index, &event)?;
        if !self.machine.suspended {
            for held in self.held.drain(..).rev() {
                self.inbox.push_front(held);
            }
        }
        Ok(job)
    }

    /// Notes the beginning of a turn, so that the next job is told.
    fn announce(&mut self, index: usize, event: &Event) {
        let Some(EventType::WorkflowStarted(turn)) = event.message().event_type.as_ref() else { return };
        if index < self.seen {
            return;
        }
        self.seen = index + 1;
        self.turn = Some((event.timestamp().as_millis(), index < self.live_from));
        self.patches.extend(turn.version.iter().flat_map(|version| version.patches.iter().cloned()));
    }

    /// Adds a job, behind the turn it is the first of; gives the bytes it takes.
    fn push(&mut self, jobs: &mut Vec<Job>, job: Job, planned: Planned) -> usize {
        let mut size = text_len(&job);
        if let Some((now, replay)) = self.turn.take() {
            let turn = Job::Turn { now, replay, patches: self.patches.clone() };
            size += text_len(&turn);
            jobs.push(turn);
            self.owed.push_back(Planned::Turn);
        }
        jobs.push(job);
        self.owed.push_back(planned);
        size
    }

    /// Adds the jobs that are certain to follow, whatever the steps before them ask for; gives how many events they cover.
    fn extend(&mut self, jobs: &mut Vec<Job>, size: &mut usize, max_bytes: usize) -> usize {
        let mut at = 0;
        while *size < max_bytes && at < self.inbox.len() {
            let (index, event) = self.inbox[at].clone();
            at += 1;
            match self.machine.preview(&event) {
                Preview::Job(reference, job) => {
                    *size += self.push(jobs, job, Planned::Event { index, reference });
                }
                Preview::Nothing => self.announce(index, &event),
                Preview::Unknown => return at - 1,
            }
        }
        at
    }

    /// Walks the machine to a planned job and checks that it comes to the same one.
    fn confirm(&mut self, planned: usize, reference: Ref, step: Step) -> Result<(), Stall> {
        while self.inbox.front().is_some_and(|(index, _)| *index <= planned) {
            let Some((index, event)) = self.inbox.pop_front() else { break };
            let job = self.feed(index, event)?;
            let found = match &job {
                Some(Job::Done { reference, .. } | Job::Failed { reference, .. }) => Some(*reference),
                Some(_) => Some(0),
                None => None,
            };
            match found {
                Some(found) if index == planned && found == reference => return self.machine.step(step),
                None if index < planned => {}
                None if self.machine.has_ended() || self.machine.is_settled(reference) => {
                    return unanswered(reference, &step);
                }
                _ => return Err(self.lost(planned, reference)),
            }
        }
        if self.machine.has_ended() {
            unanswered(reference, &step)
        } else {
            Err(self.lost(planned, reference))
        }
    }

    fn lost(&self, planned: usize, reference: Ref) -> Stall {
        let what =
            self.machine.ledger.describe_call(reference).unwrap_or_else(|| format!("call {reference}"));
        let message = format!("history answers {what}, but the function does not wait for it at that point");
        non_determinism(&message).at_event(planned)
    }

    fn done(&mut self) -> TurnResult {
        let machine = &mut self.machine;
        let mut actions = std::mem::take(&mut machine.actions);
        if machine.finished {
            let left = std::mem::take(&mut self.inbox).into_iter().chain(self.held.drain(..));
            let mut carried = machine.waits.drain();
            carried.extend(left.map(|(_, event)| event).filter(is_raised));
            if machine.keep_events {
                carry(&mut actions, &carried);
            }
        }
        let patches = machine.patches.take_new();
        self.patches.extend(patches.iter().cloned());
        let patches = match machine.dialect {
            Dialect::Own => patches,
            Dialect::Dapr => machine.patches.all(),
        };
        let version = (machine.version.is_some() || !patches.is_empty())
            .then(|| wire::WorkflowVersion { patches, name: machine.version.clone() });
        TurnResult {
            actions,
            custom_status: machine.custom_status.clone(),
            version,
            cancelled_timers: std::mem::take(&mut machine.cancelled_timers),
            cancelled_tasks: std::mem::take(&mut machine.cancelled_tasks),
            finished: machine.finished,
        }
    }
}

/// A job for a ref that nobody waits for any more must change nothing.
fn unanswered(reference: Ref, step: &Step) -> Result<(), Stall> {
    if step.is_empty() {
        return Ok(());
    }
    Err(Stall::invalid(format!(
        "the job for ref {reference}, which nobody waits for, was answered with commands"
    )))
}

/// What waits for a resume. Clocks and schedules do not, and what ends the suspension cannot.
fn is_held(event: &Event) -> bool {
    matches!(
        event.message().event_type.as_ref(),
        Some(
            EventType::ExecutionStarted(_)
                | EventType::TaskCompleted(_)
                | EventType::TaskFailed(_)
                | EventType::ChildWorkflowInstanceCompleted(_)
                | EventType::ChildWorkflowInstanceFailed(_)
                | EventType::TimerFired(_)
                | EventType::EventRaised(_)
        )
    )
}

fn is_raised(event: &Event) -> bool {
    matches!(event.message().event_type.as_ref(), Some(EventType::EventRaised(_)))
}

/// Puts the events that nobody took into the next run.
fn carry(actions: &mut [wire::WorkflowAction], events: &[Event]) {
    if let Some(WorkflowActionType::CompleteWorkflow(complete)) =
        actions.last_mut().and_then(|action| action.workflow_action_type.as_mut())
    {
        complete.carryover_events = events.iter().map(|event| event.message().clone()).collect();
    }
}
