//! The worker: takes tasks, has the host run them, gives results back.
//!
//! Hosts poll and complete; nothing here calls user code. Replay runs in the host's polling thread, so that the engine's
//! thread has machines and the store to itself.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::bridge::{self, OpenRequest, OpenResponse, PayloadMode, StallCode};
use crate::client::Client;
use crate::component::Pending;
use crate::engine::task::{RunKey, WorkflowTask};
use crate::engine::{Abilities, Bell};
use crate::error::{Error, ErrorKind, Result};

mod activities;
mod batches;
pub(crate) mod dapr;
mod rehearsal;
pub mod replay;
pub(crate) mod source;
mod state;
pub(crate) mod status;
mod sticky;
#[cfg(test)]
mod tests;
mod turn;

pub use rehearsal::Rehearsal;
pub use source::{Session, TaskSource, TurnOutcome};
use state::State;
pub use status::Status;
use sticky::Instance;

/// How long an instance without news stays cached.
const IDLE: Duration = Duration::from_secs(60);

/// How long answers that are given may be under way when a worker ends, whatever its deadline.
const SETTLE: Duration = Duration::from_secs(1);

/// How long one sleep of a wait without an end is.
const FAR: Duration = Duration::from_secs(3600);

/// What a poll gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Poll {
    /// A batch of tasks, as text.
    Batch(String),
    /// Nothing came in the time given.
    Empty,
    /// The worker is shut down and drained: there will be no more.
    Closed,
}

/// A worker of one client. Polling and completing may happen on different threads.
pub struct Worker {
    gate: Arc<Gate>,
    session: Arc<dyn Session>,
    abilities: Arc<Abilities>,
    mode: PayloadMode,
    max_payload: usize,
}

/// What polls wait at.
struct Gate {
    state: Mutex<State>,
    workflows: Condvar,
    activities: Condvar,
    drained: Condvar,
}

impl Gate {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bell for Gate {
    fn workflows(&self) {
        self.lock().rung_workflows = true;
        self.workflows.notify_one();
    }

    fn activities(&self) {
        self.lock().rung_activities = true;
        self.activities.notify_one();
    }
}

impl Worker {
    /// Opens a worker on a component of `client`. `open` is the protocol's open request; gives also its answer.
    ///
    /// # Errors
    /// `invalid_argument` for a bad request or an unknown component, `not_implemented` where the component has no
    /// tasks, `store_locked` where another process owns the store, `closed`.
    pub fn open(client: &Client, component: Option<&str>, open: &str) -> Result<(Worker, String)> {
        let source = client.component(component)?.tasks()?;
        Worker::join(source.as_ref(), open, client.options().max_payload_bytes)
    }

    /// Opens a worker on a task source.
    pub(crate) fn join(source: &dyn TaskSource, open: &str, max_payload: usize) -> Result<(Worker, String)> {
        let request = OpenRequest::read(open)?;
        let abilities = Arc::new(Abilities::new(&request.workflows, &request.activities));
        let gate = Arc::new(Gate {
            state: Mutex::new(State::new(request.max_cached, request.slots)),
            workflows: Condvar::new(),
            activities: Condvar::new(),
            drained: Condvar::new(),
        });
        let session = source.join(abilities.clone(), gate.clone())?;
        let answer = OpenResponse {
            worker: "w1".to_owned(),
            limits: bridge::Limits { max_payload },
            capabilities: Vec::new(),
        };
        let worker = Worker { gate, session, abilities, mode: request.payloads, max_payload };
        Ok((worker, answer.write()))
    }

