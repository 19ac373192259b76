//! Which runs are with the workers of this process, and which of their turns a cached instance may go on from.
//!
//! A runtime says with each turn only which history it continues. The instance that a worker has cached has seen exactly that
//! history if, and only if, the last turn of it is the one that the instance ran last; the time of its `WorkflowStarted`,
//! which no two turns of a run share, tells. Otherwise (an answer that was lost, a turn that ran elsewhere) the turn gets a number
//! that no cached instance waits for, so the worker rebuilds from the history.

use std::collections::HashMap;
use std::sync::Arc;

use super::items::{Stamp, TurnItem, Unreadable};
use crate::engine::dispatch::WorkerId;
use crate::engine::store::Key;
use crate::engine::task::{RunKey, Version, WorkflowTask};
use crate::history::Event;

/// A turn as it came, and on which stream.
#[derive(Clone)]
pub(super) struct Delivery {
    /// The stream's number.
    pub(super) stream: u64,
    /// What the runtime wants to see again with the answer.
    pub(super) completion_token: String,
    pub(super) item: Arc<TurnItem>,
    pub(super) events: Vec<Event>,
}

/// A turn that a worker may take or has.
pub(super) struct Out {
    pub(super) token: u64,
    pub(super) delivery: Delivery,
    began: Option<Stamp>,
}

struct Run {
    key: RunKey,
    instance_id: Arc<str>,
    execution_id: Arc<str>,
    name: Arc<str>,
    version: Version,
    /// The number of the turn that a cached instance waits for.
    turn: u32,
    /// When the turn began that a cached instance ran last; absent where none is cached.
    seen: Option<Stamp>,
    /// Who has it cached.
    home: Option<WorkerId>,
    out: Option<Out>,
    /// What the runtime delivered while a worker was still at work on an earlier delivery.
    held: Option<Delivery>,
}

/// Runs that are out or cached. What is neither is forgotten: the next turn tells everything again.
#[derive(Default)]
pub(super) struct Runs {
    by_instance: HashMap<Arc<str>, Run>,
    instances: HashMap<RunKey, Arc<str>>,
    keys: i64,
    tokens: u64,
}

/// What to do with a delivery.
pub(super) enum Placed {
    /// Hand it out. The other run of the instance, if there is one, is over.
    Turn(WorkflowTask, Option<RunKey>),
    /// A worker is at work on an earlier delivery; it waits for that answer.
    Held,
}

/// What became of a turn that was out.
pub(super) struct Ended {
    pub(super) out: Out,
    pub(super) instance_id: Arc<str>,
    pub(super) name: Arc<str>,
    /// What came meanwhile.
    pub(super) held: Option<Delivery>,
}

impl Runs {
    /// Takes a delivery in. `withdraw` takes a turn back that no worker has yet, and says whether it could; `has_plain` says
    /// whether a worker has the workflow without a version.
    pub(super) fn place(
        &mut self,
        delivery: Delivery,
        withdraw: impl FnOnce(RunKey) -> bool,
        has_plain: impl FnOnce(&str) -> bool,
    ) -> Result<Placed, Unreadable> {
        let item = delivery.item.clone();
        let placed = self.try_place(delivery, withdraw, has_plain);
        if placed.is_err() {
            self.forget(&item.instance_id);
        }
        placed
    }

    fn try_place(
        &mut self,
        delivery: Delivery,
        withdraw: impl FnOnce(RunKey) -> bool,
        has_plain: impl FnOnce(&str) -> bool,
    ) -> Result<Placed, Unreadable> {
        let item = &delivery.item;
        let instance = item.instance_id.as_str();
        if let Some(run) = self.by_instance.get_mut(instance)
            && run.out.is_some()
        {
            if !withdraw(run.key) {
                run.held = Some(delivery);
                return Ok(Placed::Held);
            }
            run.out = None;
        }
        let known = self.by_instance.get(instance);
        let execution = item.execution_id()?;
        let goes_on = known.is_some_and(|run| execution.as_deref().is_none_or(|id| *id == *run.execution_id));
        let over = if goes_on { None } else { self.forget(instance) };
        if !goes_on {
            self.begin(item, execution.unwrap_or_default(), has_plain)?;
        }
        self.tokens += 1;
        let token = self.tokens;
        let run = self.by_instance.get_mut(instance).ok_or(Unreadable)?;
        let mut has_past = item.has_past();
        let mut events = delivery.events.clone();
        if run.seen.is_none() || run.seen != item.last_turn()? {
            run.turn += 1;
            run.seen = None;
            if has_past && item.is_untouched()? {
                has_past = false;
                events = item.past_events()?;
                events.extend(delivery.events.iter().cloned());
            }
        }
        let task = WorkflowTask {
            run: run.key,
            token,
            instance_id: run.instance_id.clone(),
            execution_id: run.execution_id.clone(),
            name: run.name.clone(),
            version: run.version.clone(),
            turn: run.turn,
            has_past,
            events,
        };
        let began = item.this_turn()?;
        run.out = Some(Out { token, delivery, began });
        Ok(Placed::Turn(task, over))
    }

