//! Bulk operations: one slice for each request, so that starts and turns go on between them.

use super::*;
use crate::engine::store::{InstanceRow, Position};
use crate::model::{BulkAction, BulkStep, Filter};

/// What a slice may cost, in records that are read or deleted: two or three milliseconds of a purge.
const COST: usize = 300;
/// What an instance costs beside its records: its row, its place in the indexes, its inbox and timers.
const INSTANCE_COST: usize = 6;
/// How many instances a slice looks at: as many as it can take.
const ROWS: usize = COST / INSTANCE_COST + 1;
/// How many rounds that others need a slice lets pass.
const YIELDS: u32 = 4;
/// From one slice to the next while others use the engine: 98 % of the time is theirs. Few long slices are better than many
/// short ones, whose commits would write the same pages again and again (docs/adr/0010).
const SPACING: Duration = Duration::from_millis(200);

/// One slice: what is to be done, and where those before it ended. The filter names the statuses.
#[derive(Clone, Debug)]
pub(crate) struct BulkSlice {
    pub(crate) action: BulkAction,
    pub(crate) filter: Filter,
    /// The last instance of the slice before. What is created later is newer, so it is never met.
    pub(crate) before: Option<Position>,
    /// How many were done in the slices before.
    pub(crate) done: u64,
}

/// What is left of a slice.
pub(super) struct Budget(usize);

impl Budget {
    pub(super) const fn of_a_slice() -> Budget {
        Budget(COST)
    }

    /// Whether one more instance may be taken; the first one always may.
    pub(super) fn is_left(&self) -> bool {
        self.0 > 0
    }

    /// Pays for an instance with so many records.
    pub(super) fn pay(&mut self, records: u32) {
        let records = usize::try_from(records).unwrap_or(usize::MAX);
        self.0 = self.0.saturating_sub(records.saturating_add(INSTANCE_COST));
    }
}

/// The slices that wait for their round.
#[derive(Default)]
pub(super) struct Bulks {
    waiting: VecDeque<(Box<BulkSlice>, Reply<BulkStep>)>,
    yielded: u32,
    /// When the last slice was taken.
    last: Micros,
    /// Whether anybody else has used the engine since.
    others: bool,
}

impl Bulks {
    pub(super) fn push(&mut self, slice: Box<BulkSlice>, reply: Reply<BulkStep>) {
        self.waiting.push_back((slice, reply));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// When the next slice is due, if one waits.
    pub(super) fn due(&self) -> Option<Micros> {
        let due = if self.others { self.last.plus(SPACING) } else { self.last };
        (!self.waiting.is_empty()).then_some(due)
    }

    /// The next slice, unless it is to let others go first: who starts something should not wait for a slice's work as
    /// well as for the end of the one that was running.
    fn next(&mut self, others: bool, now: Micros) -> Option<(Box<BulkSlice>, Reply<BulkStep>)> {
        self.others |= others;
        if self.due().is_none_or(|due| due > now) {
            return None;
        }
        if others && self.yielded < YIELDS {
            self.yielded += 1;
            return None;
        }
        (self.yielded, self.others, self.last) = (0, false, now);
        self.waiting.pop_front()
    }

    pub(super) fn fail(&mut self, error: &Error) {
        for (_, reply) in self.waiting.drain(..) {
            drop(reply.send(Err(error.duplicate())));
        }
    }
}

impl Driver {
    /// Takes one slice. `others`: whether the round serves anybody else.
    pub(super) fn bulk_slice(&mut self, others: bool) {
        let Some((mut slice, reply)) = self.bulks.next(others, self.now) else { return };
        let before = slice.done;
        let answer = match self.run_slice(&mut slice) {
            // What was done before the error is written with this round; the next slice meets the error first.
            Err(error) if slice.done == before => return drop(reply.send(Err(error))),
            answer => answer.unwrap_or(true),
        };
        let place = slice.before.filter(|_| answer);
        let cursor = place.map(|(at, key)| format!("{}.{}.{}", slice.done, at.0, key.0));
        self.round.answers.push(Answer::Bulk(reply, BulkStep { done: slice.done, cursor }));
    }

    /// Gives whether there may be more.
    fn run_slice(&mut self, slice: &mut BulkSlice) -> Result<bool> {
        let rows = self.store.list(&slice.filter, slice.before, ROWS)?;
        let full = rows.len() == ROWS;
        let mut budget = Budget::of_a_slice();
        for row in rows {
            if !budget.is_left() {
                return Ok(true);
            }
            budget.pay(row.next_turn);
            slice.done += self.take_one(&slice.action, &slice.filter, &row)?;
            slice.before = Some(row.position());
        }
        Ok(full)
    }

    /// Gives how many instances it was done to.
    fn take_one(&mut self, action: &BulkAction, filter: &Filter, row: &InstanceRow) -> Result<u64> {
        let key = row.key;
        if !self.present(row).is_some_and(|row| row.matches(filter)) {
            return Ok(0);
        }
        match action {
            BulkAction::Purge => {
                self.delete(key, &row.id)?;
                self.round.purged.push(Arc::from(&*row.id));
            }
            BulkAction::Terminate { output, recursive } => {
                return self.terminate_with_parents(filter, row, output.as_ref(), *recursive);
            }
            BulkAction::Pause { reason } => {
                if !self.summon(key)? {
                    return Ok(0);
                }
                self.withdraw_turn(key);
                let reason = reason.clone();
                self.at(key, |machine, context, effects| machine.suspend(reason, context, effects));
            }
            BulkAction::Resume { reason } => {
                if !self.summon(key)? {
                    return Ok(0);
                }
                let reason = reason.clone();
                self.at(key, |machine, context, effects| machine.resume(reason, context, effects));
            }
        }
        self.settle_messages()?;
        Ok(1)
    }

    fn settle_messages(&mut self) -> Result<()> {
        while let Some(message) = self.round.messages.pop_front() {
            self.deliver(message)?;
        }
        Ok(())
    }

    /// The row as this round has made it; nothing if the instance is gone.
    fn present<'a>(&'a self, stored: &'a InstanceRow) -> Option<&'a InstanceRow> {
        if self.round.gone.contains(&stored.key) {
            return None;
        }
        Some(self.machines.get(&stored.key).map_or(stored, |slot| slot.machine.row()))
    }

    /// Ends the instance, and before it those above it that match as well: a parent that is about to be ended must not
    /// go on with the news that its child was.
    fn terminate_with_parents(
        &mut self,
        filter: &Filter,
        row: &InstanceRow,
        output: Option<&String>,
        recursive: bool,
    ) -> Result<u64> {
        let mut line = vec![row.key];
        let mut parent = row.parent.clone();
        while let Some(link) = parent {
            let Some(above) = self.store.find(&link.instance_id)?.filter(|row| row.key == link.key) else {
                break;
            };
            let Some(above) = self.present(&above).filter(|row| row.matches(filter)) else { break };
            line.push(above.key);
            parent = above.parent.clone();
        }
        // All or none: an error further up must not leave some of them ended and not counted.
        for key in &line {
            self.summon(*key)?;
        }
        let mut done = 0;
        for key in line.into_iter().rev() {
            let output = output.cloned();
            self.at(key, |machine, context, effects| machine.terminate(output, recursive, context, effects));
            self.settle_messages()?;
            done += 1;
        }
        Ok(done)
    }
}
