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

    /// Reads on in the store, so that `limit` timers can be taken and one is left to wait for. To be called while the store
    /// has every timer that was armed: those behind the horizon are only there.
    pub(super) fn fill(&mut self, limit: usize, store: &mut dyn Store) -> Result<()> {
        while self.heap.len() <= limit
            && let Some(after) = self.horizon
        {
            self.read(store, Some(after))?;
        }
        Ok(())
    }

    /// The timers that are due, oldest first, at most `limit`; see [`Timers::fill`].
    pub(super) fn due(&mut self, now: Micros, limit: usize) -> Vec<TimerRow> {
        let mut due = Vec::new();
        while due.len() < limit
            && let Some(Reverse(timer)) = self.heap.peek()
            && timer.fire_at <= now
        {
            due.push(*timer);
            self.heap.pop();
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::store::memory::MemoryStore;
    use crate::engine::store::{InstanceRow, Key, Op};

    fn timer(fire_at: i64) -> TimerRow {
        TimerRow { fire_at: Micros(fire_at), key: Key(1), timer_id: 7 }
    }

    /// A store with timers that fire at each of these times.
    fn store(times: impl Iterator<Item = i64>) -> MemoryStore {
        let mut store = MemoryStore::new();
        let row = InstanceRow { key: Key(1), id: "a".to_owned(), ..InstanceRow::default() };
        let mut ops = vec![Op::Insert(Box::new(row))];
        ops.extend(times.map(|at| Op::PutTimer(timer(at))));
        store.commit(&ops).unwrap();
        store
    }

    /// Fires everything until `now`, as rounds do.
    fn fire(timers: &mut Timers, now: i64, store: &mut MemoryStore) -> Vec<i64> {
        let mut fired = Vec::new();
        loop {
            timers.fill(1_000, store).unwrap();
            let due = timers.due(Micros(now), 1_000);
            assert!(due.len() <= 1_000);
            let ops: Vec<Op> = due.iter().map(|row| Op::DropTimer(*row)).collect();
            store.commit(&ops).unwrap();
            fired.extend(due.iter().map(|row| row.fire_at.0));
            if due.is_empty() {
                return fired;
            }
        }
    }

    #[test]
    fn timers_fire_in_order_and_never_early() {
        let mut store = store([30, 10, 20].into_iter());
        let mut timers = Timers::open(&mut store).unwrap();
        timers.arm(timer(15));
        assert_eq!(timers.next_due(), Some(Micros(10)));
        assert!(fire(&mut timers, 9, &mut store).is_empty());
        assert_eq!(fire(&mut timers, 15, &mut store), [10, 15]);
        assert_eq!(timers.next_due(), Some(Micros(20)));
        assert_eq!(fire(&mut timers, 1_000, &mut store), [20, 30]);
        assert_eq!(timers.next_due(), None);
    }

    #[test]
    fn what_is_behind_the_horizon_stays_in_the_store_until_its_time() {
        let count = i64::try_from(2 * SLICE).unwrap() + 500;
        let mut store = store(1..=count);
        let mut timers = Timers::open(&mut store).unwrap();
        assert_eq!(timers.heap.len(), SLICE);
        timers.arm(timer(count + 5));
        assert_eq!(timers.heap.len(), SLICE, "it is behind the horizon");
        store.commit(&[Op::PutTimer(timer(count + 5))]).unwrap();
        let mut all: Vec<i64> = (1..=count).collect();
        all.push(count + 5);
        assert_eq!(fire(&mut timers, count + 5, &mut store), all);
        assert!(timers.horizon.is_none() && timers.heap.is_empty());
    }

    #[test]
    fn a_timer_armed_in_a_round_that_empties_the_heap_is_not_lost() {
        let count = i64::try_from(SLICE).unwrap();
        let mut store = store(1..=count);
        let mut timers = Timers::open(&mut store).unwrap();
        assert!(timers.horizon.is_some(), "more may be behind a full slice");
        // The heap is down to a last slice of a round, and the round arms a timer behind the horizon.
        assert_eq!(fire(&mut timers, count - 1_000, &mut store).len(), SLICE - 1_000);
        timers.fill(1_000, &mut store).unwrap();
        timers.arm(timer(count + 1));
        assert_eq!(timers.due(Micros(count), 1_000).len(), 1_000);
        store.commit(&[Op::PutTimer(timer(count + 1))]).unwrap();
        assert_eq!(fire(&mut timers, count + 1, &mut store), [count + 1]);
    }

    #[test]
    fn too_many_timers_in_memory_are_left_to_the_store() {
        let mut store = store(std::iter::empty());
        let mut timers = Timers::open(&mut store).unwrap();
        let count = i64::try_from(4 * SLICE).unwrap() + 1;
        for at in (1..=count).rev() {
            timers.arm(timer(at));
        }
        let ops: Vec<Op> = (1..=count).map(|at| Op::PutTimer(timer(at))).collect();
        store.commit(&ops).unwrap();
        assert_eq!(timers.heap.len(), SLICE);
        assert_eq!(timers.horizon, Some(timer(i64::try_from(SLICE).unwrap())));
        let fired = fire(&mut timers, count, &mut store);
        assert_eq!(fired, (1..=count).collect::<Vec<i64>>());
    }

    #[test]
    fn the_same_timer_twice_is_in_order_and_the_year_9999_waits() {
        let never = 253_370_764_799_999_999;
        let mut store = store([never].into_iter());
        let mut timers = Timers::open(&mut store).unwrap();
        timers.arm(timer(never));
        assert!(fire(&mut timers, never - 1, &mut store).is_empty());
        assert_eq!(fire(&mut timers, never, &mut store), [never, never]);
    }
}
