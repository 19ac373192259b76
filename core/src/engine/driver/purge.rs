//! Purges of one instance: the whole tree is checked before anything is deleted, then children go before parents, in
//! slices.

use super::bulk::Budget;
use super::*;

/// An instance to delete, and how many records it has.
struct Doomed {
    key: Key,
    id: String,
    records: u32,
}

/// Instances to delete, children before parents.
pub(super) struct Purge {
    keys: VecDeque<Doomed>,
    count: u64,
    /// How many of them no commit has written yet.
    unwritten: u64,
    reply: Reply<u64>,
}

impl Purge {
    pub(super) fn fail(self, error: &Error) {
        drop(self.reply.send(Err(error.duplicate().having_done(self.count - self.unwritten))));
    }
}

impl Driver {
    pub(super) fn begin_purge(&mut self, id: &str, recursive: bool, reply: Reply<u64>) {
        match self.tree(id, recursive) {
            Ok(keys) => self.purges.push_back(Purge { keys: keys.into(), count: 0, unwritten: 0, reply }),
            Err(error) => drop(reply.send(Err(error))),
        }
    }

    /// The instance and, if `recursive`, all below it, children first.
    ///
    /// # Errors
    /// `not_found`; `failed_precondition` if any of them has not finished.
    fn tree(&mut self, id: &str, recursive: bool) -> Result<Vec<Doomed>> {
        let Some((root, status)) = self.lookup(id)? else { return Err(not_found(id)) };
        if !status.is_terminal() {
            return Err(unfinished(id, status));
        }
        let mut order = Vec::new();
        let mut open = vec![(root, id.to_owned())];
        while let Some((key, id)) = open.pop() {
            if recursive {
                // What a termination before it has not come to yet must not refuse the purge.
                self.finish_recursion(key, &id)?;
            }
            let Some(machine) = self.glance(key)? else { continue };
            if !machine.row().status.is_terminal() {
                return Err(unfinished(&id, machine.row().status));
            }
            if recursive {
                for child in machine.family().to_vec() {
                    if let Some(key) = self.child_of(key, &child)? {
                        open.push((key, child));
                    }
                }
            }
            order.push(Doomed { key, id, records: machine.row().next_turn });
        }
        order.reverse();
        Ok(order)
    }

    /// A machine for reading only; it does not stay in memory.
    fn glance(&mut self, key: Key) -> Result<Option<Machine>> {
        self.loaded(key)?.map(Machine::load).transpose()
    }

    fn child_of(&mut self, parent: Key, id: &str) -> Result<Option<Key>> {
        let row = match self.by_id.get(id).and_then(|key| self.machines.get(key)) {
            Some(slot) => Some(slot.machine.row().clone()),
            None => self.store.find(id)?,
        };
        let child = row.filter(|row| row.parent.as_ref().is_some_and(|link| link.key == parent));
        Ok(child.filter(|row| !self.round.gone.contains(&row.key)).map(|row| row.key))
    }

    pub(super) fn purge_slice(&mut self) -> Result<()> {
        let mut budget = Budget::of_a_slice();
        while budget.is_left()
            && let Some(mut purge) = self.purges.pop_front()
        {
            purge.unwritten = 0;
            while budget.is_left()
                && let Some(Doomed { key, id, records }) = purge.keys.pop_front()
            {
                budget.pay(records);
                // One that was replaced or purged meanwhile is not there any more.
                if self.lookup(&id)?.is_some_and(|(found, status)| found == key && status.is_terminal()) {
                    self.delete(key, &id)?;
                    self.round.purged.push(Arc::from(id));
                    purge.count += 1;
                    purge.unwritten += 1;
                }
            }
            if purge.keys.is_empty() {
                self.round.answers.push(Answer::Count(purge.reply, purge.count));
            } else {
                self.purges.push_front(purge);
            }
        }
        Ok(())
    }
}

fn unfinished(id: &str, status: RuntimeStatus) -> Error {
    let text = format!("the workflow instance has not finished (it is {status}); terminate it first");
    Error::new(ErrorKind::FailedPrecondition, text).of_instance(id)
}
