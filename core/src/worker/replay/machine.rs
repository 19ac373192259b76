//! The state of one run: what it has asked for, and what each event of its history means for that.
//!
//! This is the truth about order: events one at a time, each answered by at most one job, each job answered by a step
//! before the next event is looked at. [`super::Replay`] batches around it.

use std::collections::{HashMap, HashSet, VecDeque};

use uuid::Uuid;

use super::calls::Call;
use super::dialect::Dialect;
use super::ledger::{Ledger, non_determinism};
use super::patches::Patches;
use super::waits::{Waits, fold};
use crate::bridge::{Job, Parent, Ref, Stall, random};
use crate::error::ErrorKind;
use crate::history::Event;
use crate::history::wire::history_event::EventType;
use crate::history::wire::{self, OrchestrationStatus};
use crate::model::{Failure, Micros, Payload};

/// What an open action is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// An attempt of an activity.
    Task,
    /// An attempt of a child workflow.
    Child,
    /// A timer of the function.
    Timer,
    /// The pause before another attempt.
    Pause,
    /// The limit of an activity's attempt.
    Limit,
    /// The limit of an event wait.
    WaitLimit,
}

/// A job that waits for its turn, because what it needs was there before it was asked for.
pub(super) enum Ready {
    /// An event wait with a buffered event.
    Wait(Ref),
    /// An action whose completion stood before its schedule.
    Early(i32),
}

/// The state of one run.
pub(super) struct Machine {
    pub(super) dialect: Dialect,
    pub(super) instance_id: String,
    pub(super) execution_id: Option<String>,
    /// The application that runs this, where the start says so.
    pub(super) app: Option<String>,
    /// The name space of keys that are derived from the run.
    pub(super) space: Uuid,
    pub(super) now: Micros,
    pub(super) live: bool,
    pub(super) started: bool,
    pub(super) finished: bool,
    pub(super) suspended: bool,
    pub(super) ledger: Ledger,
    pub(super) next_id: i32,
    pub(super) last_ref: Ref,
    pub(super) calls: HashMap<Ref, Call>,
    pub(super) open: HashMap<i32, (Role, Ref)>,
    pub(super) early: HashMap<i32, (usize, Event)>,
    pub(super) ready: VecDeque<Ready>,
    pub(super) waits: Waits,
    pub(super) patches: Patches,
    pub(super) version: Option<String>,
    pub(super) custom_status: Payload,
    pub(super) actions: Vec<wire::WorkflowAction>,
    pub(super) cancelled_timers: Vec<i32>,
    pub(super) cancelled_tasks: Vec<i32>,
    pub(super) keep_events: bool,
    /// What the worker itself does for the function, and is not answered yet.
    pub(super) errands: HashSet<i32>,
    /// The input of the next generation, which begins once the errands are answered.
    pub(super) last_wish: Option<Payload>,
}

impl Machine {
    pub(super) fn new(instance_id: &str) -> Machine {
        Machine {
            dialect: Dialect::default(),
            instance_id: instance_id.to_owned(),
            execution_id: None,
            app: None,
            space: random::namespace(instance_id),
            now: Micros::default(),
            live: false,
            started: false,
            finished: false,
            suspended: false,
            ledger: Ledger::default(),
            next_id: 1,
            last_ref: 0,
            calls: HashMap::new(),
            open: HashMap::new(),
            early: HashMap::new(),
            ready: VecDeque::new(),
            waits: Waits::default(),
            patches: Patches::default(),
            version: None,
            custom_status: None,
            actions: Vec::new(),
            cancelled_timers: Vec::new(),
            cancelled_tasks: Vec::new(),
            keep_events: false,
            errands: HashSet::new(),
            last_wish: None,
        }
    }

