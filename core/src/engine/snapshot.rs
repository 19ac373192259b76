//! What callers see of running instances: the state as of the last flush, and those who wait for it to change.
//!
//! `get` never asks the engine's thread: it reads the published state here, or the store behind it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};
use crate::model::{Failure, Look, Micros, RuntimeStatus, Seen, WorkflowState};

#[cfg(test)]
mod tests;

/// How many finished instances stay published.
const FINISHED: usize = 4096;

/// What a wait is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    /// The first turn has run.
    Start,
    /// The instance has ended or stalled.
    Completion,
    /// The state is another one than this.
    Change(Option<Seen>),
}

impl Want {
    /// Whether this state is what the wait is for.
    pub(crate) fn is_met(self, snapshot: &Snapshot) -> bool {
        if let Want::Change(seen) = self {
            return seen != Some(snapshot.seen());
        }
        let still = snapshot.status.is_terminal() || snapshot.status == RuntimeStatus::Stalled;
        still || (self == Want::Start && snapshot.started_at.is_some())
    }
}

/// A state as of a flush. What does not change is shared with the machine, so that publishing copies no text.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    pub(crate) identity: Arc<Identity>,
    pub(crate) status: RuntimeStatus,
    pub(crate) version: Option<Arc<str>>,
    pub(crate) last_updated_at: Micros,
    pub(crate) started_at: Option<Micros>,
    pub(crate) completed_at: Option<Micros>,
    pub(crate) custom_status: Option<Arc<str>>,
    pub(crate) failure: Option<Arc<Failure>>,
    pub(crate) reason: Option<Arc<str>>,
    pub(crate) input: Option<Arc<str>>,
    pub(crate) output: Option<Arc<str>>,
    /// See [`Snapshot::seen`]; empty until somebody watches.
    pub(crate) print: OnceLock<u64>,
}

/// What an instance is from its start on.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) instance_id: Arc<str>,
    pub(crate) execution_id: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) created_at: Micros,
    pub(crate) start_at: Option<Micros>,
    pub(crate) parent_instance_id: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
}

impl Snapshot {
    /// What a watch has seen that saw this state.
    pub(crate) fn seen(&self) -> Seen {
        let print = *self.print.get_or_init(|| self.look().print());
        Seen { print, last: self.status.is_terminal() }
    }

    fn look(&self) -> Look<'_> {
        Look {
            run: (Some(&self.identity.execution_id), self.identity.created_at),
            input: self.input.as_deref(),
            version: self.version.as_deref(),
            status: self.status,
            started: self.started_at.is_some(),
            custom_status: self.custom_status.as_deref(),
            output: self.output.as_deref(),
            reason: self.reason.as_deref(),
            failure: self.failure.as_deref(),
        }
    }

    /// The state for a caller.
    pub(crate) fn to_state(&self, payloads: bool) -> WorkflowState {
        let text = |text: &Option<Arc<str>>| text.as_deref().map(str::to_owned);
        let identity = &self.identity;
        WorkflowState {
            instance_id: identity.instance_id.to_string(),
            execution_id: Some(identity.execution_id.to_string()),
            name: identity.name.to_string(),
            version: text(&self.version),
            status: self.status,
            created_at: identity.created_at,
            last_updated_at: self.last_updated_at,
            started_at: self.started_at,
            completed_at: self.completed_at,
            start_at: identity.start_at,
            input: if payloads { text(&self.input) } else { None },
            output: if payloads { text(&self.output) } else { None },
            custom_status: text(&self.custom_status),
            failure: self.failure.as_deref().cloned(),
            reason: text(&self.reason),
            parent_instance_id: identity.parent_instance_id.clone(),
            tags: identity.tags.clone(),
        }
    }
}

/// Published states and waits.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    states: HashMap<Arc<str>, Arc<Snapshot>>,
    finished: VecDeque<(Arc<str>, Arc<Snapshot>)>,
    waits: HashMap<u64, Entry>,
    by_instance: HashMap<Arc<str>, Vec<u64>>,
    deadlines: BinaryHeap<Reverse<(Instant, u64)>>,
    next: u64,
    /// What ended the engine: later waits end with it at once.
    closed: Option<Error>,
}

#[derive(Debug)]
struct Entry {
    instance: Arc<str>,
    want: Want,
    waker: Option<Waker>,
    answer: Option<Result<Arc<Snapshot>>>,
}

