//! What callers and workers ask of the engine's thread, and the inbox where they leave it.

use std::sync::mpsc::SyncSender;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_channel::oneshot;

use super::driver::bulk::BulkSlice;
use super::task::{ActivityKey, ActivityResult, RunKey, Stall, TurnResult};
use crate::error::Result;
use crate::model::{BulkStep, Payload, RerunRequest, StartRequest, Started};

/// Where an answer goes. It is sent after the flush.
pub(crate) type Reply<T> = oneshot::Sender<Result<T>>;

/// Something for the engine's thread.
#[derive(Debug)]
pub(crate) enum Request {
    /// Start an instance.
    Start(Box<StartRequest>, Reply<Started>),
    /// Go on from an event of a finished instance, in a new one.
    Rerun(Box<RerunRequest>, Reply<Started>),
    /// Change the instance with this ID.
    Control(String, Control, Reply<()>),
    /// Delete a finished instance.
    Purge { instance_id: String, recursive: bool, reply: Reply<u64> },
    /// Take one slice of a bulk operation.
    Bulk(Box<BulkSlice>, Reply<BulkStep>),
    /// A worker ran a turn.
    Turn { run: RunKey, token: u64, outcome: Box<std::result::Result<TurnResult, Stall>> },
    /// A worker left with a turn.
    TurnLost { run: RunKey, token: u64 },
    /// A worker ran an activity.
    Activity { key: ActivityKey, result: Box<ActivityResult> },
    /// A worker came: stalled instances are tried once more.
    WorkerJoined,
    /// Look at the clock: a wait with a deadline was added.
    Look,
    /// Write what only memory has, and say when it is done.
    Settle(SyncSender<()>),
    /// Finish what is here and stop.
    Close,
}

/// A change of one instance.
#[derive(Debug)]
pub(crate) enum Control {
    /// Raise an event.
    Raise { name: String, data: Payload },
    /// Pause.
    Pause(Option<String>),
    /// Resume.
    Resume(Option<String>),
    /// Terminate.
    Terminate { output: Payload, recursive: bool },
}

/// For how many requests an emptied inbox has room at most.
const ROOM: usize = 1_024;

/// Requests that the engine's thread has not taken yet.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    queue: Mutex<Queue>,
    filled: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    requests: Vec<Request>,
    /// The thread sleeps until so many requests are there; a push below that pays for no wake-up.
    wake_at: Option<usize>,
    closed: bool,
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, mut queue: MutexGuard<'_, Queue>) {
        if queue.wake_at.is_some_and(|enough| queue.requests.len() >= enough) {
            queue.wake_at = None;
            drop(queue);
            self.filled.notify_one();
        }
    }

    /// Leaves a request. A closed inbox gives it back.
    pub(crate) fn push(&self, request: Request) -> std::result::Result<(), Request> {
        let mut queue = self.lock();
        if queue.closed {
            return Err(request);
        }
        queue.requests.push(request);
        self.wake(queue);
        Ok(())
    }

    /// Leaves several requests at once.
    pub(crate) fn push_all(&self, requests: Vec<Request>) {
        let mut queue = self.lock();
        if queue.closed || requests.is_empty() {
            return;
        }
        queue.requests.extend(requests);
        self.wake(queue);
    }

    /// Sleeps until there is a request or the time comes.
    pub(super) fn wait(&self, until: Option<Instant>) {
        let mut queue = self.lock();
        while queue.requests.is_empty() {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return;
            }
            queue.wake_at = Some(1);
            queue = match left {
                None => self.filled.wait(queue).unwrap_or_else(PoisonError::into_inner),
                Some(left) => self.filled.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0,
            };
            queue.wake_at = None;
        }
    }

    /// Whether nothing is there.
    pub(super) fn is_empty(&self) -> bool {
        self.lock().requests.is_empty()
    }

    /// Takes everything that is there.
    pub(crate) fn take(&self) -> Vec<Request> {
        let mut queue = self.lock();
        // As many come again while it is busy.
        let room = Vec::with_capacity(queue.requests.len().min(ROOM));
        std::mem::replace(&mut queue.requests, room)
    }

    /// Gives others a moment to join a batch: waits until `enough` requests are there or the time comes.
    pub(super) fn linger(&self, enough: usize, until: Instant) {
        let mut queue = self.lock();
        while queue.requests.len() < enough {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            queue.wake_at = Some(enough);
            queue = self.filled.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0;
            queue.wake_at = None;
        }
    }

    /// Refuses further requests; gives what was left.
    pub(super) fn close(&self) -> Vec<Request> {
        let mut queue = self.lock();
        queue.closed = true;
        std::mem::take(&mut queue.requests)
    }
}