    /// Ends the past: from here on what the function asks for is new.
    ///
    /// # Errors
    /// `patch_mismatch` and `non_determinism` when the function and its history disagree.
    pub(super) fn go_live(&mut self) -> Result<(), Stall> {
        self.live = true;
        // What the past gave up is given up; of what a rerun has to ask for anew the engine knows nothing yet.
        let anew: HashSet<i32> = self.actions.iter().map(|action| action.id).collect();
        self.cancelled_timers.retain(|id| anew.contains(id));
        self.cancelled_tasks.retain(|id| anew.contains(id));
        self.patches.check_end()?;
        self.ledger.check_end()?;
        if self.ledger.rerun {
            return Ok(());
        }
        match self.actions.first() {
            Some(action) => Err(surplus(action)),
            None => Ok(()),
        }
    }

    /// The next job that needs no event: a buffered event for a new wait, an early completion.
    pub(super) fn take_ready(&mut self) -> Result<Option<Job>, Stall> {
        while let Some(ready) = self.ready.pop_front() {
            let job = match ready {
                Ready::Wait(_) if self.has_ended() => None,
                Ready::Wait(reference) => match self.calls.get(&reference) {
                    Some(Call::Wait { key, .. }) => self.hand_out(&key.clone()),
                    _ => None,
                },
                Ready::Early(id) => match self.early.remove(&id) {
                    Some((index, event)) => self.advance(index, &event)?,
                    None => None,
                },
            };
            if job.is_some() {
                return Ok(job);
            }
        }
        Ok(None)
    }

    /// Applies one event; gives the job that it makes.
    ///
    /// # Errors
    /// `non_determinism` when the event cannot belong to what the function has asked for.
    pub(super) fn advance(&mut self, index: usize, event: &Event) -> Result<Option<Job>, Stall> {
        let at = |stall: Stall| stall.at_event(index);
        if self.dialect == Dialect::Dapr && self.is_on_errand(event)? {
            return Ok(None);
        }
        Ok(match event.message().event_type.as_ref() {
            Some(EventType::WorkflowStarted(turn)) => {
                self.begin_turn(event.timestamp(), turn.version.as_ref());
                None
            }
            Some(EventType::ExecutionStarted(start)) if !self.started => Some(self.start(event, start)),
            Some(EventType::TaskCompleted(done)) => {
                let id = done.task_scheduled_id;
                match self.settle(index, id, Role::Task, event).map_err(at)? {
                    Some(reference) => self.resolved(reference, &done.result),
                    None => None,
                }
            }
            Some(EventType::ChildWorkflowInstanceCompleted(done)) => {
                match self.settle(index, done.task_scheduled_id, Role::Child, event).map_err(at)? {
                    Some(reference) => self.resolved(reference, &done.result),
                    None => None,
                }
            }
            Some(EventType::TaskFailed(failed)) => {
                let failure = failed.failure_details.as_ref().map(Failure::from).unwrap_or_default();
                match self.settle(index, failed.task_scheduled_id, Role::Task, event).map_err(at)? {
                    Some(reference) => self.attempt_failed(reference, &failure)?,
                    None => None,
                }
            }
            Some(EventType::ChildWorkflowInstanceFailed(failed)) => {
                let failure = child_failure(failed.failure_details.as_ref());
                match self.settle(index, failed.task_scheduled_id, Role::Child, event).map_err(at)? {
                    Some(reference) => self.attempt_failed(reference, &failure)?,
                    None => None,
                }
            }
            Some(EventType::TimerFired(fired)) => {
                match self.settle(index, fired.timer_id, Role::Timer, event).map_err(at)? {
                    Some(reference) => self.fired(fired.timer_id, reference)?,
                    None => None,
                }
            }
            Some(EventType::EventRaised(raised)) => {
                let key = fold(&raised.name);
                self.waits.arrive(key.clone(), event.clone());
                self.hand_out(&key)
            }
            Some(EventType::ExecutionSuspended(_)) => {
                self.suspended = true;
                None
            }
            Some(EventType::ExecutionResumed(_)) => {
                self.suspended = false;
                None
            }
            Some(EventType::ExecutionTerminated(terminated)) => {
                self.finish(OrchestrationStatus::Terminated, terminated.input.clone(), None)?;
                None
            }
            _ => None,
        })
    }