    /// Whether the turn is one of a run that is not known, and the item does not tell how that began.
    pub(super) fn lacks_beginning(&self, item: &TurnItem) -> Result<bool, Unreadable> {
        if item.left_out == 0 {
            return Ok(false);
        }
        let execution = item.execution_id()?;
        let known = self.by_instance.get(item.instance_id.as_str());
        let other = |run: &Run| execution.as_deref().is_some_and(|id| *id != *run.execution_id);
        Ok(known.is_none_or(other))
    }

    fn begin(
        &mut self,
        item: &TurnItem,
        execution_id: String,
        has_plain: impl FnOnce(&str) -> bool,
    ) -> Result<(), Unreadable> {
        let facts = item.facts()?;
        let version = match facts.version {
            Some(version) => Version::Named(Arc::from(version)),
            None if facts.begun && (!item.is_untouched()? || has_plain(&facts.name)) => Version::Unversioned,
            None => Version::Latest,
        };
        self.keys += 1;
        let key = RunKey { key: Key(self.keys), generation: 0 };
        let instance_id: Arc<str> = Arc::from(item.instance_id.as_str());
        self.instances.insert(key, instance_id.clone());
        let run = Run {
            key,
            instance_id: instance_id.clone(),
            execution_id: Arc::from(execution_id),
            name: Arc::from(facts.name),
            version,
            turn: 0,
            seen: None,
            home: None,
            out: None,
            held: None,
        };
        self.by_instance.insert(instance_id, run);
        Ok(())
    }

    /// Forgets a run; gives its key, if there was one.
    fn forget(&mut self, instance_id: &str) -> Option<RunKey> {
        let run = self.by_instance.remove(instance_id)?;
        self.instances.remove(&run.key);
        Some(run.key)
    }

    /// A worker answered a turn, or lost it. `cached`: it keeps the instance, which has now seen this turn. An answer that nobody
    /// waits for gives nothing.
    pub(super) fn ended(&mut self, key: RunKey, token: u64, cached: Option<WorkerId>) -> Option<Ended> {
        let instance_id = self.instances.get(&key)?.clone();
        let run = self.by_instance.get_mut(&instance_id)?;
        let out = run.out.take_if(|out| out.token == token)?;
        let (held, name) = (run.held.take(), run.name.clone());
        // The worker counts the turn as run, whatever becomes of the answer.
        run.turn += 1;
        run.home = cached;
        run.seen = out.began.filter(|_| cached.is_some());
        if cached.is_none() {
            self.forget(&instance_id);
        }
        Some(Ended { out, instance_id, name, held })
    }

    /// The answer to the run's last turn did not reach the runtime: what a worker has cached is of no use.
    pub(super) fn outdated(&mut self, instance_id: &str) {
        if let Some(run) = self.by_instance.get_mut(instance_id) {
            run.seen = None;
        }
    }

    /// A worker dropped a cached run.
    pub(super) fn dropped(&mut self, key: RunKey) {
        let Some(instance_id) = self.instances.get(&key).cloned() else { return };
        if self.by_instance.get(&instance_id).is_some_and(|run| run.out.is_none()) {
            self.forget(&instance_id);
        }
    }

    /// A worker has left with all that it had cached.
    pub(super) fn left(&mut self, worker: WorkerId) {
        self.by_instance.retain(|_, run| run.home != Some(worker) || run.out.is_some());
        let left = &self.by_instance;
        self.instances.retain(|_, instance| left.contains_key(instance));
    }

    /// A stream ended: what came on it and no worker has yet is handed out no more, and what waits for a worker's answer is
    /// dropped. Gives the runs whose turns are out.
    pub(super) fn lost_stream(&mut self, stream: u64) -> Vec<RunKey> {
        let mut out = Vec::new();
        for run in self.by_instance.values_mut() {
            run.held.take_if(|held| held.stream == stream);
            if run.out.as_ref().is_some_and(|out| out.delivery.stream == stream) {
                out.push(run.key);
            }
        }
        out
    }

    /// A turn of a lost stream was taken back before a worker had it.
    pub(super) fn withdrawn(&mut self, key: RunKey) {
        let Some(instance_id) = self.instances.get(&key).cloned() else { return };
        if let Some(run) = self.by_instance.get_mut(&instance_id) {
            run.out = None;
            if run.seen.is_none() {
                self.forget(&instance_id);
            }
        }
    }

    /// The turn that is out.
    pub(super) fn out(&self, key: RunKey) -> Option<&Out> {
        self.by_instance.get(self.instances.get(&key)?)?.out.as_ref()
    }

    /// The execution ID of an instance's run, where it is known.
    pub(super) fn execution_id(&self, instance_id: &str) -> Option<Arc<str>> {
        self.by_instance.get(instance_id).map(|run| run.execution_id.clone())
    }

    /// How many runs are known.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        assert_eq!(self.by_instance.len(), self.instances.len());
        self.by_instance.len()
    }
}

#[cfg(test)]
mod tests;
