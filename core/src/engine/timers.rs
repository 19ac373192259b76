//! The timers that fire next. The others stay in the store: a million sleeping instances cost rows, not memory.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::store::{Store, TimerRow};
use crate::error::Result;
use crate::model::Micros;

/// How many timers are read from the store at a time.
const SLICE: usize = 10_000;

/// Timers in the order in which they fire. A disarmed one stays until it is due; its machine ignores it then.
#[derive(Debug, Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<TimerRow>>,
    /// The last timer read from the store; behind it are more. Absent: all are here.
    horizon: Option<TimerRow>,
}

impl Timers {
    /// The timers of a store that was just opened.
    pub(super) fn open(store: &mut dyn Store) -> Result<Timers> {
        let mut timers = Timers::default();
        timers.read(store, None)?;
        Ok(timers)
    }

    fn read(&mut self, store: &mut dyn Store, after: Option<TimerRow>) -> Result<()> {
        let rows = store.timers(after, SLICE)?;
        self.horizon = if rows.len() == SLICE { rows.last().copied() } else { None };
        self.heap.extend(rows.into_iter().map(Reverse));
        Ok(())
    }

    /// Takes note of a timer that was just written.
    pub(super) fn arm(&mut self, timer: TimerRow) {
        if self.horizon.is_some_and(|horizon| timer > horizon) {
            return;
        }
        self.heap.push(Reverse(timer));
        if self.heap.len() > 4 * SLICE {
            self.shrink();
        }
    }

    /// Leaves the later ones to the store.
    fn shrink(&mut self) {
        let mut rows = std::mem::take(&mut self.heap).into_sorted_vec();
        // Sorted by Reverse: the earliest are last.
        let rest = rows.split_off(rows.len() - SLICE);
        self.horizon = rest.first().map(|row| row.0);
        self.heap = rest.into();
    }

    /// When the next one is due.
    pub(super) fn next_due(&self) -> Option<Micros> {
        self.heap.peek().map(|Reverse(timer)| timer.fire_at)
    }

    /// The timers that are due, oldest first, at most `limit`.
    pub(super) fn due(&mut self, now: Micros, limit: usize, store: &mut dyn Store) -> Result<Vec<TimerRow>> {
        let mut due = Vec::new();
        while due.len() < limit {
            match self.heap.peek() {
                Some(Reverse(timer)) if timer.fire_at <= now => {
                    due.push(*timer);
                    self.heap.pop();
                }
                Some(_) => break,
                None => match self.horizon.take() {
                    Some(after) => self.read(store, Some(after))?,
                    None => break,
                },
            }
        }
        if self.heap.is_empty()
            && let Some(after) = self.horizon.take()
        {
            self.read(store, Some(after))?;
        }
        Ok(due)
    }
}
