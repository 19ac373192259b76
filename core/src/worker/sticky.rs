//! Cached instances between their turns, the least recently used one first to go.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use super::replay::Replay;
use crate::engine::task::RunKey;

/// A workflow function's other half: what the core knows of an instance that a host has in memory.
pub(super) struct Instance {
    pub(super) run: RunKey,
    pub(super) id: Arc<str>,
    pub(super) execution_id: Arc<str>,
    pub(super) replay: Replay,
    /// How many turns it has seen: only the turn with this number can go on from here.
    pub(super) turn: u32,
}

/// Instances that wait for their next turn.
#[derive(Default)]
pub(super) struct Sticky {
    entries: HashMap<RunKey, Entry>,
    /// Oldest use first.
    order: BTreeMap<u64, RunKey>,
    clock: u64,
}

struct Entry {
    instance: Box<Instance>,
    stamp: u64,
    used: Instant,
}

impl Sticky {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn insert(&mut self, instance: Box<Instance>, now: Instant) {
        self.clock += 1;
        let run = instance.run;
        let entry = Entry { instance, stamp: self.clock, used: now };
        if let Some(old) = self.entries.insert(run, entry) {
            self.order.remove(&old.stamp);
        }
        self.order.insert(self.clock, run);
    }

    pub(super) fn remove(&mut self, run: RunKey) -> Option<Box<Instance>> {
        let entry = self.entries.remove(&run)?;
        self.order.remove(&entry.stamp);
        Some(entry.instance)
    }

    /// The least recently used one.
    pub(super) fn pop(&mut self) -> Option<Box<Instance>> {
        let run = *self.order.values().next()?;
        self.remove(run)
    }

    /// When the least recently used one was used.
    pub(super) fn oldest(&self) -> Option<Instant> {
        let run = self.order.values().next()?;
        self.entries.get(run).map(|entry| entry.used)
    }
}
