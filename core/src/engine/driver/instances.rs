//! Which machines are in memory, by key and by ID; the others are loaded when they are needed.

use super::*;
use crate::engine::store::Loaded;

impl Driver {
    /// The key of the instance with this ID, in memory or not.
    pub(super) fn lookup(&mut self, id: &str) -> Result<Option<(Key, RuntimeStatus)>> {
        if let Some(key) = self.by_id.get(id) {
            return Ok(self.machines.get(key).map(|slot| (*key, slot.machine.row().status)));
        }
        let row = self.store.find(id)?;
        Ok(row.filter(|row| !self.round.gone.contains(&row.key)).map(|row| (row.key, row.status)))
    }

    /// Sees to it that the machine is in memory. False if there is no such instance.
    pub(super) fn summon(&mut self, key: Key) -> Result<bool> {
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

    /// All of an instance as the store will have it after this round.
    pub(super) fn loaded(&mut self, key: Key) -> Result<Option<Loaded>> {
        if self.round.gone.contains(&key) {
            return Ok(None);
        }
        let stored = self.store.load(key)?;
        let Some(slot) = self.machines.get(&key).filter(|slot| slot.touched == self.number) else {
            return Ok(stored);
        };
        let (mut turns, mut inbox) = stored.map(|stored| (stored.turns, stored.inbox)).unwrap_or_default();
        for op in &self.round.ops {
            match op {
                Op::Turn { key: of, turn, data } if *of == key => turns.push((*turn, data.clone())),
                Op::DropTurns(of) if *of == key => turns.clear(),
                Op::PutInbox { key: of, row } if *of == key => inbox.push(row.clone()),
                Op::DropInbox { key: of, id } if *of == key => inbox.retain(|row| row.id != *id),
                _ => {}
            }
        }
        Ok(Some(Loaded { row: slot.machine.row().clone(), turns, inbox }))
    }

    pub(super) fn insert(&mut self, machine: Machine) {
        let key = machine.key();
        self.by_id.insert(machine.instance_id().clone(), key);
        self.machines.insert(key, Box::new(Slot { machine, touched: 0 }));
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<Machine> {
        let slot = self.machines.remove(&key)?;
        if self.by_id.get(slot.machine.instance_id()) == Some(&key) {
            self.by_id.remove(slot.machine.instance_id());
        }
        Some(slot.machine)
    }

    /// Deletes an instance in this round. Children that are still to be terminated are terminated with it: nothing would
    /// remember them.
    pub(super) fn delete(&mut self, key: Key, id: &str) -> Result<()> {
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

    pub(super) fn evict_machines(&mut self) {
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

pub(super) fn not_found(id: &str) -> Error {
    Error::new(ErrorKind::NotFound, "no such workflow instance").of_instance(id)
}
