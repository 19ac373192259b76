//! The engine's one thread: it owns the machines and the store, and is the only part with I/O.
//!
//! A round takes everything that waits, runs the machines, writes one transaction and releases what waited for the
//! flush: that is group commit. What waits: answers to callers, activities, published states. What does not: turns,
//! since a turn's only effect is what it asks for, which passes through here again.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::dispatch::Dispatch;
use super::machine::{Context, Effect, Evict, Ids, Machine, Message, NewInstance, child_failure, create};
use super::request::{Control, Reply, Request};
use super::snapshot::Hub;
use super::store::{Key, Op, Store};
use super::task::{ActivityKey, ActivityTask, WorkflowTask};
use super::timers::Timers;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Failure, Micros, RuntimeStatus, StartRequest, Started};

mod commit;
mod purge;
#[cfg(test)]
mod rebuild_tests;
mod recover;
#[cfg(test)]
mod tests;

/// How many machines stay in memory beside those that are at work.
const CACHED: usize = 10_000;
/// How many due timers, recovered instances, terminated children or purged instances one round takes.
const SLICE: usize = 1_000;
const SMALL_SLICE: usize = 200;
/// How long an event may wait in memory only for the turn that it causes.
const STAGED: Duration = Duration::from_millis(50);
/// How long an engine whose disk is full waits before it tries the lost work again.
const BACKOFF: Duration = Duration::from_millis(200);

/// Machines, store, and what is between two flushes.
pub(crate) struct Driver {
    store: Box<dyn Store>,
    machines: HashMap<Key, Box<Slot>>,
    by_id: HashMap<Arc<str>, Key>,
    timers: Timers,
    ids: Ids,
    dispatch: Arc<Dispatch>,
    hub: Arc<Hub>,
    now: Micros,
    number: u64,
    round: Round,
    effects: Vec<Effect>,
    staged: VecDeque<(Micros, Key)>,
    /// Where the search for unfinished work goes on; absent once it is done.
    recovery: Option<Key>,
    /// The first key that was given out after the store was opened: from here on nothing is to be recovered.
    first_new: Key,
    /// Machines that a failed commit took out of memory.
    reload: BTreeSet<Key>,
    reload_at: Micros,
    recursions: VecDeque<(Key, usize)>,
    purges: VecDeque<purge::Purge>,
    stalled: VecDeque<Key>,
    /// Above this number machines that have nothing to do leave memory.
    crowded: usize,
    broken: Option<Error>,
}

struct Slot {
    machine: Machine,
    /// The round that touched it last.
    touched: u64,
}

/// What one transaction holds, and what leaves after its flush.
#[derive(Default)]
struct Round {
    ops: Vec<Op>,
    touched: Vec<Key>,
    gone: HashSet<Key>,
    purged: Vec<Arc<str>>,
    messages: VecDeque<Message>,
    tasks: Vec<WorkflowTask>,
    tasks_after: Vec<WorkflowTask>,
    activities: Vec<ActivityTask>,
    stops: Vec<ActivityKey>,
    answers: Vec<Answer>,
}

/// An answer that waits for the flush.
enum Answer {
    Done(Reply<()>),
    Started(Reply<Started>, Started),
    Count(Reply<u64>, u64),
}

impl Answer {
    fn send(self) {
        // A caller that is gone needs no answer.
        match self {
            Answer::Done(reply) => drop(reply.send(Ok(()))),
            Answer::Started(reply, started) => drop(reply.send(Ok(started))),
            Answer::Count(reply, count) => drop(reply.send(Ok(count))),
        }
    }

    fn fail(self, error: &Error) {
        match self {
            Answer::Done(reply) => drop(reply.send(Err(error.duplicate()))),
            Answer::Started(reply, _) => drop(reply.send(Err(error.duplicate()))),
            Answer::Count(reply, _) => drop(reply.send(Err(error.duplicate()))),
        }
    }
}

