//! The engine's one thread: it owns the machines and the store, and is the only part with I/O.
//!
//! A round takes everything that waits, runs the machines, writes one transaction and releases what waited for the
//! flush: that is group commit. What waits: answers to callers, activities, published states. What does not: turns,
//! since a turn's only effect is what it asks for, which passes through here again.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use super::dispatch::{Dispatch, Overdue, unknown_activity as unknown};
use super::machine::{Context, Effect, Evict, Ids, Machine, Message};
use super::request::{Control, Reply, Request};
use super::snapshot::Hub;
use super::store::{Key, Op, Store};
use super::task::{ActivityKey, ActivityTask, WorkflowTask};
use super::timers::Timers;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{BulkStep, Micros, RuntimeStatus, Started};

pub(super) mod bulk;
mod commit;
mod control;
mod instances;
mod purge;
#[cfg(test)]
mod rebuild_tests;
mod recover;
mod start;
#[cfg(test)]
mod tests;

use instances::not_found;

/// How many machines stay in memory beside those that are at work.
const CACHED: usize = 10_000;
/// How many due timers, recovered instances, terminated children or purged instances one round takes.
const SLICE: usize = 1_000;
const SMALL_SLICE: usize = 200;
/// For how much of everything the lists of a round keep room until the next one.
const ROOM: usize = 1_024;
/// How long an event may wait in memory only for the turn that it causes.
const STAGED: Duration = Duration::from_millis(50);
/// How long an engine whose disk is full waits before it tries lost work again: at first, and at most after several tries.
const BACKOFF: Duration = Duration::from_millis(200);
const LONGEST_BACKOFF: Duration = Duration::from_secs(5);

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
    /// How long the next refused try has to wait.
    backoff: Duration,
    recursions: VecDeque<(Key, usize)>,
    purges: VecDeque<purge::Purge>,
    bulks: bulk::Bulks,
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

impl Round {
    /// Forgets what it held. The room stays: lists that grow anew in every round cost more than what is put into them.
    fn clear(&mut self) {
        fn clear<T>(list: &mut Vec<T>) {
            list.clear();
            list.shrink_to(ROOM);
        }
        clear(&mut self.ops);
        clear(&mut self.touched);
        self.gone.clear();
        self.gone.shrink_to(ROOM);
        clear(&mut self.purged);
        self.messages.clear();
        self.messages.shrink_to(ROOM);
        clear(&mut self.tasks);
        clear(&mut self.tasks_after);
        clear(&mut self.activities);
        clear(&mut self.stops);
        clear(&mut self.answers);
    }
}

/// An answer that waits for the flush.
enum Answer {
    Done(Reply<()>),
    Started(Reply<Started>, Started),
    Count(Reply<u64>, u64),
    Bulk(Reply<BulkStep>, BulkStep),
    Settled(SyncSender<()>),
}

impl Answer {
    fn send(self) {
        // A caller that is gone needs no answer.
        match self {
            Answer::Done(reply) => drop(reply.send(Ok(()))),
            Answer::Started(reply, started) => drop(reply.send(Ok(started))),
            Answer::Count(reply, count) => drop(reply.send(Ok(count))),
            Answer::Bulk(reply, step) => drop(reply.send(Ok(step))),
            Answer::Settled(done) => drop(done.try_send(())),
        }
    }

