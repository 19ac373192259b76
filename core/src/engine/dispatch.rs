//! Which worker gets which task. Tasks wait here, at the source, until a worker asks for them: nothing is handed to a
//! worker that has no room, and what a worker leaves behind goes to another one.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::machine::Evict;
use super::task::{ActivityKey, ActivityTask, RunKey, WorkflowTask};

#[cfg(test)]
mod tests;

/// How long an activity whose name no connected worker has waits for one that has.
pub(crate) const GRACE: Duration = Duration::from_secs(10);

/// Number of a worker's registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct WorkerId(u64);

/// How a worker hears of new work. Called without any lock held that the worker could need.
pub trait Bell: Send + Sync {
    /// There may be a workflow task or an eviction.
    fn workflows(&self);
    /// There may be an activity or a cancellation.
    fn activities(&self);
}

/// What a worker can run.
#[derive(Clone, Debug, Default)]
pub struct Abilities {
    /// Names of workflows.
    pub workflows: HashSet<String>,
    /// Names of activities.
    pub activities: HashSet<String>,
}

/// Tasks that wait and tasks that run.
#[derive(Default)]
pub(crate) struct Dispatch {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    next: u64,
    workers: HashMap<WorkerId, Entry>,
    /// Turns of instances that no worker has cached, by workflow name.
    fresh: HashMap<Arc<str>, VecDeque<WorkflowTask>>,
    /// The worker that has a run cached, or runs its turn.
    homes: HashMap<RunKey, WorkerId>,
    turns: HashMap<RunKey, (WorkerId, u64)>,
    /// The token of each run's waiting turn. A queued turn that is not here any more was taken back and is skipped.
    waiting: HashMap<RunKey, u64>,
    activities: HashMap<String, VecDeque<Arc<ActivityTask>>>,
    running: HashMap<ActivityKey, (WorkerId, Arc<ActivityTask>)>,
    /// Since when a name has been waited for in vain.
    unknown: HashMap<String, Instant>,
}

struct Entry {
    abilities: Abilities,
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

/// What a worker left behind.
#[derive(Debug, Default)]
pub(crate) struct Orphans {
    /// Turns that must be handed out again: run and token.
    pub(crate) turns: Vec<(RunKey, u64)>,
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
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a worker.
    pub(crate) fn join(&self, abilities: Abilities, bell: &Arc<dyn Bell>) -> WorkerId {
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
        inner.note_unknown();
        drop(inner);
        bell.workflows();
        bell.activities();
        id
    }

    /// Unregisters a worker. Its waiting tasks go to others, its running activities run again.
    pub(crate) fn leave(&self, id: WorkerId) -> Orphans {
        let mut inner = self.lock();
        let mut ring = Ring::default();
        let Some(entry) = inner.workers.remove(&id) else { return Orphans::default() };
        inner.homes.retain(|_, home| *home != id);
        for task in entry.sticky {
            if waits(&inner.waiting, &task) {
                inner.queue_fresh(task, &mut ring);
            }
        }
        let turns: Vec<(RunKey, u64)> = inner
            .turns
            .iter()
            .filter(|(_, (worker, _))| *worker == id)
            .map(|(run, (_, token))| (*run, *token))
            .collect();
        for (run, _) in &turns {
            inner.turns.remove(run);
        }
        let lost: Vec<ActivityKey> =
            inner.running.iter().filter(|(_, (worker, _))| *worker == id).map(|(key, _)| *key).collect();
        for key in lost {
            if let Some((_, task)) = inner.running.remove(&key) {
                inner.queue_activity(task, &mut ring);
            }
        }
        inner.note_unknown();
        drop(inner);
        ring.ring();
        Orphans { turns }
    }

    /// Turns that may run now.
    pub(crate) fn turns(&self, tasks: Vec<WorkflowTask>) {
        let mut ring = Ring::default();
        let mut inner = self.lock();
        for task in tasks {
            inner.waiting.insert(task.run, task.token);
            let home = inner.homes.get(&task.run).copied();
            match home.and_then(|id| inner.workers.get_mut(&id)) {
                Some(entry) => {
                    entry.sticky.push_back(task);
                    if entry.sticky.len() == 1 {
                        ring.workflows(&entry.bell);
                    }
                }
                None => inner.queue_fresh(task, &mut ring),
            }
        }
        drop(inner);
        ring.ring();
    }

    /// Activities that may run now.
    pub(crate) fn activities(&self, tasks: Vec<ActivityTask>) {
        let mut ring = Ring::default();
        let mut inner = self.lock();
        for task in tasks {
            let known = inner.running.contains_key(&task.activity_key())
                || inner.activities.get(&task.name).is_some_and(|queue| {
                    queue.iter().rev().take(64).any(|other| other.activity_key() == task.activity_key())
                });
            if !known {
                inner.queue_activity(Arc::new(task), &mut ring);
            }
        }
        inner.note_unknown();
        drop(inner);
        ring.ring();
    }

