//! Calls of the core, submitted to a queue from which one thread of the JVM takes their answers in batches.

use std::sync::Arc;
use std::time::Duration;

use everstep::component::Pending;
use everstep::runtime::{Submissions, Submitted, Ticket};
use everstep::{Error, ErrorKind, Result};
use futures_channel::oneshot;

use crate::answer::{Answer, text, units, waiting, write};

/// The calls of one client that are under way. What becomes of one at once is the text of its answer, or of its ticket.
#[derive(Clone)]
pub(crate) struct Calls(Arc<Submissions<Answer>>);

impl Calls {
    pub(crate) fn new() -> Calls {
        Calls(Arc::new(Submissions::new()))
    }

    /// Begins a call here; what is there at once is answered at once.
    pub(crate) fn submit<T: Into<Answer> + Send + 'static>(
        &self,
        key: u64,
        pending: Pending<'static, T>,
        deadline: Option<Duration>,
    ) -> String {
        match self.0.submit(key, answering(pending), deadline) {
            Submitted::Ready(answer) => text(answer),
            Submitted::Waiting(ticket) => waiting(ticket.0),
        }
    }

    /// The same for what reads much: it begins on the thread that takes, which may hold a carrier.
    pub(crate) fn defer<T: Into<Answer> + Send + 'static>(
        &self,
        key: u64,
        pending: Pending<'static, T>,
        deadline: Option<Duration>,
    ) -> String {
        match self.0.defer(key, answering(pending), deadline) {
            Ok(ticket) => waiting(ticket.0),
            Err(error) => text(Err(error)),
        }
    }

    /// Does what blocks on a thread of its own.
    pub(crate) fn block<T: Into<Answer> + Send + 'static>(
        &self,
        key: u64,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> String {
        let (sender, receiver) = oneshot::channel();
        let thread = std::thread::Builder::new().name("everstep-blocking".to_owned());
        let spawned = thread.spawn(move || {
            // Nobody may wait any more.
            let _ = sender.send(work());
        });
        if let Err(error) = spawned {
            let message = format!("no thread can be started: {error}");
            return text(Err(Error::new(ErrorKind::ResourceExhausted, message)));
        }
        let broken = || Error::new(ErrorKind::Internal, "the operation panicked");
        self.submit(key, Box::pin(async move { receiver.await.unwrap_or_else(|_| Err(broken())) }), None)
    }

    /// Waits on the calling thread until calls have ended, and gives up to `max` of them: an array of each key with the
    /// length of its answer, and then the answers. Nothing at all after `close`.
    pub(crate) fn take(&self, max: usize) -> Option<String> {
        let (mut head, mut answers) = (Vec::new(), String::new());
        for call in self.0.take(max, None)? {
            let answer = text(call.answer);
            head.extend([call.key, units(&answer) as u64]);
            answers.push_str(&answer);
        }
        Some(write(&head) + &answers)
    }

    /// Gives a call up: its future in the core is dropped.
    pub(crate) fn cancel(&self, ticket: u64) {
        self.0.cancel(Ticket(ticket));
    }

    /// Gives up all calls, now and later, and ends every `take`.
    pub(crate) fn close(&self) {
        self.0.close();
    }
}

/// The same call, whose answer is converted on the way.
fn answering<T: Into<Answer> + Send + 'static>(pending: Pending<'static, T>) -> Pending<'static, Answer> {
    Box::pin(async move { pending.await.map(T::into) })
}
