//! Calls of the core, submitted to a queue from which one thread of the JVM takes their answers in batches.

use std::sync::Arc;
use std::time::Duration;

use everstep::component::Pending;
use everstep::runtime::{Submissions, Submitted, Ticket};
use everstep::{Error, ErrorKind, Result};
use futures_channel::oneshot;

use crate::answer::{NativeAnswer, answering};

/// What became of a call at once: it waits, known by its ticket, or has its answer.
#[derive(uniffi::Enum)]
#[expect(clippy::large_enum_variant, reason = "it is made once and crosses at once")]
pub enum NativeReply {
    Waiting { ticket: u64 },
    Answered { answer: NativeAnswer },
}

/// A call that has ended, by the key that its caller gave it.
#[derive(uniffi::Record)]
pub struct NativeEnded {
    pub key: u64,
    pub answer: NativeAnswer,
}

/// The calls of one client that are under way.
#[derive(Clone)]
pub(crate) struct Calls(Arc<Submissions<NativeAnswer>>);

impl Calls {
    pub(crate) fn new() -> Calls {
        Calls(Arc::new(Submissions::new()))
    }

    /// Begins a call here; what is there at once is answered at once.
    pub(crate) fn submit<T: Into<NativeAnswer> + Send + 'static>(
        &self,
        key: u64,
        pending: Pending<'static, T>,
        deadline: Option<Duration>,
    ) -> NativeReply {
        match self.0.submit(key, answering(pending), deadline) {
            Submitted::Ready(answer) => NativeReply::Answered { answer: answer.into() },
            Submitted::Waiting(ticket) => NativeReply::Waiting { ticket: ticket.0 },
        }
    }

    /// The same for what reads much: it begins on the thread that takes, which may hold a carrier.
    pub(crate) fn defer<T: Into<NativeAnswer> + Send + 'static>(
        &self,
        key: u64,
        pending: Pending<'static, T>,
        deadline: Option<Duration>,
    ) -> NativeReply {
        match self.0.defer(key, answering(pending), deadline) {
            Ok(ticket) => NativeReply::Waiting { ticket: ticket.0 },
            Err(error) => NativeReply::refused(error),
        }
    }

    /// Does what blocks on a thread of its own.
    pub(crate) fn block<T: Into<NativeAnswer> + Send + 'static>(
        &self,
        key: u64,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> NativeReply {
        let (sender, receiver) = oneshot::channel();
        let thread = std::thread::Builder::new().name("everstep-blocking".to_owned());
        let spawned = thread.spawn(move || {
            // Nobody may wait any more.
            let _ = sender.send(work());
        });
        if let Err(error) = spawned {
            let message = format!("no thread can be started: {error}");
            return NativeReply::refused(Error::new(ErrorKind::ResourceExhausted, message));
        }
        let broken = || Error::new(ErrorKind::Internal, "the operation panicked");
        self.submit(key, Box::pin(async move { receiver.await.unwrap_or_else(|_| Err(broken())) }), None)
    }

    pub(crate) fn take(&self, max: u32, timeout: Option<Duration>) -> Option<Vec<NativeEnded>> {
        let finished = self.0.take(max as usize, timeout)?;
        Some(
            finished
                .into_iter()
                .map(|call| NativeEnded { key: call.key, answer: call.answer.into() })
                .collect(),
        )
    }

    pub(crate) fn cancel(&self, ticket: u64) -> bool {
        self.0.cancel(Ticket(ticket))
    }

    pub(crate) fn close(&self) {
        self.0.close();
    }
}

impl NativeReply {
    /// The answer of a call that could not even be made.
    pub(crate) fn refused(error: Error) -> NativeReply {
        NativeReply::Answered { answer: Err(error).into() }
    }
}
