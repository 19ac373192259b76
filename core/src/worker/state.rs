//! What a worker knows: tasks at the host, tasks to be fetched, cached instances.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::activities::Activities;
use super::batches::{Batches, Kept};
use super::replay::Next;
use super::source::TurnOutcome;
use super::sticky::{Instance, Sticky};
use super::turn::{Progress, Turn};
use crate::bridge::{self, EvictReason, Job, PayloadMode, Slots};
use crate::engine::WorkflowWork;
use crate::engine::machine::Evict;
use crate::engine::task::{RunKey, TurnResult, WorkflowTask};
use crate::history::wire;
use crate::history::wire::workflow_action::WorkflowActionType;

pub(super) struct State {
    pub(super) rung_workflows: bool,
    pub(super) rung_activities: bool,
    pub(super) closing: bool,
    max_cached: usize,
    /// How many turns may be with the host at a time.
    slots: usize,
    cached: Sticky,
    /// Turns at the host, by the text's token.
    turns: HashMap<String, Turn>,
    /// Turns whose next jobs are being made outside the lock, by the source's token: the run, and whether the source has
    /// given it up meanwhile.
    preparing: HashMap<u64, (RunKey, bool)>,
    /// Tasks that the next poll hands over.
    ready: VecDeque<Ready>,
    pub(super) activities: Activities,
    pub(super) batches: Batches,
}

/// Whether the turn ended the run because the runtime asked for that.
fn is_terminated(result: &TurnResult) -> bool {
    let terminated = i32::from(wire::OrchestrationStatus::Terminated);
    let last = result.actions.last().and_then(|action| action.workflow_action_type.as_ref());
    matches!(last, Some(WorkflowActionType::CompleteWorkflow(end)) if end.workflow_status == terminated)
}

struct Ready {
    /// Absent for an eviction, whose answer nobody waits for.
    turn: Option<Turn>,
    id: Arc<str>,
    execution_id: Arc<str>,
    more: bool,
    jobs: Vec<Job>,
}

impl State {
    pub(super) fn new(max_cached: usize, slots: Slots) -> State {
        State {
            rung_workflows: false,
            rung_activities: false,
            closing: false,
            max_cached,
            slots: slots.workflows,
            cached: Sticky::default(),
            turns: HashMap::new(),
            preparing: HashMap::new(),
            ready: VecDeque::new(),
            activities: Activities::new(slots.activities),
            batches: Batches::new(),
        }
    }

    /// How many more turns may be taken.
    pub(super) fn free_turns(&self, max: usize) -> usize {
        let open = self.turns.len()
            + self.preparing.len()
            + self.ready.iter().filter(|ready| ready.turn.is_some()).count();
        max.min(self.slots.saturating_sub(open))
    }

    /// Takes in what the source gave: evictions at once; turns go out with their cached instances to be begun.
    pub(super) fn accept(&mut self, work: WorkflowWork) -> Vec<(WorkflowTask, Option<Box<Instance>>)> {
        for (run, reason) in work.evictions {
            let reason = match reason {
                Evict::Ended => EvictReason::Ended,
                Evict::Stalled => EvictReason::Stalled,
            };
            self.drop_run(run, reason);
        }
        let mut begun = Vec::with_capacity(work.tasks.len());
        for task in work.tasks {
            self.preparing.insert(task.token, (task.run, false));
            let cached = self.cached.remove(task.run);
            match cached {
                Some(instance) if instance.turn == task.turn => begun.push((task, Some(instance))),
                Some(instance) => {
                    // Something was written meanwhile that this instance has not seen.
                    self.evict(&instance, EvictReason::Full);
                    begun.push((task, None));
                }
                None => begun.push((task, None)),
            }
        }
        begun
    }

    /// A run that the engine no longer wants, cached or at the host.
    fn drop_run(&mut self, run: RunKey, reason: EvictReason) {
        if let Some(instance) = self.cached.remove(run) {
            return self.evict(&instance, reason);
        }
        let at_host =
            self.turns.iter().find(|(_, turn)| turn.instance.run == run).map(|(token, _)| token.clone());
        if let Some(turn) = at_host.and_then(|token| self.turns.remove(&token)) {
            return self.evict(&turn.instance, reason);
        }
        if let Some(at) = self
            .ready
            .iter()
            .position(|ready| ready.turn.as_ref().is_some_and(|turn| turn.instance.run == run))
            && let Some(Ready { turn: Some(turn), .. }) = self.ready.remove(at)
        {
            return self.evict(&turn.instance, reason);
        }
        for (preparing, given_up) in self.preparing.values_mut() {
            *given_up |= *preparing == run;
        }
    }

    fn evict(&mut self, instance: &Instance, reason: EvictReason) {
        self.ready.push_back(Ready {
            turn: None,
            id: instance.id.clone(),
            execution_id: instance.execution_id.clone(),
            more: false,
            jobs: vec![Job::Evict { reason }],
        });
    }