impl Driver {
    /// Opens the engine's state: nothing is recovered yet, the first rounds do that in slices.
    pub(crate) fn open(
        mut store: Box<dyn Store>,
        dispatch: Arc<Dispatch>,
        hub: Arc<Hub>,
        seed: Option<u64>,
    ) -> Result<Driver> {
        let facts = store.facts()?;
        let timers = Timers::open(store.as_mut())?;
        Ok(Driver {
            store,
            machines: HashMap::new(),
            by_id: HashMap::new(),
            timers,
            ids: Ids::new(facts.next_key, facts.next_inbox, seed),
            dispatch,
            hub,
            now: facts.last_time,
            number: 0,
            round: Round::default(),
            effects: Vec::new(),
            staged: VecDeque::new(),
            recovery: Some(Key(i64::MIN)),
            first_new: Key(facts.next_key),
            reload: BTreeSet::new(),
            reload_at: Micros(0),
            recursions: VecDeque::new(),
            purges: VecDeque::new(),
            stalled: VecDeque::new(),
            crowded: CACHED * 5 / 4,
            broken: None,
        })
    }

    /// The latest time that was written or served.
    pub(crate) fn now(&self) -> Micros {
        self.now
    }

    /// Whether a fault of the store ended it.
    #[cfg(any(test, feature = "testkit"))]
    pub(crate) fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    /// What the store does while nothing happens.
    pub(crate) fn idle(&mut self) {
        if self.broken.is_none()
            && let Err(error) = self.store.idle()
        {
            self.stop(error);
        }
    }

    /// One round: everything that waits, one transaction, one flush. Gives whether it wrote anything.
    pub(crate) fn run(&mut self, requests: Vec<Request>, clock: Micros) -> bool {
        // Engine time never goes back, whatever the wall clock does.
        self.now = self.now.max(clock);
        self.number += 1;
        self.fill_timers();
        for request in requests {
            self.request(request);
            self.deliver_messages();
        }
        if self.broken.is_none()
            && let Err(error) = self.housekeeping()
        {
            self.fail(error);
        }
        self.commit()
    }

    /// Before anything is armed in this round: what is read here must be all that the store will have.
    fn fill_timers(&mut self) {
        if self.broken.is_none()
            && let Err(error) = self.timers.fill(SLICE, self.store.as_mut())
        {
            self.fail(error);
        }
    }

    fn housekeeping(&mut self) -> Result<()> {
        self.save_staged();
        self.fire_timers()?;
        if self.backs_off() {
            self.deliver_messages();
            return Ok(());
        }
        self.recover_slice()?;
        self.recurse_slice()?;
        self.purge_slice()?;
        self.retry_stalled()?;
        self.deliver_messages();
        Ok(())
    }

    /// Whether a failed commit's work is to wait: a full disk is not asked again at once.
    fn backs_off(&self) -> bool {
        !self.reload.is_empty() && self.reload_at > self.now
    }

    /// When a round is due although nobody asks for one. `now` and `clock` are the same moment.
    pub(crate) fn next_round(&self, now: Instant, clock: Micros) -> Option<Instant> {
        if self.broken.is_some() {
            return None;
        }
        let slices = self.recovery.is_some()
            || !self.recursions.is_empty()
            || !self.purges.is_empty()
            || !self.stalled.is_empty();
        if slices && !self.backs_off() {
            return Some(now);
        }
        let reload = (!self.reload.is_empty()).then_some(self.reload_at);
        let staged = self.staged.front().map(|(due, _)| *due);
        let due = [self.timers.next_due(), staged, reload].into_iter().flatten().min()?;
        let wait = u64::try_from(due.0.saturating_sub(clock.0)).unwrap_or(0);
        // An instant that the clock cannot hold is not worth waking up for.
        now.checked_add(Duration::from_micros(wait))
    }