    /// Waits for workflow tasks: at most `max` of them and about `max_bytes` of text, as soon as there is one. Without a
    /// timeout it waits until there is one or the worker closes.
    ///
    /// # Errors
    /// None today; a later task source may lose its connection for good.
    pub fn poll_workflows(&self, max: usize, max_bytes: usize, timeout: Option<Duration>) -> Result<Poll> {
        let until = deadline(timeout);
        let mut state = self.gate.lock();
        loop {
            state.rung_workflows = false;
            let expired = state.expire(Instant::now(), IDLE);
            if !expired.is_empty() {
                drop(state);
                self.tell_dropped(expired);
                state = self.gate.lock();
                continue;
            }
            let notices = self.session.take_notices();
            if !notices.is_empty() {
                return Ok(Poll::Batch(state.batches.notices(&notices)));
            }
            let room = if state.closing { 0 } else { state.free_turns(max) };
            // Even without room: there may be runs to drop, and one of them may hold a place.
            let begun = state.accept(self.session.take_turns(room));
            if !begun.is_empty() {
                drop(state);
                self.begin(begun);
                state = self.gate.lock();
            }
            if let Some(text) = state.write_turns(max, max_bytes, self.mode) {
                // A shutdown waits for the last of what is handed out.
                self.gate.drained.notify_all();
                return Ok(Poll::Batch(text));
            }
            if state.closing && state.is_drained_of_turns() {
                return Ok(Poll::Closed);
            }
            if state.rung_workflows {
                continue;
            }
            let idle = state.idle_until(IDLE);
            match wait(&self.gate.workflows, state, until, idle) {
                (guard, false) => state = guard,
                (_, true) => return Ok(Poll::Empty),
            }
        }
    }

    /// Never under the lock: the source may ring the bell, which takes it.
    fn tell_dropped(&self, runs: Vec<RunKey>) {
        runs.into_iter().for_each(|run| self.session.dropped(run));
    }

    /// Makes the first jobs of turns. Those that need no host are answered at once.
    fn begin(&self, tasks: Vec<(WorkflowTask, Option<Box<Instance>>)>) {
        let mut outcomes = Vec::new();
        for (task, cached) in tasks {
            let token = task.token;
            let progress = turn::begin(task, cached, self.session.as_ref(), &self.abilities);
            outcomes.extend(self.gate.lock().begun(token, progress, Instant::now()));
        }
        let dropped = self.gate.lock().shrink();
        self.tell_dropped(dropped);
        if !outcomes.is_empty() {
            self.session.answer_turns(outcomes);
            self.gate.drained.notify_all();
        }
    }

    /// Waits for activities, as [`Worker::poll_workflows`] does for turns.
    ///
    /// # Errors
    /// None today.
    pub fn poll_activities(&self, max: usize, max_bytes: usize, timeout: Option<Duration>) -> Result<Poll> {
        let until = deadline(timeout);
        let mut state = self.gate.lock();
        loop {
            state.rung_activities = false;
            // Even without room, and while the worker drains: there may be activities to stop.
            let notices = self.session.take_notices();
            if !notices.is_empty() {
                return Ok(Poll::Batch(state.batches.notices(&notices)));
            }
            let room = if state.closing { 0 } else { state.activities.free(max) };
            let work = self.session.take_activities(room);
            state.activities.accept(work);
            if let Some(text) = state.write_activities(max, max_bytes, self.mode) {
                // A shutdown waits for the last of what is handed out.
                self.gate.drained.notify_all();
                return Ok(Poll::Batch(text));
            }
            if state.closing && state.activities.is_drained() {
                return Ok(Poll::Closed);
            }
            if state.rung_activities {
                continue;
            }
            match wait(&self.gate.activities, state, until, None) {
                (guard, false) => state = guard,
                (_, true) => return Ok(Poll::Empty),
            }
        }
    }

    /// Takes the host's answers. An item that cannot be read stalls its turn or fails its activity, the others count;
    /// a stale token is ignored.
    ///
    /// # Errors
    /// `decode_failed` if the text as a whole cannot be read.
    pub fn complete(&self, text: &str) -> Result<()> {
        let completion = bridge::read_completion(text)?;
        let mut outcomes = Vec::with_capacity(completion.turns.len());
        for answer in completion.turns {
            let Some(turn) = self.gate.lock().answered(&answer.token) else { continue };
            let token = turn.token;
            let progress = turn.answer(answer.steps, self.max_payload);
            outcomes.extend(self.gate.lock().begun(token, Some(progress), Instant::now()));
        }
        let mut state = self.gate.lock();
        let mut results = Vec::with_capacity(completion.activities.len());
        for answer in completion.activities {
            results.extend(state.activities.answer(answer, self.max_payload));
        }
        let dropped = state.shrink();
        let turns = state.has_ready_turns() || state.closing || !outcomes.is_empty();
        drop(state);
        if !outcomes.is_empty() {
            self.session.answer_turns(outcomes);
        }
        self.tell_dropped(dropped);
        let activities = !results.is_empty();
        if activities {
            self.session.answer_activities(results);
        }
        // Whoever waits for room or for the rest of a turn looks again.
        if turns {
            Bell::workflows(self.gate.as_ref());
        }
        if activities {
            Bell::activities(self.gate.as_ref());
        }
        self.gate.drained.notify_all();
        Ok(())
    }

