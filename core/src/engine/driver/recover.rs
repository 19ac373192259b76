//! Work that a dead process, a failed commit or a missing worker left undone, taken up in slices.

use bytes::Bytes;

use super::*;
use crate::engine::store::InstanceRow;
use crate::model::Filter;

impl Driver {
    pub(super) fn recover_slice(&mut self) -> Result<()> {
        if self.reload_at <= self.now {
            // A slice tells whether there is room; the others follow at once if there is.
            for _ in 0..SMALL_SLICE {
                let Some(key) = self.reload.first().copied() else { break };
                self.recover(key)?;
                self.reload.remove(&key);
                // The turn that was to find out whether it still stalls may be what was lost.
                let status = self.machines.get(&key).map(|slot| slot.machine.row().status);
                if status == Some(RuntimeStatus::Stalled) {
                    self.stalled.push_back(key);
                }
            }
        }
        let Some(after) = self.recovery else { return Ok(()) };
        let mut keys = self.store.with_work(after, SMALL_SLICE)?;
        let more = keys.len() == SMALL_SLICE;
        keys.retain(|key| *key < self.first_new);
        self.recovery = keys.last().copied().filter(|_| more);
        for key in keys {
            self.recover(key)?;
        }
        Ok(())
    }

    /// One that is in memory was recovered when it was summoned.
    fn recover(&mut self, key: Key) -> Result<()> {
        if self.machines.contains_key(&key) || self.round.gone.contains(&key) {
            return Ok(());
        }
        let Some(loaded) = self.store.load(key)? else { return Ok(()) };
        let turns = loaded.turns.clone();
        self.insert(Machine::load(loaded)?);
        self.recover_machine(key, &turns)
    }

    pub(super) fn recover_machine(&mut self, key: Key, turns: &[(u32, Bytes)]) -> Result<()> {
        let mut outcome = Ok(());
        self.at(key, |machine, context, effects| outcome = machine.recover(turns, context, effects));
        outcome
    }

    /// Terminates the children of a terminated instance.
    pub(super) fn recurse_slice(&mut self) -> Result<()> {
        let mut left = SMALL_SLICE;
        while left > 0
            && let Some((key, from)) = self.recursions.pop_front()
        {
            if !self.summon(key)? {
                continue;
            }
            // A failed commit may have taken the termination back.
            let Some(slot) = self.machines.get(&key).filter(|slot| slot.machine.is_recursing()) else {
                continue;
            };
            let children: Vec<String> = slot.machine.family().iter().skip(from).take(left).cloned().collect();
            let done = from + children.len();
            let more = done < slot.machine.family().len();
            left -= children.len().min(left);
            for id in children {
                self.terminate_child(key, &id)?;
            }
            if more {
                self.recursions.push_front((key, done));
            } else {
                let now = self.now;
                self.at(key, |machine, _, effects| machine.recursion_done(now, effects));
            }
        }
        Ok(())
    }

    /// Terminates at once whatever children of the instance are still to be terminated.
    pub(super) fn finish_recursion(&mut self, key: Key, id: &str) -> Result<()> {
        let known = self.machines.get(&key).map(|slot| slot.machine.is_recursing());
        let pending = match known {
            Some(pending) => pending,
            None => self.store.find(id)?.is_some_and(|row| row.key == key && row.has_work),
        };
        if !pending || !self.summon(key)? {
            return Ok(());
        }
        let family = self.machines.get(&key).map(|slot| slot.machine.family().to_vec()).unwrap_or_default();
        family.iter().try_for_each(|id| self.terminate_child(key, id))
    }

    /// An instance that has taken over the child's ID is not the child.
    fn terminate_child(&mut self, parent: Key, id: &str) -> Result<()> {
        let Some((key, status)) = self.lookup(id)? else { return Ok(()) };
        if status.is_terminal() || !self.summon(key)? {
            return Ok(());
        }
        self.at(key, |machine, context, effects| {
            if machine.row().parent.as_ref().is_some_and(|link| link.key == parent) {
                machine.terminate(None, true, context, effects);
            }
        });
        Ok(())
    }

    /// A new worker may have the code that stalled instances wait for.
    pub(super) fn find_stalled(&mut self) {
        let filter = Filter { statuses: vec![RuntimeStatus::Stalled], ..Filter::default() };
        let mut before = None;
        // Bounded: those beyond it are tried with the next worker or on resume.
        while self.stalled.len() < 100 * SLICE {
            let Ok(rows) = self.store.list(&filter, before, SLICE) else { return };
            before = rows.last().map(InstanceRow::position);
            let full = rows.len() == SLICE;
            self.stalled.extend(rows.into_iter().map(|row| row.key));
            if !full {
                return;
            }
        }
    }

    pub(super) fn retry_stalled(&mut self) -> Result<()> {
        for _ in 0..SMALL_SLICE {
            let Some(key) = self.stalled.pop_front() else { break };
            if self.summon(key)? {
                self.at(key, |machine, context, effects| machine.retry_stalled(context, effects));
            }
        }
        Ok(())
    }
}