    fn request(&mut self, request: Request) {
        if let Some(error) = &self.broken {
            return refuse(request, error);
        }
        match request {
            Request::Start(start, reply) => self.start(*start, reply),
            Request::Control(id, control, reply) => self.control(&id, control, reply),
            Request::Purge { instance_id, recursive, reply } => {
                self.begin_purge(&instance_id, recursive, reply);
            }
            Request::PurgeMatching(filter, reply) => self.begin_purge_matching(&filter, reply),
            Request::Turn { run, token, outcome } => {
                self.at(run.key, |machine, context, effects| {
                    if machine.run() != run {
                        return;
                    }
                    match *outcome {
                        Ok(result) => machine.turn_done(token, result, context, effects),
                        Err(stall) => machine.turn_stalled(token, stall, context, effects),
                    }
                });
            }
            Request::TurnLost { run, token } => {
                self.at(run.key, |machine, context, effects| {
                    if machine.run() == run {
                        machine.turn_lost(token, context, effects);
                    }
                });
            }
            Request::Activity { key, result } => {
                self.at(key.run.key, |machine, context, effects| {
                    if machine.run() == key.run || mutant!("stale_generation") {
                        machine.activity_done(key.task_id, *result, context, effects);
                    }
                });
            }
            Request::WorkerJoined => self.find_stalled(),
            Request::Look | Request::Close => {}
        }
    }

