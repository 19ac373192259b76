//! Waiting for many calls with one thread, for hosts whose callers must not block: event loops.
//!
//! A call is polled where it is submitted, so that an answer that is there comes back at once. Any other waits here
//! without a thread of its own until its waker puts its ticket into the ready list, and whoever takes polls it then.
//! Nothing sleeps but the taker, and it wakes for finished calls and deadlines only.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use super::timed_out;
use crate::component::Pending;
use crate::error::{Error, ErrorKind, Result};

#[cfg(test)]
mod tests;

/// Calls under way whose answers are taken in batches. Each call has exactly one outcome: the answer that
/// [`Submissions::submit`] or [`Submissions::take`] gives, a [`Submissions::cancel`] that says `true`, or the end of the
/// queue.
///
/// A host with several event loops tells them apart by `key`, a number of its own that comes back with the answer.
pub struct Submissions<T>(Arc<Shared<T>>);

/// Names a submitted call. No two calls of a queue have the same one, and none is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// What became of a call at once.
#[derive(Debug)]
pub enum Submitted<T> {
    /// It has ended; no `take` will speak of it.
    Ready(Result<T>),
    /// A `take` will give its answer.
    Waiting(Ticket),
}

/// A call that has ended.
#[derive(Debug)]
pub struct Finished<T> {
    /// What the host said with the call.
    pub key: u64,
    /// The call.
    pub ticket: Ticket,
    /// Its answer.
    pub answer: Result<T>,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    awake: Condvar,
}

struct State<T> {
    open: HashMap<u64, Call<T>>,
    ready: VecDeque<u64>,
    deadlines: BTreeSet<(Instant, u64)>,
    last: u64,
    /// How many takers sleep, and how many of them have been told to wake: telling one twice costs a system call.
    sleeping: usize,
    told: usize,
    /// Until when takers sleep at the longest. It may lie before the first deadline: a taker is not woken to sleep longer.
    alarm: Option<Instant>,
    roused: bool,
    closed: bool,
}

struct Call<T> {
    key: u64,
    stage: Stage<T>,
    waker: Waker,
    deadline: Option<(Instant, Duration)>,
}