    /// Activities that nobody waits for any more.
    pub(crate) fn stop(&self, keys: &[ActivityKey]) {
        let mut ring = Ring::default();
        let mut inner = self.lock();
        let mut waiting: HashSet<ActivityKey> = HashSet::new();
        for key in keys {
            match inner.running.remove(key) {
                Some((worker, _)) => {
                    if let Some(entry) = inner.workers.get_mut(&worker) {
                        entry.cancels.push(*key);
                        ring.activities(&entry.bell);
                    }
                }
                None => drop(waiting.insert(*key)),
            }
        }
        if !waiting.is_empty() {
            inner.activities.retain(|_, queue| {
                queue.retain(|task| !waiting.contains(&task.activity_key()));
                !queue.is_empty()
            });
        }
        drop(inner);
        ring.ring();
    }

    /// The run ended or stalled without its worker: who has it cached drops it, its waiting turn goes away.
    pub(crate) fn evict(&self, run: RunKey, reason: Evict) {
        let mut inner = self.lock();
        inner.waiting.remove(&run);
        inner.turns.remove(&run);
        let Some(id) = inner.homes.remove(&run) else { return };
        let Some(entry) = inner.workers.get_mut(&id) else { return };
        entry.evictions.push((run, reason));
        let bell = entry.bell.clone();
        drop(inner);
        bell.workflows();
    }

    /// Takes a waiting turn of the run back. False when a worker has it already.
    pub(crate) fn withdraw(&self, run: RunKey) -> bool {
        self.lock().waiting.remove(&run).is_some()
    }

    /// Takes turns for a worker: first those of its cached instances, then new ones.
    pub(crate) fn take_turns(&self, id: WorkerId, max: usize) -> WorkflowWork {
        let mut inner = self.lock();
        let Some(mut entry) = inner.workers.remove(&id) else { return WorkflowWork::default() };
        let mut work = WorkflowWork { tasks: Vec::new(), evictions: std::mem::take(&mut entry.evictions) };
        while work.tasks.len() < max
            && let Some(task) = entry.sticky.pop_front()
        {
            if waits(&inner.waiting, &task) {
                work.tasks.push(task);
            }
        }
        inner.take_fresh(&mut entry, max, &mut work.tasks);
        for task in &work.tasks {
            inner.homes.insert(task.run, id);
            inner.turns.insert(task.run, (id, task.token));
            inner.waiting.remove(&task.run);
        }
        inner.workers.insert(id, entry);
        work
    }

    /// Takes activities for a worker, name by name in turn.
    pub(crate) fn take_activities(&self, id: WorkerId, max: usize) -> ActivityWork {
        let mut inner = self.lock();
        let Some(mut entry) = inner.workers.remove(&id) else { return ActivityWork::default() };
        let mut work = ActivityWork { tasks: Vec::new(), cancels: std::mem::take(&mut entry.cancels) };
        let names: Vec<String> = inner
            .activities
            .keys()
            .filter(|name| entry.abilities.activities.contains(*name))
            .cloned()
            .collect();
        if !names.is_empty() {
            entry.turn_of = (entry.turn_of + 1) % names.len();
            for offset in 0..names.len() {
                let name = &names[(entry.turn_of + offset) % names.len()];
                let Some(queue) = inner.activities.get_mut(name) else { continue };
                let share = (max - work.tasks.len()).div_ceil(names.len() - offset);
                let take = queue.len().min(share);
                work.tasks.extend(queue.drain(..take));
                if queue.is_empty() {
                    inner.activities.remove(name);
                }
            }
        }
        for task in &work.tasks {
            inner.running.insert(task.activity_key(), (id, task.clone()));
        }
        inner.workers.insert(id, entry);
        work
    }

    /// A worker answered a turn. With `cached` it keeps the instance.
    pub(crate) fn turn_answered(&self, id: WorkerId, run: RunKey, cached: bool) {
        let mut inner = self.lock();
        if inner.turns.get(&run).is_some_and(|(worker, _)| *worker == id) {
            inner.turns.remove(&run);
        }
        if !cached && inner.homes.get(&run) == Some(&id) {
            inner.homes.remove(&run);
        }
    }