    /// Lets the machine in memory with this key take an input; one that is not in memory waits for no answer.
    fn at(&mut self, key: Key, input: impl FnOnce(&mut Machine, &mut Context<'_>, &mut Vec<Effect>)) {
        let Some(slot) = self.machines.get_mut(&key) else { return };
        if slot.touched != self.number {
            slot.touched = self.number;
            self.round.touched.push(key);
        }
        let mut context = Context { now: self.now, ids: &mut self.ids };
        let mut effects = std::mem::take(&mut self.effects);
        input(&mut slot.machine, &mut context, &mut effects);
        self.absorb(key, &mut effects);
        self.effects = effects;
    }

    fn absorb(&mut self, key: Key, effects: &mut Vec<Effect>) {
        let round = &mut self.round;
        for effect in effects.drain(..) {
            match effect {
                Effect::Store(op) => round.ops.push(op),
                Effect::Task(task) => round.tasks.push(task),
                Effect::TaskAfterFlush(task) => round.tasks_after.push(task),
                Effect::Activity(task) => round.activities.push(task),
                Effect::StopActivities(keys) => {
                    round.activities.retain(|task| !keys.contains(&task.activity_key()));
                    round.stops.extend(keys);
                }
                Effect::Timer(timer) => self.timers.arm(timer),
                Effect::Send(message) => round.messages.push_back(message),
                Effect::Staged => {
                    self.staged.push_back((self.now.plus(STAGED), key));
                }
                Effect::Evict(run, reason) => {
                    round.tasks.retain(|task| task.run != run);
                    round.tasks_after.retain(|task| task.run != run);
                    self.dispatch.evict(run, reason);
                }
                Effect::Recurse => self.recursions.push_back((key, 0)),
            }
        }
    }

    /// The key of the instance with this ID, in memory or not.
    fn lookup(&mut self, id: &str) -> Result<Option<(Key, RuntimeStatus)>> {
        if let Some(key) = self.by_id.get(id) {
            return Ok(self.machines.get(key).map(|slot| (*key, slot.machine.row().status)));
        }
        let row = self.store.find(id)?;
        Ok(row.filter(|row| !self.round.gone.contains(&row.key)).map(|row| (row.key, row.status)))
    }

    /// Sees to it that the machine is in memory. False if there is no such instance.
    fn summon(&mut self, key: Key) -> Result<bool> {
        if self.machines.contains_key(&key) {
            return Ok(true);
        }
        if self.round.gone.contains(&key) {
            return Ok(false);
        }
        let Some(loaded) = self.store.load(key)? else { return Ok(false) };
        // Whoever is faster than the recovery does its work for this instance.
        let unrecovered = self.reload.remove(&key)
            || (key < self.first_new && self.recovery.is_some_and(|done| key > done));
        let turns = if unrecovered { loaded.turns.clone() } else { Vec::new() };
        self.insert(Machine::load(loaded)?);
        if unrecovered {
            self.recover_machine(key, &turns)?;
        }
        Ok(true)
    }

    fn insert(&mut self, machine: Machine) {
        let key = machine.key();
        self.by_id.insert(machine.instance_id().clone(), key);
        self.machines.insert(key, Box::new(Slot { machine, touched: 0 }));
    }

    fn remove(&mut self, key: Key) -> Option<Machine> {
        let slot = self.machines.remove(&key)?;
        if self.by_id.get(slot.machine.instance_id()) == Some(&key) {
            self.by_id.remove(slot.machine.instance_id());
        }
        Some(slot.machine)
    }

    fn start(&mut self, request: StartRequest, reply: Reply<Started>) {
        let reuse = request.reuse;
        let new = NewInstance {
            id: request.instance_id.unwrap_or_default(),
            name: request.name,
            input: request.input,
            version: request.version,
            tags: request.tags,
            start_at: request.start_at,
            parent: None,
        };
        match self.create(new, reuse == crate::model::Reuse::Never) {
            Ok(started) => self.round.answers.push(Answer::Started(reply, started)),
            Err(error) => drop(reply.send(Err(error))),
        }
    }

    /// Creates an instance, in the place of a finished one of the same ID unless `unique`.
    fn create(&mut self, new: NewInstance, unique: bool) -> Result<Started> {
        if let Some((key, status)) = self.lookup(&new.id)? {
            if !status.is_terminal() {
                let text = "a workflow instance with this ID exists and has not finished; choose another ID, or terminate it first";
                return Err(Error::new(ErrorKind::AlreadyExists, text).of_instance(new.id));
            }
            if unique {
                let text = "a finished workflow instance has this ID and the start must not replace it; choose another ID, or purge it first";
                return Err(Error::new(ErrorKind::AlreadyExists, text).of_instance(new.id));
            }
            self.delete(key, &new.id)?;
        }
        let mut context = Context { now: self.now, ids: &mut self.ids };
        let mut effects = std::mem::take(&mut self.effects);
        let machine = create(new, &mut context, &mut effects);
        let started = Started {
            instance_id: machine.instance_id().to_string(),
            execution_id: Some(machine.execution_id().to_string()),
        };
        let key = machine.key();
        self.insert(machine);
        if let Some(slot) = self.machines.get_mut(&key) {
            slot.touched = self.number;
        }
        self.round.touched.push(key);
        self.absorb(key, &mut effects);
        self.effects = effects;
        Ok(started)
    }

    /// Deletes an instance in this round. Children that are still to be terminated are terminated with it: nothing would
    /// remember them.
    fn delete(&mut self, key: Key, id: &str) -> Result<()> {
        self.finish_recursion(key, id)?;
        if let Some(mut machine) = self.remove(key) {
            // Rows that were to be updated in this round are gone with it.
            machine.flush(&mut Vec::new());
        }
        self.recursions.retain(|(open, _)| *open != key);
        self.round.ops.push(Op::Delete(key));
        self.round.gone.insert(key);
        Ok(())
    }

    fn control(&mut self, id: &str, control: Control, reply: Reply<()>) {
        let found = self.lookup(id).and_then(|found| match found {
            Some((key, _)) => Ok(self.summon(key)?.then_some(key)),
            None => Ok(None),
        });
        let key = match found {
            Ok(Some(key)) => key,
            Ok(None) => return drop(reply.send(Err(not_found(id)))),
            Err(error) => return drop(reply.send(Err(error))),
        };
        if matches!(control, Control::Pause(_)) {
            self.withdraw_turn(key);
        }
        self.at(key, |machine, context, effects| match control {
            Control::Raise { name, data } => machine.raise(name, data, context, effects),
            Control::Pause(reason) => machine.suspend(reason, context, effects),
            Control::Resume(reason) => machine.resume(reason, context, effects),
            Control::Terminate { output, recursive } => {
                machine.terminate(output, recursive, context, effects);
            }
        });
        self.round.answers.push(Answer::Done(reply));
    }

    /// A turn that no worker has taken yet must not hold a pause up: without a worker that would be for ever.
    fn withdraw_turn(&mut self, key: Key) {
        let Some(slot) = self.machines.get_mut(&key) else { return };
        let run = slot.machine.run();
        let queued = self.round.tasks.len() + self.round.tasks_after.len();
        self.round.tasks.retain(|task| task.run != run);
        self.round.tasks_after.retain(|task| task.run != run);
        let left = self.round.tasks.len() + self.round.tasks_after.len();
        if left < queued || self.dispatch.withdraw(run) {
            slot.machine.turn_withdrawn();
        }
    }

    /// Messages between instances belong to the same transaction.
    fn deliver_messages(&mut self) {
        while let Some(message) = self.round.messages.pop_front() {
            if let Err(error) = self.deliver(message) {
                return self.fail(error);
            }
        }
    }

    fn deliver(&mut self, message: Message) -> Result<()> {
        match message {
            Message::Start(new) => {
                let parent = new.parent.as_ref().map(|parent| parent.link.clone());
                let id = new.id.clone();
                match self.create(*new, false) {
                    Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                        let Some(parent) = parent else { return Ok(()) };
                        let message = format!(
                            "a workflow instance with the child's ID {id:?} exists and has not finished"
                        );
                        let failure = child_failure("WorkflowAlreadyExists", message);
                        self.deliver(Message::ChildDone { parent, result: Err(failure) })
                    }
                    other => other.map(drop),
                }
            }
            Message::ChildDone { parent, result } => {
                if self.summon(parent.key)? {
                    self.at(parent.key, |machine, context, effects| {
                        if machine.run().generation == parent.generation {
                            machine.child_done(parent.task_id, result, context, effects);
                        }
                    });
                }
                Ok(())
            }
            Message::Raise { instance_id, name, data } => {
                if let Some((key, _)) = self.lookup(&instance_id)?
                    && self.summon(key)?
                {
                    self.at(key, |machine, context, effects| machine.raise(name, data, context, effects));
                }
                Ok(())
            }
        }
    }

