//! A store that lives as long as the process, for tests and for work that need not outlive its program.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use bytes::Bytes;

use super::{Facts, InboxRow, InstanceRow, Key, Loaded, Op, Position, Reader, Store, TimerRow, up_to};
use crate::error::{Error, Result};
use crate::model::{Filter, Micros, RuntimeStatus, StatusCounts};

/// Keeps instances in memory. Its [`Reader`]s share its content.
#[derive(Debug, Default)]
pub struct MemoryStore {
    shared: Arc<RwLock<Tables>>,
    commits: u64,
}

impl MemoryStore {
    /// Creates an empty store.
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }
}

#[derive(Debug, Default)]
struct Tables {
    instances: BTreeMap<Key, Instance>,
    ids: HashMap<String, Key>,
    /// What a listing walks, newest last.
    created: BTreeSet<(Micros, Key)>,
    work: BTreeSet<Key>,
    timers: BTreeSet<TimerRow>,
    facts: Facts,
}

#[derive(Debug)]
struct Instance {
    row: InstanceRow,
    turns: BTreeMap<u32, Bytes>,
    inbox: BTreeMap<i64, Bytes>,
    timers: BTreeSet<(Micros, i32)>,
}

/// What takes one op back. A commit that fails half way runs them in reverse.
enum Undo {
    Inserted(Key),
    Updated(Box<InstanceRow>),
    Deleted(Box<Instance>),
    AddedTurn(Key, u32),
    DroppedTurns(Key, BTreeMap<u32, Bytes>),
    AddedInbox(Key, i64),
    DroppedInbox(Key, i64, Bytes),
    AddedTimer(TimerRow),
    DroppedTimer(TimerRow),
}

impl Tables {
    fn apply(&mut self, op: &Op, undo: &mut Vec<Undo>) -> Result<()> {
        match op {
            Op::Insert(row) => self.insert(row, undo)?,
            Op::Update { row, expected_turn } => self.update(row, *expected_turn, undo)?,
            Op::Delete(key) => {
                if let Some(instance) = self.detach(*key) {
                    undo.push(Undo::Deleted(Box::new(instance)));
                }
            }
            Op::Turn { key, turn, data } => {
                if self.existing(*key)?.turns.contains_key(turn) {
                    return Err(Error::internal(format!(
                        "turn {turn} of instance key {} exists already",
                        key.0
                    )));
                }
                self.existing(*key)?.turns.insert(*turn, data.clone());
                undo.push(Undo::AddedTurn(*key, *turn));
            }
            Op::DropTurns(key) => {
                if let Some(instance) = self.instances.get_mut(key) {
                    undo.push(Undo::DroppedTurns(*key, std::mem::take(&mut instance.turns)));
                }
            }
            Op::PutInbox { key, row } => {
                if self.existing(*key)?.inbox.contains_key(&row.id) {
                    return Err(Error::internal(format!("inbox row {} exists already", row.id)));
                }
                self.existing(*key)?.inbox.insert(row.id, row.event.clone());
                self.facts.next_inbox = self.facts.next_inbox.max(row.id + 1);
                undo.push(Undo::AddedInbox(*key, row.id));
            }
            Op::DropInbox { key, id } => {
                let event = self.instances.get_mut(key).and_then(|instance| instance.inbox.remove(id));
                undo.extend(event.map(|event| Undo::DroppedInbox(*key, *id, event)));
            }
            Op::PutTimer(timer) => {
                self.existing(timer.key)?;
                if self.arm(*timer) {
                    undo.push(Undo::AddedTimer(*timer));
                }
            }
            Op::DropTimer(timer) => self.disarm(*timer, undo),
            Op::DropTimers(key, timers) => {
                for &(fire_at, timer_id) in timers {
                    self.disarm(TimerRow { fire_at, key: *key, timer_id }, undo);
                }
            }
        }
        Ok(())
    }

    fn existing(&mut self, key: Key) -> Result<&mut Instance> {
        self.instances.get_mut(&key).ok_or_else(|| Error::internal(format!("no instance has key {}", key.0)))
    }

    fn insert(&mut self, row: &InstanceRow, undo: &mut Vec<Undo>) -> Result<()> {
        if self.instances.contains_key(&row.key) {
            return Err(Error::internal(format!("instance key {} is in use", row.key.0)));
        }
        if self.ids.contains_key(&row.id) {
            return Err(Error::internal("instance ID is in use").of_instance(&row.id));
        }
        let empty = Instance {
            row: row.clone(),
            turns: BTreeMap::new(),
            inbox: BTreeMap::new(),
            timers: BTreeSet::new(),
        };
        self.attach(empty);
        self.facts.next_key = self.facts.next_key.max(row.key.0 + 1);
        self.facts.last_time = self.facts.last_time.max(row.updated_at);
        undo.push(Undo::Inserted(row.key));
        Ok(())
    }

