//! The state behind a lock, the calls, and who waits for a change.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::Runtime;
use super::instance::news;
use super::state::{State, Timer};
use crate::history::wire;
use crate::history::wire::history_event::EventType;
use crate::model::Micros;

/// From here on a timer never fires: 9999-01-01.
const NEVER: i64 = 253_370_764_800;

/// A call that came in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Call {
    /// The method's name.
    pub method: String,
    /// The number of its connection, from 1.
    pub connection: u64,
    /// The request.
    pub message: Bytes,
    /// Whether it has ended, with an answer or without.
    pub ended: bool,
    /// Whether the caller gave it up.
    pub cancelled: bool,
}

/// The state behind a lock, and who waits for a change of it.
pub(super) struct Hub {
    state: Mutex<State>,
    changed: Condvar,
    changes: watch::Sender<u64>,
    handle: Handle,
    this: Weak<Hub>,
}

impl Hub {
    pub(super) fn new(runtime: Runtime, handle: Handle) -> Arc<Hub> {
        Arc::new_cyclic(|this| Hub {
            state: Mutex::new(State::new(runtime)),
            changed: Condvar::new(),
            changes: watch::Sender::new(0),
            handle,
            this: this.clone(),
        })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, arms what it armed and wakes everybody.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let answer = change(&mut state);
        let timers = std::mem::take(&mut state.timers);
        // Under the lock: nobody may look between the change and its number.
        self.changes.send_modify(|changes| *changes += 1);
        self.changed.notify_all();
        drop(state);
        timers.into_iter().for_each(|timer| self.arm(timer));
        answer
    }

    fn arm(&self, (id, run, timer_id, fire_at): Timer) {
        if fire_at.seconds >= NEVER {
            return;
        }
        let left = wire::micros_ceil(&fire_at).0.saturating_sub(Micros::now().0);
        let pause = std::time::Duration::from_micros(u64::try_from(left).unwrap_or(0));
        let hub = self.this.clone();
        self.handle.spawn(async move {
            tokio::time::sleep(pause).await;
            let Some(hub) = hub.upgrade() else { return };
            hub.change(|state| {
                let current = state.instances.get(&id).is_some_and(|found| found.execution_id == run);
                if current && timer_id < 0 {
                    state.look(&id);
                } else if current {
                    let fired = wire::TimerFiredEvent { fire_at: Some(fire_at), timer_id };
                    state.deliver(&id, news(EventType::TimerFired(fired)));
                }
            });
        });
    }

    /// The number of the last change.
    pub(super) fn seen(&self) -> u64 {
        *self.changes.borrow()
    }

    /// Waits for a change after this one. False: the time is over.
    pub(super) fn wait(&self, seen: u64, until: Instant) -> bool {
        let mut state = self.lock();
        while self.seen() == seen {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Waits until the state has an answer.
    pub(super) async fn when<T>(&self, mut answer: impl FnMut(&mut State) -> Option<T>) -> T {
        let mut changes = self.changes.subscribe();
        loop {
            changes.mark_unchanged();
            if let Some(answer) = answer(&mut self.lock()) {
                return answer;
            }
            changes.changed().await.expect("the hub holds the sender");
        }
    }

    /// Cuts every connection.
    pub(super) fn cut(&self) {
        self.change(|state| {
            let connections = std::mem::take(&mut state.connections);
            for (number, connection) in connections {
                connection.abort();
                state.close_connection(number);
            }
        });
    }
}
