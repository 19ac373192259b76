//! Activities: where they wait and who takes them.

use super::*;

impl Dispatch {
    /// Activities that may run now.
    pub(crate) fn activities(&self, tasks: impl IntoIterator<Item = ActivityTask>) {
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
        inner.unqueue(&waiting);
        drop(inner);
        ring.ring();
    }

    /// Takes activities back that no worker has yet; gives those.
    pub(crate) fn withdraw_activities(&self, keys: &[ActivityKey]) -> Vec<ActivityKey> {
        let mut inner = self.lock();
        let waiting: Vec<ActivityKey> =
            keys.iter().filter(|key| !inner.running.contains_key(key)).copied().collect();
        inner.unqueue(&waiting.iter().copied().collect());
        waiting
    }

    /// Takes activities for a worker, name by name in turn.
    pub(crate) fn take_activities(&self, id: WorkerId, max: usize) -> ActivityWork {
        let mut inner = self.lock();
        let inner = &mut *inner;
        let Some(entry) = inner.workers.get_mut(&id) else { return ActivityWork::default() };
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
        work
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
}

impl Inner {
    /// Takes activities out of the queues.
    fn unqueue(&mut self, keys: &HashSet<ActivityKey>) {
        if keys.is_empty() {
            return;
        }
        self.activities.retain(|_, queue| {
            queue.retain(|task| !keys.contains(&task.activity_key()));
            !queue.is_empty()
        });
    }

    /// Queues an activity for whoever has its name.
    pub(super) fn queue_activity(&mut self, task: Arc<ActivityTask>, ring: &mut Ring) {
        if self.activities.get(&task.name).is_none_or(|queue| queue.is_empty()) {
            let able = self.workers.values().filter(|entry| entry.abilities.activities.contains(&task.name));
            able.for_each(|entry| ring.activities(&entry.bell));
        }
        self.activities.entry(task.name.clone()).or_default().push_back(task);
    }
}
