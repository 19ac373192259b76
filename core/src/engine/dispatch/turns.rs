//! Turns: where they wait, and who takes them.

use super::*;

impl Dispatch {
    /// Turns that may run now.
    pub(crate) fn turns(&self, tasks: impl IntoIterator<Item = WorkflowTask>) {
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
        let inner = &mut *inner;
        let Some(entry) = inner.workers.get_mut(&id) else { return WorkflowWork::default() };
        let room = max.min(inner.waiting.len());
        let mut work =
            WorkflowWork { tasks: Vec::with_capacity(room), evictions: std::mem::take(&mut entry.evictions) };
        while work.tasks.len() < max
            && let Some(task) = entry.sticky.pop_front()
        {
            if waits(&inner.waiting, &task) {
                work.tasks.push(task);
            }
        }
        take_fresh(&mut inner.fresh, &inner.waiting, entry, max, &mut work.tasks);
        for task in &work.tasks {
            inner.homes.insert(task.run, id);
            inner.turns.insert(task.run, (id, task.token));
            inner.waiting.remove(&task.run);
        }
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
}

impl Inner {
    /// Queues a turn of an instance that no worker has cached.
    pub(super) fn queue_fresh(&mut self, task: WorkflowTask, ring: &mut Ring) {
        let able = self.workers.values().filter(|entry| entry.abilities.has(&task.name, &task.version));
        let mut found = false;
        able.for_each(|entry| {
            found = true;
            ring.workflows(&entry.bell);
        });
        let wanted = Wanted { name: task.name.clone(), version: task.version.clone() };
        if !found && !self.missing.contains_key(&wanted) && self.is_missing(&wanted) {
            self.missing.insert(wanted.clone(), Instant::now());
        }
        let queue = self.fresh.entry(wanted).or_default();
        queue.push_back(task);
        if queue.len() > 64 && queue.len() > 2 * self.waiting.len() {
            queue.retain(|task| waits(&self.waiting, task));
        }
    }
}

/// Takes turns that any worker may have which is able to, queue by queue in turn.
fn take_fresh(
    fresh: &mut BTreeMap<Wanted, VecDeque<WorkflowTask>>,
    waiting: &HashMap<RunKey, u64>,
    entry: &mut Entry,
    max: usize,
    tasks: &mut Vec<WorkflowTask>,
) {
    let room = max.saturating_sub(tasks.len());
    let able = |wanted: &&Wanted| entry.abilities.has(&wanted.name, &wanted.version);
    let queues: Vec<Wanted> = fresh.keys().filter(able).cloned().collect();
    if queues.is_empty() || room == 0 {
        return;
    }
    entry.fresh_of = (entry.fresh_of + 1) % queues.len();
    for offset in 0..queues.len() {
        let wanted = &queues[(entry.fresh_of + offset) % queues.len()];
        let Some(queue) = fresh.get_mut(wanted) else { continue };
        let share = max.saturating_sub(tasks.len()).div_ceil(queues.len() - offset);
        let full = tasks.len() + share;
        while tasks.len() < full
            && let Some(task) = queue.pop_front()
        {
            if waits(waiting, &task) {
                tasks.push(task);
            }
        }
        if queue.is_empty() {
            fresh.remove(wanted);
        }
    }
}

/// Whether a queued turn was not taken back.
pub(super) fn waits(waiting: &HashMap<RunKey, u64>, task: &WorkflowTask) -> bool {
    waiting.get(&task.run) == Some(&task.token)
}