    fn update(&mut self, row: &InstanceRow, expected_turn: u32, undo: &mut Vec<Undo>) -> Result<()> {
        let stored = &mut self.existing(row.key)?.row;
        if stored.next_turn != expected_turn {
            let (key, found) = (row.key.0, stored.next_turn);
            return Err(Error::internal(format!(
                "instance key {key} is at turn {found}, not {expected_turn}"
            )));
        }
        let mut changed = row.clone();
        changed.id.clone_from(&stored.id);
        changed.created_at = stored.created_at;
        changed.start_at = stored.start_at;
        changed.parent.clone_from(&stored.parent);
        self.facts.last_time = self.facts.last_time.max(row.updated_at);
        undo.extend(self.replace(changed).map(|old| Undo::Updated(Box::new(old))));
        Ok(())
    }

    /// Puts the row in the place of the one with its key, which it gives back.
    fn replace(&mut self, row: InstanceRow) -> Option<InstanceRow> {
        self.note_work(&row);
        let instance = self.instances.get_mut(&row.key)?;
        Some(std::mem::replace(&mut instance.row, row))
    }

    fn note_work(&mut self, row: &InstanceRow) {
        if row.has_work {
            self.work.insert(row.key);
        } else {
            self.work.remove(&row.key);
        }
    }

    fn attach(&mut self, instance: Instance) {
        let key = instance.row.key;
        self.note_work(&instance.row);
        self.ids.insert(instance.row.id.clone(), key);
        self.created.insert((instance.row.created_at, key));
        self.timers.extend(instance.timers.iter().map(|&(fire_at, timer_id)| TimerRow {
            fire_at,
            key,
            timer_id,
        }));
        self.instances.insert(key, instance);
    }

    fn detach(&mut self, key: Key) -> Option<Instance> {
        let instance = self.instances.remove(&key)?;
        self.ids.remove(&instance.row.id);
        self.created.remove(&(instance.row.created_at, key));
        self.work.remove(&key);
        for &(fire_at, timer_id) in &instance.timers {
            self.timers.remove(&TimerRow { fire_at, key, timer_id });
        }
        Some(instance)
    }

    /// Whether the timer was not armed before.
    fn arm(&mut self, timer: TimerRow) -> bool {
        if let Some(instance) = self.instances.get_mut(&timer.key) {
            instance.timers.insert((timer.fire_at, timer.timer_id));
        }
        self.timers.insert(timer)
    }

    fn disarm(&mut self, timer: TimerRow, undo: &mut Vec<Undo>) {
        if self.timers.remove(&timer) {
            if let Some(instance) = self.instances.get_mut(&timer.key) {
                instance.timers.remove(&(timer.fire_at, timer.timer_id));
            }
            undo.push(Undo::DroppedTimer(timer));
        }
    }

    fn take_back(&mut self, undo: Undo) {
        match undo {
            Undo::Inserted(key) => drop(self.detach(key)),
            Undo::Updated(row) => drop(self.replace(*row)),
            Undo::Deleted(instance) => self.attach(*instance),
            Undo::AddedTimer(timer) => self.disarm(timer, &mut Vec::new()),
            Undo::DroppedTimer(timer) => drop(self.arm(timer)),
            Undo::AddedTurn(key, turn) => self.with(key, |instance| drop(instance.turns.remove(&turn))),
            Undo::DroppedTurns(key, turns) => self.with(key, |instance| instance.turns = turns),
            Undo::AddedInbox(key, id) => self.with(key, |instance| drop(instance.inbox.remove(&id))),
            Undo::DroppedInbox(key, id, event) => {
                self.with(key, |instance| drop(instance.inbox.insert(id, event)));
            }
        }
    }

    fn with(&mut self, key: Key, change: impl FnOnce(&mut Instance)) {
        if let Some(instance) = self.instances.get_mut(&key) {
            change(instance);
        }
    }

    fn by_id(&self, id: &str) -> Option<&Instance> {
        self.instances.get(self.ids.get(id)?)
    }

    /// Those that match, newest first.
    fn matching(&self, filter: &Filter, before: Option<Position>) -> impl Iterator<Item = &Instance> {
        use std::ops::Bound::{Excluded, Unbounded};
        let newest_first = self.created.range((Unbounded, before.map_or(Unbounded, Excluded))).rev();
        let instances = newest_first.filter_map(|(_, key)| self.instances.get(key));
        instances.filter(move |instance| instance.row.matches(filter))
    }

    fn page(&self, filter: &Filter, before: Option<Position>, limit: usize) -> Vec<InstanceRow> {
        self.matching(filter, before).take(limit).map(|instance| instance.row.clone()).collect()
    }
}

impl Instance {
    fn loaded(&self) -> Loaded {
        Loaded { row: self.row.clone(), turns: self.turns(), inbox: self.inbox() }
    }

