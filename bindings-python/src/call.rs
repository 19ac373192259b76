//! Calls of the core, waited for on the calling thread or submitted to a queue: how, is no operation's business.

use std::mem::ManuallyDrop;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use everstep::component::Pending;
use everstep::runtime::{Finished, Submissions, Submitted, Ticket};
use everstep::{Error, ErrorKind, Result};
use pyo3::prelude::*;

use crate::convert::{ToPython, millis};
use crate::error::{Process, to_python};
use crate::wait::wait;

/// An answer of the core, to be converted where the interpreter is held.
type Answer = Box<dyn ToPython>;

/// An operation that has been asked for. Nothing happens before `wait` or `submit`, one of which is called, once.
#[pyclass(frozen, module = "everstep._native")]
pub(crate) struct NativeCall {
    stage: Mutex<Stage>,
    deadline: Option<Duration>,
    reads_much: bool,
}

enum Stage {
    Asked(Pending<'static, Answer>),
    Answered(Result<Answer>),
    Over,
}

impl NativeCall {
    /// A call that may take as long as `deadline` says.
    pub(crate) fn new<T: ToPython>(pending: Pending<'static, T>, deadline: Option<Duration>) -> NativeCall {
        let answer: Pending<'static, Answer> =
            Box::pin(async move { Ok(Box::new(pending.await?) as Answer) });
        NativeCall { stage: Mutex::new(Stage::Asked(answer)), deadline, reads_much: false }
    }

    /// A call that reads so much that an event loop would be missed meanwhile.
    pub(crate) fn reading_much<T: ToPython>(
        pending: Pending<'static, T>,
        deadline: Option<Duration>,
    ) -> NativeCall {
        NativeCall { reads_much: true, ..NativeCall::new(pending, deadline) }
    }

    fn answered(answer: Result<Answer>) -> NativeCall {
        NativeCall { stage: Mutex::new(Stage::Answered(answer)), deadline: None, reads_much: false }
    }

    fn take(&self) -> Stage {
        std::mem::replace(&mut *self.stage.lock().unwrap_or_else(PoisonError::into_inner), Stage::Over)
    }
}

fn over() -> Error {
    Error::new(ErrorKind::Internal, "this call has been waited for already")
}

#[pymethods]
impl NativeCall {
    /// The answer, as soon as it is there.
    fn wait<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let answer = match self.take() {
            Stage::Asked(pending) => wait(py, pending, self.deadline)?,
            Stage::Answered(answer) => answer.map_err(|error| to_python(py, &error))?,
            Stage::Over => return Err(to_python(py, &over())),
        };
        answer.to_python(py)
    }

    /// Begins the call; gives its ticket, or 0 when the answer is there and `wait` gives it at once.
    fn submit(&self, py: Python<'_>, queue: &NativeQueue, key: u64) -> PyResult<u64> {
        let Stage::Asked(pending) = self.take() else { return Err(to_python(py, &over())) };
        let submitted = queue.process.check().map(|()| {
            if self.reads_much {
                return queue
                    .calls
                    .defer(key, pending, self.deadline)
                    .map_or_else(|error| Submitted::Ready(Err(error)), Submitted::Waiting);
            }
            py.detach(|| queue.calls.submit(key, pending, self.deadline))
        });
        match submitted.map_err(|error| to_python(py, &error))? {
            Submitted::Waiting(ticket) => Ok(ticket.0),
            Submitted::Ready(answer) => {
                *self.stage.lock().unwrap_or_else(PoisonError::into_inner) = Stage::Answered(answer);
                Ok(0)
            }
        }
    }
}

/// The calls of a process's event loops that are under way.
#[pyclass(frozen, module = "everstep._native")]
pub(crate) struct NativeQueue {
    // In a forked child these calls are the parent's, and so is what dropping them would reach.
    calls: ManuallyDrop<Submissions<Answer>>,
    process: Process,
}

impl Drop for NativeQueue {
    #[expect(unsafe_code, reason = "the only way out of ManuallyDrop")]
    fn drop(&mut self) {
        if self.process.is_current() {
            // SAFETY: `drop` runs once, and nothing uses the queue after it.
            unsafe { ManuallyDrop::drop(&mut self.calls) };
        }
    }
}

/// What has ended, by the key of its loop: tickets, and calls whose `wait` gives the answer at once.
type Batch = Vec<(u64, Vec<(u64, NativeCall)>)>;

#[pymethods]
impl NativeQueue {
    #[new]
    fn new() -> NativeQueue {
        NativeQueue { calls: ManuallyDrop::new(Submissions::new()), process: Process::current() }
    }

    /// The calls that have ended, by their keys; waits until there are some, until the time has passed, or until `rouse`.
    fn take(&self, py: Python<'_>, max: usize, timeout_ms: Option<u64>) -> PyResult<Batch> {
        self.process.check().map_err(|error| to_python(py, &error))?;
        // The queue is closed with its last reference only, so there is a batch.
        let finished = py.detach(|| self.calls.take(max, millis(timeout_ms))).unwrap_or_default();
        let mut by_key = Batch::new();
        for Finished { key, ticket, answer } in finished {
            let ended = (ticket.0, NativeCall::answered(answer));
            match by_key.iter_mut().find(|(known, _)| *known == key) {
                Some((_, calls)) => calls.push(ended),
                None => by_key.push((key, vec![ended])),
            }
        }
        Ok(by_key)
    }

    /// Gives a call up; `False` if it has ended.
    fn cancel(&self, py: Python<'_>, ticket: u64) -> bool {
        self.process.is_current() && py.detach(|| self.calls.cancel(Ticket(ticket)))
    }

    /// Has `take` return.
    fn rouse(&self) {
        if self.process.is_current() {
            self.calls.rouse();
        }
    }

    fn __len__(&self) -> usize {
        if self.process.is_current() { self.calls.len() } else { 0 }
    }
}
