//! What a worker knows: tasks at the host, tasks to be fetched, cached instances.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::replay::{Next, Replay};
use super::source::{Session, TurnOutcome};
use super::sticky::{Instance, Sticky};
use super::too_large;
use crate::bridge::{self, ActivityAnswer, Command, EvictReason, Job, PayloadMode, Slots, Stall, Step};
use crate::engine::machine::Evict;
use crate::engine::task::{ActivityKey, ActivityResult, ActivityTask, RunKey, WorkflowTask};
use crate::engine::{ActivityWork, WorkflowWork};
use crate::error::ErrorKind;
use crate::model::{Failure, Payload};

/// How much text one part of a rebuild holds.
const PART: usize = 1 << 20;
/// How many batches of a kind can be polled again.
const KEPT: usize = 2;

pub(super) struct State {
    pub(super) rung_workflows: bool,
    pub(super) rung_activities: bool,
    pub(super) closing: bool,
    max_cached: usize,
    slots: Slots,
    cached: Sticky,
    /// Turns at the host, by the text's token.
    turns: HashMap<String, Turn>,
    /// Turns whose next jobs are being made outside the lock, by the source's token: the run, and whether the source has
    /// given it up meanwhile.
    preparing: HashMap<u64, (RunKey, bool)>,
    /// Tasks that the next poll hands over.
    ready: VecDeque<Ready>,
    activities: HashMap<String, ActivityKey>,
    tokens: HashMap<ActivityKey, String>,
    fetched: VecDeque<Arc<ActivityTask>>,
    cancels: Vec<String>,
    batches: u64,
    kept: VecDeque<(String, Kept)>,
    secret: u64,
    count: u64,
}

/// A turn that a host works on.
pub(super) struct Turn {
    /// Boxed, since it passes through maps and queues on its way.
    instance: Box<Instance>,
    /// The source's token.
    token: u64,
}

struct Ready {
    /// Absent for an eviction, whose answer nobody waits for.
    turn: Option<Turn>,
    id: Arc<str>,
    execution_id: Arc<str>,
    more: bool,
    jobs: Vec<Job>,
}

enum Kept {
    Workflows(Vec<bridge::WorkflowTask>),
    Activities(Vec<bridge::ActivityTask>, Vec<String>),
}

/// A turn and how far its replay got.
pub(super) struct Progress {
    turn: Turn,
    next: Result<Next, Stall>,
}

impl Turn {
    /// The source's token.
    pub(super) fn token(&self) -> u64 {
        self.token
    }

    /// Applies the host's answer and looks for what follows. Runs without the worker's lock: this is where the time goes.
    pub(super) fn answer(mut self, steps: Result<Vec<Step>, Stall>, max_payload: usize) -> Progress {
        let applied = steps.and_then(|steps| {
            check_sizes(&steps, max_payload)?;
            self.instance.replay.apply(steps)
        });
        match applied {
            Ok(()) => self.advance(),
            Err(stall) => Progress { turn: self, next: Err(stall) },
        }
    }

    fn advance(mut self) -> Progress {
        let next = self.instance.replay.next(PART);
        Progress { turn: self, next }
    }
}

/// Makes the first jobs of a turn: of a cached instance, or of one that is rebuilt from its history. Runs without the
/// worker's lock.
pub(super) fn begin(
    task: WorkflowTask,
    cached: Option<Box<Instance>>,
    session: &dyn Session,
) -> Option<Progress> {
    let mut instance = match cached {
        Some(instance) => instance,
        None => {
            let mut replay = Replay::new(&task.instance_id);
            if task.has_past {
                match session.past(&task) {
                    Ok(past) => replay.past(past),
                    Err(_) => {
                        session.give_back(task.run, task.token);
                        return None;
                    }
                }
            }
            Box::new(Instance {
                run: task.run,
                id: task.instance_id.clone(),
                execution_id: task.execution_id.clone(),
                replay,
                turn: task.turn,
            })
        }
    };
    instance.turn = task.turn;
    instance.replay.turn(task.events);
    Some(Turn { instance, token: task.token }.advance())
}

impl State {
    pub(super) fn new(max_cached: usize, slots: Slots) -> State {
        State {
            rung_workflows: false,
            rung_activities: false,
            closing: false,
            max_cached,
            slots,
            cached: Sticky::default(),
            turns: HashMap::new(),
            preparing: HashMap::new(),
            ready: VecDeque::new(),
            activities: HashMap::new(),
            tokens: HashMap::new(),
            fetched: VecDeque::new(),
            cancels: Vec::new(),
            batches: 0,
            kept: VecDeque::new(),
            secret: uuid::Uuid::new_v4().as_u64_pair().0,
            count: 0,
        }
    }