    /// Whether the function has said its last word.
    pub(super) const fn has_ended(&self) -> bool {
        self.finished || self.last_wish.is_some()
    }

    /// Whether an event is about what the worker does for the function, or comes after the function has ended.
    fn is_on_errand(&mut self, event: &Event) -> Result<bool, Stall> {
        let id = match event.message().event_type.as_ref() {
            Some(EventType::TaskCompleted(done)) => done.task_scheduled_id,
            Some(EventType::TaskFailed(failed)) => failed.task_scheduled_id,
            Some(EventType::EventRaised(raised)) if self.last_wish.is_some() => {
                self.waits.arrive(fold(&raised.name), event.clone());
                return Ok(true);
            }
            Some(EventType::TimerFired(_)) => return Ok(self.last_wish.is_some()),
            Some(
                EventType::ChildWorkflowInstanceCompleted(_) | EventType::ChildWorkflowInstanceFailed(_),
            ) => return Ok(self.last_wish.is_some()),
            _ => return Ok(false),
        };
        if !self.errands.remove(&id) {
            return Ok(self.last_wish.is_some());
        }
        if self.errands.is_empty()
            && let Some(input) = self.last_wish.take()
        {
            self.finish(OrchestrationStatus::ContinuedAsNew, input, None)?;
        }
        Ok(true)
    }

    fn begin_turn(&mut self, at: Micros, version: Option<&wire::WorkflowVersion>) {
        self.now = at;
        if let Some(version) = version {
            self.patches.note(&version.patches);
            if version.name.is_some() {
                self.version.clone_from(&version.name);
            }
        }
    }

    fn start(&mut self, event: &Event, start: &wire::ExecutionStartedEvent) -> Job {
        self.started = true;
        self.execution_id =
            start.workflow_instance.as_ref().and_then(|instance| instance.execution_id.clone());
        // What another application started names that one as its source, and this one as its target.
        self.app = event.message().router.as_ref().map(|router| {
            router.target_app_id.clone().filter(|app| !app.is_empty()).unwrap_or(router.source_app_id.clone())
        });
        let run = self.execution_id.clone().unwrap_or_else(|| self.instance_id.clone());
        let own = event.message().own.as_ref();
        // A rerun draws the values that the kept part was made with, but its keys and children are its own.
        if let Some(rerun) = own.filter(|own| !own.rerun_of.is_empty()).and_then(|own| own.run.as_ref()) {
            self.execution_id = Some(rerun.execution_id.clone());
        }
        // Dapr gives a rerun the IDs of its source. Its keys must not be those of the source's calls.
        let source = start.workflow_instance.as_ref().map(|instance| instance.instance_id.as_str());
        if self.dialect == Dialect::Dapr && source.is_some_and(|source| source != self.instance_id) {
            let own = uuid::Uuid::new_v5(&random::namespace(&run), self.instance_id.as_bytes());
            self.execution_id = Some(own.to_string());
        }
        self.space = random::namespace(self.execution_id.as_deref().unwrap_or(&run));
        if self.version.is_none() {
            self.version = start.version.clone().filter(|version| !version.is_empty());
        }
        let parent = start.parent_instance.as_ref().and_then(|parent| parent.workflow_instance.as_ref());
        let mut tags = start.tags.clone();
        if let Some(own) = own {
            tags.extend(own.tags.clone());
        }
        Job::Start {
            name: start.name.clone(),
            version: self.version.clone(),
            input: start.input.clone(),
            seed: random::seed(&run),
            parent: parent
                .map(|parent| Parent { id: parent.instance_id.clone(), run: parent.execution_id.clone() }),
            tags,
        }
    }

