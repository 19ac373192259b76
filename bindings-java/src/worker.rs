//! The worker: carries batches of text across. The platform threads of the JVM that poll wait in the core.

use std::sync::Arc;
use std::time::Duration;

use everstep::worker::{Poll, Rehearsal, Worker};
use everstep::{Error, ErrorKind, Result};

use crate::held::worker;

/// About how many bytes a batch has at most.
const MOST_BYTES: usize = 1 << 20;

/// A worker of the core.
pub(crate) struct NativeWorker {
    pub(crate) worker: Worker,
    rehearsal: Option<Arc<Rehearsal>>,
}

impl NativeWorker {
    pub(crate) fn new(worker: Worker, rehearsal: Option<Arc<Rehearsal>>) -> NativeWorker {
        NativeWorker { worker, rehearsal }
    }
}

impl Drop for NativeWorker {
    fn drop(&mut self) {
        // Lets go of the threads that wait in the core. After a shutdown there is nothing left to do.
        self.worker.shutdown(Duration::ZERO);
    }
}

/// A batch, or nothing in time: "", or the end: `None`.
fn batch(poll: Result<Poll>) -> Option<String> {
    match poll {
        Ok(Poll::Batch(text)) => Some(text),
        Ok(Poll::Empty) => Some(String::new()),
        Ok(Poll::Closed) | Err(_) => None,
    }
}

/// A duration from milliseconds; below zero there is no limit.
fn limit(millis: i64) -> Option<Duration> {
    u64::try_from(millis).ok().map(Duration::from_millis)
}

/// Waits on the calling thread for at most `max` workflow tasks, and with a time below zero until there are some. Gives a
/// batch's text, "" if none came in time, nothing when the worker is closed and drained.
#[uniffi::export]
pub fn worker_poll_workflows(held: u64, max: u32, timeout_ms: i64) -> Option<String> {
    batch(worker(held)?.worker.poll_workflows(max as usize, MOST_BYTES, limit(timeout_ms)))
}

/// The same for activities.
#[uniffi::export]
pub fn worker_poll_activities(held: u64, max: u32, timeout_ms: i64) -> Option<String> {
    batch(worker(held)?.worker.poll_activities(max as usize, MOST_BYTES, limit(timeout_ms)))
}

/// Takes the host's answers, UTF-8 that is borrowed for the time of the call; says what was wrong with them as a whole.
#[uniffi::export]
pub fn worker_complete(held: u64, text: &[u8]) -> Option<String> {
    let done = worker(held).ok_or_else(|| Error::new(ErrorKind::Closed, "the worker is closed")).and_then(
        |worker| {
            let text = std::str::from_utf8(text)
                .map_err(|_| Error::new(ErrorKind::DecodeFailed, "the answers are not UTF-8"))?;
            worker.worker.complete(text)
        },
    );
    done.err().map(|error| format!("{}: {}", error.code(), error.message()))
}

/// Whether tasks may come.
#[uniffi::export]
pub fn worker_is_ready(held: u64) -> bool {
    worker(held).is_some_and(|worker| worker.worker.status().connected)
}

/// Why the code of a rehearsal does not fit the history; nothing where it fits.
#[uniffi::export]
pub fn worker_misfit(held: u64) -> Option<String> {
    let outcome = worker(held)?.rehearsal.as_ref().and_then(|rehearsal| rehearsal.outcome());
    match outcome {
        Some(Ok(())) => None,
        Some(Err(stall)) => Some(stall.to_string()),
        None => Some("the worker gave no answer".to_owned()),
    }
}

/// Stops taking tasks, and waits on the calling thread until those at the host are answered or the deadline is over. Not
/// a call of the client, which may be closed before its workers.
#[uniffi::export]
pub fn worker_shutdown(held: u64, deadline_ms: i64) {
    if let Some(worker) = worker(held) {
        worker.worker.shutdown(limit(deadline_ms).unwrap_or_default());
    }
}