    fn turns(&self) -> Vec<(u32, Bytes)> {
        self.turns.iter().map(|(turn, data)| (*turn, data.clone())).collect()
    }

    fn inbox(&self) -> Vec<InboxRow> {
        self.inbox.iter().map(|(&id, event)| InboxRow { id, event: event.clone() }).collect()
    }

    fn ends(&self) -> Loaded {
        let first = self.turns.first_key_value();
        let last = self.turns.last_key_value().filter(|last| first.is_some_and(|first| first.0 != last.0));
        let turns = first.into_iter().chain(last).map(|(turn, data)| (*turn, data.clone())).collect();
        Loaded { row: self.row.clone(), turns, inbox: self.inbox() }
    }
}

/// A panic while the lock is held can only come from the allocator; what is in the tables is whole all the same.
fn read(tables: &RwLock<Tables>) -> RwLockReadGuard<'_, Tables> {
    tables.read().unwrap_or_else(PoisonError::into_inner)
}

impl Store for MemoryStore {
    fn facts(&mut self) -> Result<Facts> {
        Ok(read(&self.shared).facts)
    }

    fn commit(&mut self, ops: &[Op]) -> Result<()> {
        let mut tables = self.shared.write().unwrap_or_else(PoisonError::into_inner);
        let facts = tables.facts;
        let mut undo = Vec::new();
        for op in ops {
            if let Err(error) = tables.apply(op, &mut undo) {
                undo.into_iter().rev().for_each(|undo| tables.take_back(undo));
                tables.facts = facts;
                return Err(error);
            }
        }
        self.commits += 1;
        Ok(())
    }

    fn find(&mut self, id: &str) -> Result<Option<InstanceRow>> {
        Ok(read(&self.shared).by_id(id).map(|instance| instance.row.clone()))
    }

    fn load(&mut self, key: Key) -> Result<Option<Loaded>> {
        Ok(read(&self.shared).instances.get(&key).map(Instance::loaded))
    }

    fn list(&mut self, filter: &Filter, before: Option<Position>, limit: usize) -> Result<Vec<InstanceRow>> {
        Ok(read(&self.shared).page(filter, before, limit))
    }

    fn with_work(&mut self, after: Key, limit: usize) -> Result<Vec<Key>> {
        Ok(read(&self.shared).work.range(Key(after.0.saturating_add(1))..).take(limit).copied().collect())
    }

    fn timers(&mut self, after: Option<TimerRow>, limit: usize) -> Result<Vec<TimerRow>> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = after.map_or(Unbounded, Excluded);
        Ok(read(&self.shared).timers.range((from, Unbounded)).take(limit).copied().collect())
    }

    fn reader(&self) -> Arc<dyn Reader> {
        Arc::new(MemoryReader(Arc::clone(&self.shared)))
    }

    fn commits(&self) -> u64 {
        self.commits
    }
}

struct MemoryReader(Arc<RwLock<Tables>>);

impl Reader for MemoryReader {
    fn find(&self, id: &str) -> Result<Option<InstanceRow>> {
        Ok(read(&self.0).by_id(id).map(|instance| instance.row.clone()))
    }

    fn ends(&self, id: &str) -> Result<Option<Loaded>> {
        Ok(read(&self.0).by_id(id).map(Instance::ends))
    }

    fn load(&self, id: &str) -> Result<Option<Loaded>> {
        Ok(read(&self.0).by_id(id).map(Instance::loaded))
    }

    fn turns(&self, key: Key) -> Result<Vec<(u32, Bytes)>> {
        Ok(read(&self.0).instances.get(&key).map(Instance::turns).unwrap_or_default())
    }

    fn list(&self, filter: &Filter, before: Option<Position>, limit: usize) -> Result<Vec<InstanceRow>> {
        Ok(read(&self.0).page(filter, before, limit))
    }

    fn list_ends(
        &self,
        filter: &Filter,
        before: Option<Position>,
        limit: usize,
        bytes: usize,
    ) -> Result<Vec<Loaded>> {
        let tables = read(&self.0);
        up_to(bytes, tables.matching(filter, before).take(limit).map(|instance| Ok(instance.ends())))
    }

    fn count(&self, filter: &Filter) -> Result<StatusCounts> {
        let tables = read(&self.0);
        let mut counts = BTreeMap::new();
        for instance in tables.matching(filter, None) {
            *counts.entry(instance.row.status.number()).or_default() += 1;
        }
        Ok(counts.into_iter().map(|(number, count)| (RuntimeStatus::from_number(number), count)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::stores::{self, Source};

    struct Memory;

    impl Source for Memory {
        fn fresh(&mut self) -> Box<dyn Store> {
            Box::new(MemoryStore::new())
        }

        fn reopen(&mut self, store: Box<dyn Store>) -> Box<dyn Store> {
            store
        }
    }

    #[test]
    fn the_memory_store_passes_the_suite() {
        assert!(stores::validate(&mut Memory) > 10);
    }
}