    fn save_staged(&mut self) {
        while let Some((due, key)) = self.staged.front().copied()
            && due <= self.now
        {
            self.staged.pop_front();
            self.at(key, |machine, context, effects| machine.save_staged(context, effects));
        }
    }

    fn fire_timers(&mut self) -> Result<()> {
        if self.timers.next_due().is_none_or(|due| due > self.now) {
            return Ok(());
        }
        for timer in self.timers.due(self.now, SLICE) {
            if self.summon(timer.key)? {
                self.at(timer.key, |machine, context, effects| machine.timer_fired(timer, context, effects));
            }
        }
        Ok(())
    }

    fn evict_machines(&mut self) {
        if self.machines.len() <= self.crowded {
            return;
        }
        let mut idle: Vec<(u64, Key)> = self
            .machines
            .iter()
            .filter(|(_, slot)| slot.machine.is_idle())
            .map(|(key, slot)| (slot.touched, *key))
            .collect();
        idle.sort_unstable();
        let excess = self.machines.len() - CACHED;
        for (_, key) in idle.into_iter().take(excess) {
            if let Some(machine) = self.remove(key) {
                self.hub.forget(machine.instance_id());
            }
        }
        // Those that cannot leave are not looked through again in every round.
        self.crowded = self.machines.len().max(CACHED) * 5 / 4;
    }
}

fn not_found(id: &str) -> Error {
    Error::new(ErrorKind::NotFound, "no such workflow instance").of_instance(id)
}

/// An activity whose name no worker has fails once its grace is over.
pub(super) fn unknown_activity(task: &ActivityTask) -> Request {
    let failure = Failure {
        error_type: "ActivityNotRegistered".to_owned(),
        message: format!("no connected worker has the activity {:?}; register it with a worker", task.name),
        non_retriable: true,
        ..Failure::default()
    };
    Request::Activity { key: task.activity_key(), result: Box::new(Err(failure)) }
}

/// Answers a request of a stopped engine.
pub(super) fn refuse(request: Request, error: &Error) {
    match request {
        Request::Start(_, reply) => drop(reply.send(Err(error.duplicate()))),
        Request::Control(_, _, reply) => drop(reply.send(Err(error.duplicate()))),
        Request::Purge { reply, .. } | Request::PurgeMatching(_, reply) => {
            drop(reply.send(Err(error.duplicate())));
        }
        _ => {}
    }
}