enum Stage<T> {
    /// Until its waker is called.
    Waiting(Pending<'static, T>),
    /// Its ticket is in the ready list.
    Ready(Pending<'static, T>),
    /// A thread polls it, outside the lock; `woken` meanwhile means again.
    Polled { woken: bool },
}

impl<T: Send + 'static> Submissions<T> {
    /// An empty queue.
    pub fn new() -> Submissions<T> {
        let state = State {
            open: HashMap::new(),
            ready: VecDeque::new(),
            deadlines: BTreeSet::new(),
            last: 0,
            sleeping: 0,
            told: 0,
            alarm: None,
            roused: false,
            closed: false,
        };
        Submissions(Arc::new(Shared { state: Mutex::new(state), awake: Condvar::new() }))
    }

    /// Begins a call on this thread. It ends as `timeout` if it takes longer than `deadline`, and as `closed` if the queue
    /// is closed.
    pub fn submit(&self, key: u64, call: Pending<'static, T>, deadline: Option<Duration>) -> Submitted<T> {
        let Some((ticket, waker)) = self.open(key, deadline, || Stage::Polled { woken: false }) else {
            return Submitted::Ready(Err(closed()));
        };
        self.poll(ticket, call, &waker)
            .map_or(Submitted::Waiting(ticket), |finished| Submitted::Ready(finished.answer))
    }

    /// Leaves even the beginning of a call to the thread that takes: for one that reads so much that the caller's
    /// thread would be missed meanwhile. Otherwise as [`Submissions::submit`].
    ///
    /// # Errors
    /// `closed`.
    pub fn defer(&self, key: u64, call: Pending<'static, T>, deadline: Option<Duration>) -> Result<Ticket> {
        let (ticket, waker) = self.open(key, deadline, || Stage::Waiting(call)).ok_or_else(closed)?;
        waker.wake();
        Ok(ticket)
    }

    /// Waits until calls have ended, and gives up to `max` of them; none when `timeout` has passed or
    /// [`Submissions::rouse`] was called. `None` when the queue is closed.
    pub fn take(&self, max: usize, timeout: Option<Duration>) -> Option<Vec<Finished<T>>> {
        let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let max = max.max(1);
        loop {
            let mut finished = self.expire(max);
            self.poll_ready(&mut finished, max);
            if !finished.is_empty() {
                return Some(finished);
            }
            match self.sleep(until) {
                Slept::Woken => {}
                Slept::Enough => return Some(finished),
                Slept::Closed => return None,
            }
        }
    }

    /// Gives a call up: its future is dropped and no `take` speaks of it. `false` if it has ended already.
    pub fn cancel(&self, ticket: Ticket) -> bool {
        let call = self.0.lock().end(ticket.0);
        call.is_some()
    }

    /// Has a `take` that waits return with what is there, or the next one if none waits.
    pub fn rouse(&self) {
        let mut state = self.0.lock();
        state.roused = true;
        self.0.tell(&mut state);
    }

    /// How many calls are under way.
    pub fn len(&self) -> usize {
        self.0.lock().open.len()
    }

    /// Whether no call is under way.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives up all calls, now and later, and ends every `take`.
    pub fn close(&self) {
        self.0.close();
    }

    fn open(
        &self,
        key: u64,
        deadline: Option<Duration>,
        stage: impl FnOnce() -> Stage<T>,
    ) -> Option<(Ticket, Waker)> {
        // A deadline beyond what the clock can express is none.
        let deadline = deadline.and_then(|after| Some((Instant::now().checked_add(after)?, after)));
        let mut state = self.0.lock();
        if state.closed {
            return None;
        }
        state.last += 1;
        let ticket = Ticket(state.last);
        let waker = Waker::from(Arc::new(Bell { shared: self.0.clone(), ticket }));
        state.open.insert(ticket.0, Call { key, stage: stage(), waker: waker.clone(), deadline });
        if let Some((at, _)) = deadline {
            state.deadlines.insert((at, ticket.0));
            if state.sleeping > 0 && state.alarm.is_none_or(|alarm| at < alarm) {
                state.alarm = Some(at);
                self.0.tell(&mut state);
            }
        }
        Some((ticket, waker))
    }

    /// Polls a call that is marked as polled. `None` if it goes on, or was given up meanwhile.
    fn poll(&self, ticket: Ticket, mut future: Pending<'static, T>, waker: &Waker) -> Option<Finished<T>> {
        let mut context = Context::from_waker(waker);
        let answer = match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut context))) {
            Ok(Poll::Pending) => {
                // If it was given up meanwhile, the future comes back and is dropped here, outside the lock.
                let _given_up = self.0.put_back(ticket.0, future);
                return None;
            }
            Ok(Poll::Ready(answer)) => answer,
            Err(_) => Err(Error::internal("the operation panicked")),
        };
        let call = self.0.lock().end(ticket.0)?;
        Some(Finished { key: call.key, ticket, answer })
    }

    /// Polls what was ready when this began: a call that wakes itself again and again must not keep others waiting.
    fn poll_ready(&self, finished: &mut Vec<Finished<T>>, max: usize) {
        let ready = self.0.lock().ready.len();
        for _ in 0..ready {
            if finished.len() >= max {
                return;
            }
            let next = self.0.lock().next_ready();
            if let Some((ticket, future, waker)) = next {
                finished.extend(self.poll(ticket, future, &waker));
            }
        }
    }

    /// Ends the calls whose time has passed.
    fn expire(&self, max: usize) -> Vec<Finished<T>> {
        let mut expired = Vec::new();
        let mut state = self.0.lock();
        if state.deadlines.is_empty() {
            return Vec::new();
        }
        let now = Instant::now();
        while expired.len() < max && state.deadlines.first().is_some_and(|(at, _)| *at <= now) {
            let (_, ticket) = state.deadlines.pop_first().expect("there is a first");
            expired.extend(state.end(ticket).map(|call| (ticket, call)));
        }
        drop(state);
        let finish = |(ticket, call): (u64, Call<T>)| {
            let answer = Err(timed_out(call.deadline.map(|(_, after)| after)));
            Finished { key: call.key, ticket: Ticket(ticket), answer }
        };
        expired.into_iter().map(finish).collect()
    }

    fn sleep(&self, until: Option<Instant>) -> Slept {
        let mut state = self.0.lock();
        if state.closed {
            return Slept::Closed;
        }
        let first = state.deadlines.first().map(|(at, _)| *at);
        let now = (first.is_some() || state.alarm.is_some() || until.is_some()).then(Instant::now);
        if std::mem::take(&mut state.roused) || (until.is_some() && until <= now) {
            return Slept::Enough;
        }
        if !state.ready.is_empty() {
            return Slept::Woken;
        }
        // An alarm of earlier stays, even if its call has ended: then the next call need not wake this thread for its own.
        state.alarm = state.alarm.filter(|alarm| Some(*alarm) > now).into_iter().chain(first).min();
        let wake_at = state.alarm.into_iter().chain(until).min();
        state.sleeping += 1;
        let mut state = match wake_at.zip(now) {
            Some((at, now)) => {
                let pause = at.saturating_duration_since(now);
                self.0.awake.wait_timeout(state, pause).unwrap_or_else(PoisonError::into_inner).0
            }
            None => self.0.awake.wait(state).unwrap_or_else(PoisonError::into_inner),
        };
        state.sleeping -= 1;
        state.told = state.told.saturating_sub(1);
        Slept::Woken
    }
}