    fn fail(self, error: &Error) {
        match self {
            Answer::Done(reply) => drop(reply.send(Err(error.duplicate()))),
            Answer::Started(reply, _) => drop(reply.send(Err(error.duplicate()))),
            Answer::Count(reply, _) => drop(reply.send(Err(error.duplicate()))),
            Answer::Bulk(reply, _) => drop(reply.send(Err(error.duplicate()))),
            // Who waits sees that nobody will answer.
            Answer::Settled(_) => {}
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
            backoff: BACKOFF,
            recursions: VecDeque::new(),
            purges: VecDeque::new(),
            bulks: bulk::Bulks::default(),
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
        let others = requests.iter().any(|request| !matches!(request, Request::Bulk(..) | Request::Look));
        for request in requests {
            self.request(request);
            self.deliver_messages();
        }
        if self.broken.is_none()
            && let Err(error) = self.housekeeping(others)
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

    fn housekeeping(&mut self, others: bool) -> Result<()> {
        self.save_staged(self.now);
        self.fire_timers()?;
        if self.backs_off() {
            self.deliver_messages();
            return Ok(());
        }
        self.recover_slice()?;
        self.recurse_slice()?;
        self.purge_slice()?;
        self.bulk_slice(others);
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
        let ready = !self.backs_off();
        if self.has_slices() && ready {
            return Some(now);
        }
        let bulk = self.bulks.due().filter(|_| ready);
        let reload = (!self.reload.is_empty()).then_some(self.reload_at);
        let staged = self.staged.front().map(|(due, _)| *due);
        let due = [self.timers.next_due(), staged, reload, bulk].into_iter().flatten().min()?;
        let wait = u64::try_from(due.0.saturating_sub(clock.0)).unwrap_or(0);
        // An instant that the clock cannot hold is not worth waking up for.
        now.checked_add(Duration::from_micros(wait))
    }

    /// When the next timer fires, if nothing else can happen before: no slice of work is left, no turn and no activity is at
    /// a worker or on its way to one. A turn that no connected worker can run is not waited for.
    ///
    /// It asks the machines and not the dispatch, where an answer on its way is nowhere.
    pub(crate) fn next_without_work(&self) -> Option<Micros> {
        let works = |machine: &Machine| {
            machine.has_activity() || (machine.has_turn() && self.dispatch.knows_workflow(machine.name()))
        };
        let still =
            self.broken.is_none() && !self.has_slices() && self.bulks.is_empty() && self.reload.is_empty();
        self.timers.next_due().filter(|_| still && !self.machines.values().any(|slot| works(&slot.machine)))
    }

    fn has_slices(&self) -> bool {
        self.recovery.is_some()
            || !self.recursions.is_empty()
            || !self.purges.is_empty()
            || !self.stalled.is_empty()
    }

    fn request(&mut self, request: Request) {
        if let Some(error) = &self.broken {
            return refuse(request, error);
        }
        match request {
            Request::Start(start, reply) => self.start(*start, reply),
            Request::Rerun(rerun, reply) => self.rerun(*rerun, reply),
            Request::Control(id, control, reply) => self.control(&id, control, reply),
            Request::Purge { instance_id, recursive, reply } => {
                self.begin_purge(&instance_id, recursive, reply);
            }
            Request::Bulk(slice, reply) => self.bulks.push(slice, reply),
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
            Request::Settle(done) => {
                self.save_staged(Micros(i64::MAX));
                self.round.answers.push(Answer::Settled(done));
            }
            // The last round: what is staged would be lost with the machines.
            Request::Close => self.save_staged(Micros(i64::MAX)),
            Request::Look => {}
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

    /// Writes what has been staged and is due until then.
    fn save_staged(&mut self, until: Micros) {
        while let Some((due, key)) = self.staged.front().copied()
            && due <= until
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
}

/// Once its grace is over, an activity whose name no worker has fails, and a turn whose version no worker has stalls.
pub(crate) fn give_up(overdue: Overdue, requests: &mut Vec<Request>) {
    requests.extend(overdue.activities.iter().map(|task| unknown_activity(task)));
    requests.extend(overdue.turns.into_iter().map(|(run, token, stall)| Request::Turn {
        run,
        token,
        outcome: Box::new(Err(stall)),
    }));
}

fn unknown_activity(task: &ActivityTask) -> Request {
    Request::Activity { key: task.activity_key(), result: Box::new(Err(unknown(&task.name))) }
}

/// Answers a request of a stopped engine.
pub(super) fn refuse(request: Request, error: &Error) {
    match request {
        Request::Start(_, reply) | Request::Rerun(_, reply) => drop(reply.send(Err(error.duplicate()))),
        Request::Control(_, _, reply) => drop(reply.send(Err(error.duplicate()))),
        Request::Purge { reply, .. } => drop(reply.send(Err(error.duplicate()))),
        Request::Bulk(_, reply) => drop(reply.send(Err(error.duplicate()))),
        _ => {}
    }
}