    /// The batch again, with every payload as a string: for a host that could not parse it.
    ///
    /// # Errors
    /// `not_found` if it is not one of the last batches.
    pub fn repoll(&self, batch: &str) -> Result<String> {
        self.gate
            .lock()
            .batches
            .rewrite(batch)
            .ok_or_else(|| Error::new(ErrorKind::NotFound, "the batch is not one of the last ones"))
    }

    /// Stops taking tasks, waits until those at the host are answered or the deadline is over, and ends the session.
    /// Polls return what is still to be handed out, then [`Poll::Closed`]. What was not answered is handed out again.
    pub fn shutdown(&self, deadline: Duration) {
        let until = self::deadline(Some(deadline));
        let mut state = self.gate.lock();
        if !state.closing {
            state.close();
        }
        self.gate.workflows.notify_all();
        self.gate.activities.notify_all();
        while !state.is_drained() {
            let left = until.map_or(FAR, |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                state.abandon();
                // Another one, with more time, waits for what is nobody's now.
                self.gate.drained.notify_all();
                break;
            }
            state = self.gate.drained.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(state);
        let left = until.map_or(FAR, |until| until.saturating_duration_since(Instant::now()));
        self.session.settle(left.max(SETTLE));
        self.session.leave();
        self.gate.workflows.notify_all();
        self.gate.activities.notify_all();
    }

    /// How the worker stands with the source of its tasks.
    pub fn status(&self) -> Status {
        let status = self.session.status();
        Status { connected: status.connected && !self.is_closed(), ..status }
    }

    /// Ends when tasks may come: at once on the embedded engine, with the stream of work items on a Dapr sidecar.
    ///
    /// # Errors
    /// `timeout`, which names why the connection is not there; `unauthenticated`, `permission_denied`, `not_implemented` at once where
    /// trying again is of no use; `closed`.
    pub fn ready(&self, timeout: Option<Duration>) -> Pending<'static, ()> {
        if self.is_closed() {
            let error = Error::new(ErrorKind::Closed, "the worker is closed");
            return Box::pin(std::future::ready(Err(error)));
        }
        self.session.ready(timeout)
    }

    /// Whether the worker has been shut down.
    pub fn is_closed(&self) -> bool {
        self.gate.lock().closing
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.shutdown(Duration::ZERO);
    }
}

/// When a timeout ends; absent where the clock cannot hold it.
fn deadline(timeout: Option<Duration>) -> Option<Instant> {
    Instant::now().checked_add(timeout?)
}

/// Waits at the gate. True: the caller's time is over.
fn wait<'a>(
    bell: &Condvar,
    state: MutexGuard<'a, State>,
    until: Option<Instant>,
    also: Option<Instant>,
) -> (MutexGuard<'a, State>, bool) {
    let now = Instant::now();
    if until.is_some_and(|until| until <= now) {
        return (state, true);
    }
    let guard = match [until, also].into_iter().flatten().min() {
        None => bell.wait(state).unwrap_or_else(PoisonError::into_inner),
        Some(at) => {
            let left = at.saturating_duration_since(now);
            bell.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
        }
    };
    (guard, false)
}

/// What a payload that is too large does to the turn that hands it out.
fn too_large(limit: usize) -> bridge::Stall {
    bridge::Stall::new(
        StallCode::EncodeFailed,
        format!(
            "a payload is larger than the limit of {limit} bytes; pass a reference, or raise max_payload_bytes"
        ),
    )
}
