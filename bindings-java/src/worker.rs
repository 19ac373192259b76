//! The worker: carries batches of text across. The platform threads of the JVM that poll wait in the core.

use std::sync::Arc;
use std::time::Duration;

use everstep::worker::{Poll, Rehearsal, Worker};
use everstep::{Error, ErrorKind, Result};

use crate::call::{Calls, NativeReply};
use crate::convert::millis;
use crate::error::NativeError;

/// About how many bytes a batch has at most.
const MOST_BYTES: usize = 1 << 20;

/// A worker of the core.
#[derive(uniffi::Object)]
pub struct NativeWorker {
    worker: Arc<Worker>,
    calls: Calls,
    rehearsal: Option<Arc<Rehearsal>>,
}

impl NativeWorker {
    pub(crate) fn new(worker: Worker, calls: Calls, rehearsal: Option<Arc<Rehearsal>>) -> NativeWorker {
        NativeWorker { worker: Arc::new(worker), calls, rehearsal }
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

#[uniffi::export]
impl NativeWorker {
    /// Waits on the calling thread for at most `max` workflow tasks, and without a time until there are some. Gives a batch's text, ""
    /// if none came in time, nothing when the worker is closed and drained.
    pub fn poll_workflows(&self, max: u32, timeout_ms: Option<i64>) -> Option<String> {
        batch(self.worker.poll_workflows(max as usize, MOST_BYTES, millis(timeout_ms)))
    }

    /// The same for activities.
    pub fn poll_activities(&self, max: u32, timeout_ms: Option<i64>) -> Option<String> {
        batch(self.worker.poll_activities(max as usize, MOST_BYTES, millis(timeout_ms)))
    }

    /// Takes the host's answers, UTF-8 that is borrowed for the time of the call; says what was wrong with them as a whole.
    pub fn complete(&self, text: &[u8]) -> Option<NativeError> {
        let text = std::str::from_utf8(text)
            .map_err(|_| Error::new(ErrorKind::DecodeFailed, "the answers are not UTF-8"));
        text.and_then(|text| self.worker.complete(text)).err().as_ref().map(NativeError::from)
    }

    /// The batch again, with every payload as a string.
    pub fn repoll(&self, batch: String) -> Option<String> {
        self.worker.repoll(&batch).ok()
    }

    /// Whether tasks may come.
    pub fn is_ready(&self) -> bool {
        self.worker.status().connected
    }

    /// Ends when tasks may come.
    pub fn wait_until_ready(&self, key: u64, timeout_ms: Option<i64>) -> NativeReply {
        self.calls.submit(key, self.worker.ready(millis(timeout_ms)), None)
    }

    /// Why the code of a rehearsal does not fit the history; nothing where it fits.
    pub fn misfit(&self) -> Option<String> {
        let outcome = self.rehearsal.as_ref().and_then(|rehearsal| rehearsal.outcome());
        match outcome {
            Some(Ok(())) => None,
            Some(Err(stall)) => Some(stall.to_string()),
            None => Some("the worker gave no answer".to_owned()),
        }
    }

    /// Stops taking tasks, and waits on the calling thread until those at the host are answered or the deadline is over. Not
    /// a call of the client, which may be closed before its workers.
    pub fn shutdown(&self, deadline_ms: i64) {
        self.worker.shutdown(millis(Some(deadline_ms)).unwrap_or_default());
    }
}