    /// A token that cannot be guessed and is not used again.
    fn token(&mut self) -> String {
        self.count += 1;
        let mut mixed = self.secret.wrapping_add(self.count.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        format!("{:016x}", mixed ^ (mixed >> 31))
    }

    /// How many more turns may be taken.
    pub(super) fn free_turns(&self, max: usize) -> usize {
        let open = self.turns.len()
            + self.preparing.len()
            + self.ready.iter().filter(|ready| ready.turn.is_some()).count();
        max.min(self.slots.workflows.saturating_sub(open))
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
        let mut tasks = Vec::new();
        let mut bytes = 0;
        while tasks.len() < max.max(1)
            && (tasks.is_empty() || bytes < max_bytes)
            && let Some(ready) = self.ready.pop_front()
        {
            bytes += ready.jobs.iter().map(bridge::text_len).sum::<usize>();
            let token = self.token();
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
        let batch = self.batch();
        let text = bridge::write_workflow_tasks(&batch, &tasks, mode);
        self.keep(batch, Kept::Workflows(tasks));
        Some(text)
    }

    fn batch(&mut self) -> String {
        self.batches += 1;
        format!("b{}", self.batches)
    }

    fn keep(&mut self, batch: String, kept: Kept) {
        let workflows = matches!(kept, Kept::Workflows(_));
        let same = |other: &(String, Kept)| matches!(other.1, Kept::Workflows(_)) == workflows;
        if self.kept.iter().filter(|other| same(other)).count() >= KEPT
            && let Some(at) = self.kept.iter().position(same)
        {
            self.kept.remove(at);
        }
        self.kept.push_back((batch, kept));
    }

    /// A kept batch with every payload as a string.
    pub(super) fn rewrite(&self, batch: &str) -> Option<String> {
        let (_, kept) = self.kept.iter().find(|(name, _)| name == batch)?;
        Some(match kept {
            Kept::Workflows(tasks) => bridge::write_workflow_tasks(batch, tasks, PayloadMode::Text),
            Kept::Activities(tasks, cancels) => {
                bridge::write_activity_tasks(batch, tasks, cancels, PayloadMode::Text)
            }
        })
    }

    /// How many more activities may be taken.
    pub(super) fn free_activities(&self, max: usize) -> usize {
        max.min(self.slots.activities.saturating_sub(self.activities.len() + self.fetched.len()))
    }

    pub(super) fn accept_activities(&mut self, work: ActivityWork) {
        for key in work.cancels {
            if let Some(token) = self.tokens.remove(&key) {
                self.activities.remove(&token);
                self.cancels.push(token);
            }
            self.fetched.retain(|task| task.activity_key() != key);
        }
        self.fetched.extend(work.tasks);
    }

    /// The batch of activities that a poll hands over, if there is one.
    pub(super) fn write_activities(
        &mut self,
        max: usize,
        max_bytes: usize,
        mode: PayloadMode,
    ) -> Option<String> {
        let cancels = std::mem::take(&mut self.cancels);
        let mut tasks = Vec::new();
        let mut bytes = 0;
        while tasks.len() < max.max(1)
            && (tasks.is_empty() || bytes < max_bytes)
            && let Some(task) = self.fetched.pop_front()
        {
            bytes += 160 + task.input.as_ref().map_or(0, String::len);
            let token = self.token();
            self.activities.insert(token.clone(), task.activity_key());
            self.tokens.insert(task.activity_key(), token.clone());
            tasks.push(activity_text(token, &task));
        }
        if tasks.is_empty() && cancels.is_empty() {
            return None;
        }
        let batch = self.batch();
        let text = bridge::write_activity_tasks(&batch, &tasks, &cancels, mode);
        self.keep(batch, Kept::Activities(tasks, cancels));
        Some(text)
    }

    /// What an activity ended with; a stale or repeated answer gives nothing.
    pub(super) fn activity_answer(
        &mut self,
        answer: ActivityAnswer,
        max_payload: usize,
    ) -> Option<(ActivityKey, ActivityResult)> {
        let key = self.activities.remove(&answer.token)?;
        self.tokens.remove(&key);
        let result = match answer.result {
            Ok(Some(value)) if value.len() > max_payload => Err(Failure {
                error_type: ErrorKind::PayloadTooLarge.code().to_owned(),
                message: format!(
                    "the activity's result has {} bytes, the limit is {max_payload}; return a reference instead, or raise max_payload_bytes",
                    value.len()
                ),
                non_retriable: true,
                ..Failure::default()
            }),
            Ok(value) => Ok(value),
            Err(error) => Err(Failure::from(&error)),
        };
        Some((key, result))
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
        self.activities.clear();
        self.tokens.clear();
        self.fetched.clear();
    }

    pub(super) fn is_drained_of_turns(&self) -> bool {
        self.turns.is_empty() && self.ready.is_empty() && self.preparing.is_empty()
    }

    pub(super) fn is_drained_of_activities(&self) -> bool {
        self.activities.is_empty() && self.fetched.is_empty()
    }

    pub(super) fn is_drained(&self) -> bool {
        self.is_drained_of_turns() && self.is_drained_of_activities()
    }
}

fn activity_text(token: String, task: &ActivityTask) -> bridge::ActivityTask {
    bridge::ActivityTask {
        token,
        name: task.name.clone(),
        input: task.input.clone(),
        id: task.instance_id.to_string(),
        run: task.execution_id.to_string(),
        task: task.task_id,
        attempt: u32::try_from(task.attempt).unwrap_or(1),
        key: task.execution_key.clone(),
        deadline: task.deadline.map(|deadline| deadline.as_millis()),
    }
}

/// Payloads enter the core here; what is too large goes no further.
fn check_sizes(steps: &[Step], max: usize) -> Result<(), Stall> {
    let fits = |payload: &Payload| payload.as_ref().is_none_or(|text| text.len() <= max);
    let command_fits = |command: &Command| match command {
        Command::Activity { input, .. } | Command::Child { input, .. } | Command::Continue { input, .. } => {
            fits(input)
        }
        Command::Send { data, .. } => fits(data),
        Command::Status { status } => fits(status),
        Command::Complete { output } => fits(output),
        _ => true,
    };
    if steps.iter().flatten().all(command_fits) { Ok(()) } else { Err(too_large(max)) }
}