impl<T: Send + 'static> Default for Submissions<T> {
    fn default() -> Submissions<T> {
        Submissions::new()
    }
}

impl<T> Drop for Submissions<T> {
    fn drop(&mut self) {
        // The wakers that calls have left elsewhere hold the rest.
        self.0.close();
    }
}

impl<T> std::fmt::Debug for Submissions<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Submissions").field("open", &self.0.lock().open.len()).finish_non_exhaustive()
    }
}

enum Slept {
    /// There may be something to do.
    Woken,
    /// The caller's time has passed, or it was roused.
    Enough,
    Closed,
}

fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the queue of calls is closed")
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes a taker that sleeps, if there is one that nobody has woken yet.
    fn tell(&self, state: &mut State<T>) {
        if state.told < state.sleeping {
            state.told += 1;
            self.awake.notify_one();
        }
    }

    fn wake(&self, ticket: u64) {
        let mut state = self.lock();
        if state.wake(ticket) {
            self.tell(&mut state);
        }
    }

    /// The call goes on; gives the future back if the call was given up while it was polled.
    fn put_back(&self, ticket: u64, future: Pending<'static, T>) -> Option<Pending<'static, T>> {
        let mut state = self.lock();
        let Some(call) = state.open.get_mut(&ticket) else { return Some(future) };
        let woken = matches!(call.stage, Stage::Polled { woken: true });
        call.stage = Stage::Waiting(future);
        if woken && state.wake(ticket) {
            self.tell(&mut state);
        }
        None
    }

    fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.deadlines.clear();
        state.ready.clear();
        let open = std::mem::take(&mut state.open);
        self.awake.notify_all();
        drop(state);
        drop(open);
    }
}

impl<T> State<T> {
    /// Marks a call as ready; says whether it has just become so.
    fn wake(&mut self, ticket: u64) -> bool {
        let Some(call) = self.open.get_mut(&ticket) else { return false };
        match std::mem::replace(&mut call.stage, Stage::Polled { woken: true }) {
            Stage::Waiting(future) => {
                call.stage = Stage::Ready(future);
                self.ready.push_back(ticket);
                true
            }
            Stage::Ready(future) => {
                call.stage = Stage::Ready(future);
                false
            }
            Stage::Polled { .. } => false,
        }
    }

    /// Takes a call out for polling. Nothing for one that was given up after it became ready.
    fn next_ready(&mut self) -> Option<(Ticket, Pending<'static, T>, Waker)> {
        let ticket = self.ready.pop_front()?;
        let call = self.open.get_mut(&ticket)?;
        match std::mem::replace(&mut call.stage, Stage::Polled { woken: false }) {
            Stage::Ready(future) => Some((Ticket(ticket), future, call.waker.clone())),
            other => {
                call.stage = other;
                None
            }
        }
    }

    fn end(&mut self, ticket: u64) -> Option<Call<T>> {
        let call = self.open.remove(&ticket)?;
        if let Some((at, _)) = call.deadline {
            self.deadlines.remove(&(at, ticket));
        }
        Some(call)
    }
}

/// The waker of a call.
struct Bell<T> {
    shared: Arc<Shared<T>>,
    ticket: Ticket,
}

impl<T: Send + 'static> Wake for Bell<T> {
    fn wake(self: Arc<Self>) {
        self.shared.wake(self.ticket.0);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.shared.wake(self.ticket.0);
    }
}