    /// A worker dropped a cached run. A turn that was queued for it goes to anybody.
    pub(crate) fn dropped(&self, id: WorkerId, run: RunKey) {
        let mut ring = Ring::default();
        let mut inner = self.lock();
        if inner.homes.get(&run) == Some(&id) && !inner.turns.contains_key(&run) {
            inner.homes.remove(&run);
            if inner.waiting.contains_key(&run)
                && let Some(entry) = inner.workers.get_mut(&id)
                && let Some(at) = entry.sticky.iter().position(|task| task.run == run)
                && let Some(task) = entry.sticky.remove(at)
            {
                inner.queue_fresh(task, &mut ring);
            }
        }
        drop(inner);
        ring.ring();
    }

    /// A worker answered an activity. Whether the answer is still wanted.
    pub(crate) fn activity_answered(&self, id: WorkerId, key: ActivityKey) -> bool {
        let mut inner = self.lock();
        match inner.running.get(&key) {
            Some((worker, _)) if *worker == id => {
                inner.running.remove(&key);
                true
            }
            _ => false,
        }
    }

    /// How many turns and activities workers have at the moment: so many answers may come soon.
    pub(crate) fn out(&self) -> usize {
        let inner = self.lock();
        inner.turns.len() + inner.running.len()
    }

    /// Whether a connected worker has the workflow.
    pub(crate) fn knows_workflow(&self, name: &str) -> bool {
        self.lock().workers.values().any(|entry| entry.abilities.workflows.contains(name))
    }

    /// Activities that were waited for in vain for [`GRACE`]; gives also when to look again.
    pub(crate) fn unknown(&self, now: Instant) -> (Vec<Arc<ActivityTask>>, Option<Instant>) {
        let mut inner = self.lock();
        let over: Vec<String> = inner
            .unknown
            .iter()
            .filter(|(_, since)| now.duration_since(**since) >= GRACE)
            .map(|(name, _)| name.clone())
            .collect();
        let mut tasks = Vec::new();
        for name in over {
            inner.unknown.remove(&name);
            tasks.extend(inner.activities.remove(&name).unwrap_or_default());
        }
        let next = inner.unknown.values().min().map(|since| *since + GRACE);
        (tasks, next)
    }
}

impl Inner {
    fn queue_fresh(&mut self, task: WorkflowTask, ring: &mut Ring) {
        let able = self.workers.values().filter(|entry| entry.abilities.workflows.contains(&*task.name));
        able.for_each(|entry| ring.workflows(&entry.bell));
        let queue = self.fresh.entry(task.name.clone()).or_default();
        queue.push_back(task);
        if queue.len() > 64 && queue.len() > 2 * self.waiting.len() {
            queue.retain(|task| waits(&self.waiting, task));
        }
    }

    fn queue_activity(&mut self, task: Arc<ActivityTask>, ring: &mut Ring) {
        if self.activities.get(&task.name).is_none_or(|queue| queue.is_empty()) {
            let able = self.workers.values().filter(|entry| entry.abilities.activities.contains(&task.name));
            able.for_each(|entry| ring.activities(&entry.bell));
        }
        self.activities.entry(task.name.clone()).or_default().push_back(task);
    }

    /// Name by name in turn.
    fn take_fresh(&mut self, entry: &mut Entry, max: usize, tasks: &mut Vec<WorkflowTask>) {
        let room = max.saturating_sub(tasks.len());
        let known = |name: &&Arc<str>| entry.abilities.workflows.contains(&***name);
        let names: Vec<Arc<str>> = self.fresh.keys().filter(known).cloned().collect();
        if names.is_empty() || room == 0 {
            return;
        }
        entry.fresh_of = (entry.fresh_of + 1) % names.len();
        for offset in 0..names.len() {
            let name = &names[(entry.fresh_of + offset) % names.len()];
            let Some(queue) = self.fresh.get_mut(name) else { continue };
            let share = max.saturating_sub(tasks.len()).div_ceil(names.len() - offset);
            let wanted = tasks.len() + share;
            while tasks.len() < wanted
                && let Some(task) = queue.pop_front()
            {
                if waits(&self.waiting, &task) {
                    tasks.push(task);
                }
            }
            if queue.is_empty() {
                self.fresh.remove(name);
            }
        }
    }

    /// Starts the grace of names that no connected worker has.
    fn note_unknown(&mut self) {
        if !self.workers.values().any(|entry| !entry.abilities.activities.is_empty()) {
            self.unknown.clear();
            return;
        }
        let waiting = &self.activities;
        self.unknown.retain(|name, _| waiting.contains_key(name));
        let now = Instant::now();
        for name in self.activities.keys() {
            let known = self.workers.values().any(|entry| entry.abilities.activities.contains(name));
            if !known {
                self.unknown.entry(name.clone()).or_insert(now);
            }
        }
    }
}

/// Whether a queued turn was not taken back.
fn waits(waiting: &HashMap<RunKey, u64>, task: &WorkflowTask) -> bool {
    waiting.get(&task.run) == Some(&task.token)
}