    /// Takes the open action that an event completes; nothing when it is done, cancelled, or not asked for yet.
    fn settle(&mut self, index: usize, id: i32, expected: Role, event: &Event) -> Result<Option<Ref>, Stall> {
        let Some((role, reference)) = self.open.get(&id).copied() else {
            if id >= self.next_id {
                self.early.entry(id).or_insert_with(|| (index, event.clone()));
            }
            return Ok(None);
        };
        let family = match role {
            Role::Task | Role::Child => role,
            Role::Timer | Role::Pause | Role::Limit | Role::WaitLimit => Role::Timer,
        };
        if family != expected {
            let (has, asked) = (noun(expected), noun(family));
            return Err(non_determinism(&format!(
                "history has the completion of action {id} as {has}, but the function asked for {asked}"
            )));
        }
        if role != Role::Limit && role != Role::WaitLimit && role != Role::Pause {
            self.open.remove(&id);
        }
        Ok(Some(reference))
    }

    fn resolved(&mut self, reference: Ref, value: &Payload) -> Option<Job> {
        if let Some(Call::Activity(attempts) | Call::Child(attempts)) = self.calls.remove(&reference) {
            self.disarm(attempts.limit);
        }
        Some(Job::Done { reference, value: value.clone() })
    }

    /// Hands the first buffered event of a name to the first wait for it.
    fn hand_out(&mut self, key: &str) -> Option<Job> {
        let calls = &self.calls;
        let (reference, event) = self.waits.take(key, |reference| calls.contains_key(&reference))?;
        if let Some(Call::Wait { limit, .. }) = self.calls.remove(&reference) {
            self.disarm(limit);
        }
        let value = match event.message().event_type.as_ref() {
            Some(EventType::EventRaised(raised)) => raised.input.clone(),
            _ => None,
        };
        Some(Job::Done { reference, value })
    }

    /// Takes back a timer that is not needed any more.
    pub(super) fn disarm(&mut self, timer: Option<i32>) {
        if let Some(id) = timer {
            self.open.remove(&id);
            self.cancelled_timers.push(id);
        }
    }
}

const fn noun(role: Role) -> &'static str {
    match role {
        Role::Task => "an activity",
        Role::Child => "a child workflow",
        Role::Timer | Role::Pause | Role::Limit | Role::WaitLimit => "a timer",
    }
}

/// A child that ended without saying why was terminated; Dapr sends no details then.
pub(super) fn child_failure(details: Option<&wire::TaskFailureDetails>) -> Failure {
    let known = details.filter(|details| !details.error_type.is_empty() || !details.error_message.is_empty());
    known.map(Failure::from).unwrap_or_else(|| {
        let cause = Failure {
            error_type: "WorkflowTerminated".to_owned(),
            message: "the workflow was terminated".to_owned(),
            ..Failure::default()
        };
        Failure {
            error_type: "ChildWorkflowError".to_owned(),
            message: "the child workflow was terminated".to_owned(),
            cause: Some(Box::new(cause)),
            ..Failure::default()
        }
    })
}

/// The code of a failure that reaches a function, told by the types that the library itself makes.
pub(super) fn code_of(failure: &Failure, otherwise: ErrorKind) -> ErrorKind {
    match failure.error_type.as_str() {
        "WorkflowTerminated" => ErrorKind::WorkflowTerminated,
        "WorkflowAlreadyExists" => ErrorKind::AlreadyExists,
        "ActivityTimeout" => ErrorKind::Timeout,
        "ActivityNotRegistered" => ErrorKind::ActivityNotRegistered,
        _ => otherwise,
    }
}

fn surplus(action: &wire::WorkflowAction) -> Stall {
    use super::ledger::{Kind, shown};
    use wire::workflow_action::WorkflowActionType as Type;
    let what = match &action.workflow_action_type {
        Some(Type::ScheduleTask(task)) => shown(Kind::Task, Some(&task.name)),
        Some(Type::CreateChildWorkflow(child)) => shown(Kind::Child, Some(&child.name)),
        Some(Type::CreateTimer(_)) => shown(Kind::Timer, None),
        Some(Type::SendEvent(sent)) => shown(Kind::Sent, Some(&sent.name)),
        Some(Type::CreateDetachedWorkflow(started)) => shown(Kind::Detached, Some(&started.name)),
        _ => shown(Kind::Completed, None),
    };
    non_determinism(&format!(
        "while it replays, the function asks for action {}, {what}, which history does not have",
        action.id
    ))
}