impl Hub {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The published state of an instance.
    pub(crate) fn get(&self, instance_id: &str) -> Option<Arc<Snapshot>> {
        self.lock().states.get(instance_id).cloned()
    }

    /// Publishes states that have just become durable, and wakes who waited for them.
    pub(super) fn publish(&self, states: Vec<(Arc<str>, Snapshot)>) {
        let mut inner = self.lock();
        let mut wakers = Vec::new();
        for (id, state) in states {
            inner.publish(id, Arc::new(state), &mut wakers);
        }
        drop(inner);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// The instance left the engine's memory: its state is read from the store from now on.
    pub(super) fn forget(&self, instance_id: &str) {
        self.lock().states.remove(instance_id);
    }

    /// The instance is gone: waits for it end with `not_found`.
    pub(super) fn gone(&self, instance_id: &str) {
        let mut inner = self.lock();
        inner.states.remove(instance_id);
        let wakers = inner.answer_all(instance_id, &|| {
            Error::new(ErrorKind::NotFound, "no such workflow instance: it was purged")
                .of_instance(instance_id)
        });
        drop(inner);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// The engine ended: every wait ends with this error, later ones too.
    pub(super) fn close(&self, error: &Error) {
        let mut inner = self.lock();
        inner.states.clear();
        inner.closed = Some(error.duplicate());
        let ids: Vec<Arc<str>> = inner.by_instance.keys().cloned().collect();
        let wakers: Vec<Waker> =
            ids.iter().flat_map(|id| inner.answer_all(id, &|| error.duplicate())).collect();
        drop(inner);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Ends the waits whose time has passed; gives when the next one's does.
    pub(super) fn expire(&self, now: Instant) -> Option<Instant> {
        let mut inner = self.lock();
        let mut wakers = Vec::new();
        while let Some(Reverse((deadline, id))) = inner.deadlines.peek().copied() {
            let open = inner.waits.get(&id).is_some_and(|entry| entry.answer.is_none());
            if open && deadline > now {
                break;
            }
            inner.deadlines.pop();
            if open {
                inner.answer(
                    id,
                    Err(Error::new(ErrorKind::Timeout, "the time given has passed")),
                    &mut wakers,
                );
            }
        }
        let next = inner.deadlines.peek().map(|Reverse((deadline, _))| *deadline);
        drop(inner);
        wakers.into_iter().for_each(Waker::wake);
        next
    }

    /// Whether somebody waits for an instance to begin or to end.
    pub(super) fn is_waited_for(&self) -> bool {
        let inner = self.lock();
        inner
            .by_instance
            .values()
            .flatten()
            .filter_map(|id| inner.waits.get(id))
            .any(|entry| matches!(entry.want, Want::Start | Want::Completion))
    }

    /// Begins a wait. The caller reads the store after this, so that nothing can fall between, and calls
    /// [`Wait::offer`] with what it found.
    pub(super) fn wait(self: &Arc<Hub>, instance_id: &str, want: Want, timeout: Option<Duration>) -> Wait {
        let mut inner = self.lock();
        inner.next += 1;
        let id = inner.next;
        let instance: Arc<str> = Arc::from(instance_id);
        let mut entry = Entry { instance: instance.clone(), want, waker: None, answer: None };
        entry.answer = inner.closed.as_ref().map(|error| Err(error.duplicate()));
        match inner.states.get(instance_id) {
            _ if entry.answer.is_some() => {}
            Some(state) if want.is_met(state) => entry.answer = Some(Ok(state.clone())),
            _ => {
                inner.by_instance.entry(instance).or_default().push(id);
                if let Some(deadline) = timeout.and_then(|timeout| Instant::now().checked_add(timeout)) {
                    inner.push_deadline(deadline, id);
                }
            }
        }
        inner.waits.insert(id, entry);
        drop(inner);
        Wait { hub: self.clone(), id }
    }
}

impl Inner {
    /// Waits end long before their deadlines as a rule: those that have ended are thrown out now and then.
    fn push_deadline(&mut self, deadline: Instant, id: u64) {
        if self.deadlines.len() > 64 + 2 * self.waits.len() {
            let waits = &self.waits;
            self.deadlines.retain(|Reverse((_, id))| waits.contains_key(id));
        }
        self.deadlines.push(Reverse((deadline, id)));
    }

    fn publish(&mut self, id: Arc<str>, state: Arc<Snapshot>, wakers: &mut Vec<Waker>) {
        let Inner { waits, by_instance, .. } = self;
        if let Some(open) = by_instance.get_mut(&id) {
            // One look at each, however many they are: thousands may watch one instance.
            open.retain(|wait| {
                let Some(entry) = waits.get_mut(wait) else { return false };
                let met = entry.want.is_met(&state);
                if met {
                    entry.answer = Some(Ok(state.clone()));
                    wakers.extend(entry.waker.take());
                }
                !met
            });
            if open.is_empty() {
                by_instance.remove(&id);
            }
        }
        if state.status.is_terminal() {
            self.finished.push_back((id.clone(), state.clone()));
            if self.finished.len() > FINISHED
                && let Some((old, state)) = self.finished.pop_front()
                && self.states.get(&old).is_some_and(|now| Arc::ptr_eq(now, &state))
            {
                self.states.remove(&old);
            }
        }
        self.states.insert(id, state);
    }

    fn answer(&mut self, id: u64, answer: Result<Arc<Snapshot>>, wakers: &mut Vec<Waker>) {
        let Some(entry) = self.waits.get_mut(&id).filter(|entry| entry.answer.is_none()) else { return };
        entry.answer = Some(answer);
        wakers.extend(entry.waker.take());
        let instance = entry.instance.clone();
        self.unlink(&instance, id);
    }

    fn unlink(&mut self, instance: &Arc<str>, id: u64) {
        if let Some(waits) = self.by_instance.get_mut(instance) {
            waits.retain(|wait| *wait != id);
            if waits.is_empty() {
                self.by_instance.remove(instance);
            }
        }
    }

    fn answer_all(&mut self, instance: &str, error: &dyn Fn() -> Error) -> Vec<Waker> {
        let mut wakers = Vec::new();
        for id in self.by_instance.remove(instance).unwrap_or_default() {
            if let Some(entry) = self.waits.get_mut(&id) {
                entry.answer = Some(Err(error()));
                wakers.extend(entry.waker.take());
            }
        }
        wakers
    }
}

/// A wait for an instance. Dropping it gives the wait up.
#[derive(Debug)]
pub(crate) struct Wait {
    hub: Arc<Hub>,
    id: u64,
}

impl Wait {
    /// What the store says of the instance now.
    pub(super) fn offer(&self, state: Result<Snapshot>) {
        let mut inner = self.hub.lock();
        let Some(entry) = inner.waits.get(&self.id) else { return };
        let mut wakers = Vec::new();
        match state {
            Ok(state) if entry.want.is_met(&state) => {
                inner.answer(self.id, Ok(Arc::new(state)), &mut wakers);
            }
            Ok(_) => {}
            Err(error) => inner.answer(self.id, Err(error), &mut wakers),
        }
        drop(inner);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Whether the wait is over already.
    pub(super) fn is_over(&self) -> bool {
        self.hub.lock().waits.get(&self.id).is_none_or(|entry| entry.answer.is_some())
    }
}

impl Future for Wait {
    type Output = Result<Arc<Snapshot>>;

    fn poll(self: Pin<&mut Self>, context: &mut std::task::Context<'_>) -> Poll<Self::Output> {
        let mut inner = self.hub.lock();
        let Some(entry) = inner.waits.get_mut(&self.id) else {
            return Poll::Ready(Err(Error::internal("a wait was polled after its answer")));
        };
        match entry.answer.take() {
            Some(answer) => {
                let (instance, want) = (entry.instance.clone(), entry.want);
                inner.waits.remove(&self.id);
                // Who watches gets the latest state, not the one that woke them.
                let latest = inner.states.get(&instance);
                match latest.filter(|latest| matches!(want, Want::Change(_)) && want.is_met(latest)) {
                    Some(latest) if answer.is_ok() => Poll::Ready(Ok(latest.clone())),
                    _ => Poll::Ready(answer),
                }
            }
            None => {
                entry.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        let mut inner = self.hub.lock();
        if let Some(entry) = inner.waits.remove(&self.id) {
            let instance = entry.instance;
            inner.unlink(&instance, self.id);
        }
    }
}