    /// Takes in how far the turn with this token of the source got; absent, it was given back. What needs no more of the
    /// host is the source's to know.
    pub(super) fn begun(&mut self, token: u64, step: Option<Progress>, now: Instant) -> Option<TurnOutcome> {
        let given_up = self.preparing.remove(&token).is_some_and(|(_, given_up)| given_up);
        let Progress { turn, next } = step?;
        if given_up {
            // The source knows nothing of the turn any more, and must not find the instance cached.
            self.evict(&turn.instance, EvictReason::Ended);
            return None;
        }
        let Turn { mut instance, token } = turn;
        let run = instance.run;
        match next {
            Ok(Next::Jobs { jobs, more }) => {
                let (id, execution_id) = (instance.id.clone(), instance.execution_id.clone());
                let turn = Some(Turn { instance, token });
                self.ready.push_back(Ready { turn, id, execution_id, more, jobs });
                None
            }
            Ok(Next::Done(result)) => {
                let cached = !result.finished && !self.closing && self.max_cached > 0;
                instance.turn += 1;
                if cached {
                    self.cached.insert(instance, now);
                } else if is_terminated(&result) {
                    // The function has not ended by itself: its host still has it.
                    self.evict(&instance, EvictReason::Ended);
                } else if !result.finished {
                    let reason = if self.closing { EvictReason::Closing } else { EvictReason::Full };
                    self.evict(&instance, reason);
                }
                Some(TurnOutcome { run, token, outcome: Ok(result), cached })
            }
            Err(stall) => {
                self.evict(&instance, EvictReason::Stalled);
                Some(TurnOutcome { run, token, outcome: Err(stall), cached: false })
            }
        }
    }

    /// The turn that an answer names; a stale or repeated one names none.
    pub(super) fn answered(&mut self, token: &str) -> Option<Turn> {
        let turn = self.turns.remove(token)?;
        self.preparing.insert(turn.token, (turn.instance.run, false));
        Some(turn)
    }

    /// Drops instances beyond the limit; the source is to be told of them once the worker's lock is free.
    pub(super) fn shrink(&mut self) -> Vec<RunKey> {
        let mut dropped = Vec::new();
        while self.cached.len() > self.max_cached
            && let Some(instance) = self.cached.pop()
        {
            dropped.push(instance.run);
            self.evict(&instance, EvictReason::Full);
        }
        dropped
    }

    /// Drops instances that have been idle for too long; the source is to be told as with [`State::shrink`].
    pub(super) fn expire(&mut self, now: Instant, idle: Duration) -> Vec<RunKey> {
        let mut dropped = Vec::new();
        while self.cached.oldest().is_some_and(|used| now.duration_since(used) >= idle)
            && let Some(instance) = self.cached.pop()
        {
            dropped.push(instance.run);
            self.evict(&instance, EvictReason::Full);
        }
        dropped
    }

    /// When the next instance has been idle for too long.
    pub(super) fn idle_until(&self, idle: Duration) -> Option<Instant> {
        self.cached.oldest().map(|used| used + idle)
    }

    pub(super) fn has_ready_turns(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The batch that a poll hands over, if there is one.
    pub(super) fn write_turns(&mut self, max: usize, max_bytes: usize, mode: PayloadMode) -> Option<String> {
        let mut tasks = Vec::with_capacity(max.max(1).min(self.ready.len()));
        let mut bytes = 0;
        while tasks.len() < max.max(1)
            && (tasks.is_empty() || bytes < max_bytes)
            && let Some(ready) = self.ready.pop_front()
        {
            bytes += ready.jobs.iter().map(bridge::text_len).sum::<usize>();
            let token = self.batches.token();
            let task = bridge::WorkflowTask {
                token: token.clone(),
                id: ready.id.to_string(),
                run: ready.execution_id.to_string(),
                more: ready.more,
                jobs: ready.jobs,
            };
            tasks.push(task);
            if let Some(turn) = ready.turn {
                self.turns.insert(token, turn);
            }
        }
        if tasks.is_empty() {
            return None;
        }
        let batch = self.batches.number();
        let text = bridge::write_workflow_tasks(&batch, &tasks, mode);
        self.batches.keep(batch, Kept::Workflows(tasks));
        Some(text)
    }

    /// The batch of activities that a poll hands over, if there is one.
    pub(super) fn write_activities(
        &mut self,
        max: usize,
        max_bytes: usize,
        mode: PayloadMode,
    ) -> Option<String> {
        self.activities.write(&mut self.batches, max, max_bytes, mode)
    }

    /// Takes nothing more; what is cached goes.
    pub(super) fn close(&mut self) {
        self.closing = true;
        while let Some(instance) = self.cached.pop() {
            self.evict(&instance, EvictReason::Closing);
        }
    }

    /// Forgets what the host has not answered.
    pub(super) fn abandon(&mut self) {
        self.turns.clear();
        self.ready.clear();
        self.activities.abandon();
    }

    pub(super) fn is_drained_of_turns(&self) -> bool {
        self.turns.is_empty() && self.ready.is_empty() && self.preparing.is_empty()
    }

    pub(super) fn is_drained(&self) -> bool {
        self.is_drained_of_turns() && self.activities.is_drained()
    }
}
