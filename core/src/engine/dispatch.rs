//! Which worker gets which task. Tasks wait here, at the source, until a worker asks for them: nothing is handed to a
//! worker that has no room, and what a worker leaves behind goes to another one.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::machine::Evict;
use super::task::{ActivityKey, ActivityTask, RunKey, Version, WorkflowTask};

mod abilities;
mod absent;
mod activities;
#[cfg(test)]
mod tests;
mod turns;

pub use abilities::Abilities;
#[cfg(any(test, feature = "testkit"))]
pub(crate) use absent::VERSION_GRACE;
pub(crate) use absent::{Overdue, unknown_activity};

/// Number of a worker's registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WorkerId(u64);

/// How a worker hears of new work. Called without any lock held that the worker could need.
pub trait Bell: Send + Sync {
    /// There may be a workflow task or an eviction.
    fn workflows(&self);
    /// There may be an activity or a cancellation.
    fn activities(&self);
}

/// Tasks that wait and tasks that run.
#[derive(Default)]
pub(crate) struct Dispatch {
    inner: Mutex<Inner>,
}

// What is walked through is ordered, so that a simulated life repeats itself.
#[derive(Default)]
struct Inner {
    /// Whether a name that no worker has is waited for as long as a version only.
    strict: bool,
    next: u64,
    workers: BTreeMap<WorkerId, Entry>,
    /// Turns of instances that no worker has cached.
    fresh: BTreeMap<Wanted, VecDeque<WorkflowTask>>,
    /// The worker that has a run cached, or runs its turn.
    homes: HashMap<RunKey, WorkerId>,
    turns: HashMap<RunKey, (WorkerId, u64)>,
    /// The token of each run's waiting turn. A queued turn that is not here any more was taken back and is skipped.
    waiting: HashMap<RunKey, u64>,
    activities: BTreeMap<String, VecDeque<Arc<ActivityTask>>>,
    running: HashMap<ActivityKey, (WorkerId, Arc<ActivityTask>)>,
    /// Since when the name of an activity has been waited for in vain.
    unknown: BTreeMap<String, Instant>,
    /// Since when a version has been waited for in vain.
    missing: BTreeMap<Wanted, Instant>,
}

/// What a worker must have to run a turn.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Wanted {
    name: Arc<str>,
    version: Version,
}

struct Entry {
    abilities: Arc<Abilities>,
    bell: Arc<dyn Bell>,
    /// Turns of instances that this worker has cached.
    sticky: VecDeque<WorkflowTask>,
    evictions: Vec<(RunKey, Evict)>,
    cancels: Vec<ActivityKey>,
    /// Where the rounds over the names go on, so that no name starves another.
    turn_of: usize,
    fresh_of: usize,
}

/// Work for one worker.
#[derive(Debug, Default)]
pub struct WorkflowWork {
    /// Turns to run.
    pub tasks: Vec<WorkflowTask>,
    /// Cached runs to drop.
    pub evictions: Vec<(RunKey, Evict)>,
}

/// Activities for one worker.
#[derive(Debug, Default)]
pub struct ActivityWork {
    /// Activities to run.
    pub tasks: Vec<Arc<ActivityTask>>,
    /// Running ones that are no longer wanted.
    pub cancels: Vec<ActivityKey>,
}

/// Bells to ring once the lock is free.
#[derive(Default)]
struct Ring {
    workflows: Vec<Arc<dyn Bell>>,
    activities: Vec<Arc<dyn Bell>>,
}

impl Ring {
    fn workflows(&mut self, bell: &Arc<dyn Bell>) {
        if !self.workflows.iter().any(|other| Arc::ptr_eq(other, bell)) {
            self.workflows.push(bell.clone());
        }
    }

    fn activities(&mut self, bell: &Arc<dyn Bell>) {
        if !self.activities.iter().any(|other| Arc::ptr_eq(other, bell)) {
            self.activities.push(bell.clone());
        }
    }

    fn ring(self) {
        self.workflows.iter().for_each(|bell| bell.workflows());
        self.activities.iter().for_each(|bell| bell.activities());
    }
}

impl Dispatch {
    /// One for a runtime that hands out what no worker has a name for: it wants an answer to that too.
    pub(crate) fn strict() -> Dispatch {
        Dispatch { inner: Mutex::new(Inner { strict: true, ..Inner::default() }) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a worker.
    pub(crate) fn join(&self, abilities: Arc<Abilities>, bell: &Arc<dyn Bell>) -> WorkerId {
        let mut inner = self.lock();
        inner.next += 1;
        let id = WorkerId(inner.next);
        for name in &abilities.activities {
            inner.unknown.remove(name);
        }
        // Activities that wait for a name which nobody has begin their grace with the first worker.
        let entry = Entry {
            abilities,
            bell: bell.clone(),
            sticky: VecDeque::new(),
            evictions: Vec::new(),
            cancels: Vec::new(),
            turn_of: 0,
            fresh_of: 0,
        };
        inner.workers.insert(id, entry);
        inner.note_absent();
        drop(inner);
        bell.workflows();
        bell.activities();
        id
    }

    /// Unregisters a worker. Its waiting tasks go to others, its running activities run again; gives the turns that must
    /// be handed out again: run and token.
    pub(crate) fn leave(&self, id: WorkerId) -> Vec<(RunKey, u64)> {
        let mut inner = self.lock();
        let mut ring = Ring::default();
        let Some(entry) = inner.workers.remove(&id) else { return Vec::new() };
        inner.homes.retain(|_, home| *home != id);
        for task in entry.sticky {
            if turns::waits(&inner.waiting, &task) {
                inner.queue_fresh(task, &mut ring);
            }
        }
        let mut turns: Vec<(RunKey, u64)> = inner
            .turns
            .iter()
            .filter(|(_, (worker, _))| *worker == id)
            .map(|(run, (_, token))| (*run, *token))
            .collect();
        turns.sort_unstable();
        for (run, _) in &turns {
            inner.turns.remove(run);
        }
        let mut lost: Vec<ActivityKey> =
            inner.running.iter().filter(|(_, (worker, _))| *worker == id).map(|(key, _)| *key).collect();
        lost.sort_unstable();
        for key in lost {
            if let Some((_, task)) = inner.running.remove(&key) {
                inner.queue_activity(task, &mut ring);
            }
        }
        inner.note_absent();
        drop(inner);
        ring.ring();
        turns
    }

    /// Has every worker look: there is something else than tasks for them.
    pub(crate) fn ring_all(&self) {
        let bells: Vec<Arc<dyn Bell>> =
            self.lock().workers.values().map(|entry| entry.bell.clone()).collect();
        for bell in bells {
            bell.workflows();
            bell.activities();
        }
    }

    /// How many turns and activities workers have at the moment: so many answers may come soon.
    pub(crate) fn out(&self) -> usize {
        let inner = self.lock();
        inner.turns.len() + inner.running.len()
    }
}
