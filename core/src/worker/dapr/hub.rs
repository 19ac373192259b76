//! What the workers of a process share that serve one sidecar.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_channel::oneshot;
use tokio::task::AbortHandle;

use super::activities::Activities;
use super::connection::Connection;
use super::runs::Runs;
use super::{stream, watch};
use crate::bridge::Notice;
use crate::component::dapr::Channel;
use crate::engine::dispatch::Dispatch;

/// Dapr takes an answer before it has handed it on, and forgets it if the last stream ends meanwhile: the activity would run again.
const LINGER: Duration = Duration::from_millis(100);

/// One stream of work items, and who has what of it.
///
/// Locks are taken in this order: `inner`, then the dispatch's, then a worker's (a bell). A worker that holds its own lock calls the
/// dispatch only.
pub(super) struct Hub {
    pub(super) endpoint: String,
    pub(super) channel: Channel,
    pub(super) dispatch: Dispatch,
    inner: Mutex<Inner>,
    /// Answers that are being sent.
    sending: AtomicUsize,
    sent: Condvar,
    /// Whether the runtime knows turns by their old name only.
    pub(super) speaks_old: AtomicBool,
    pub(super) watch: watch::Alarm,
    pub(super) notices: Mutex<Vec<Notice>>,
}

#[derive(Default)]
pub(super) struct Inner {
    pub(super) runs: Runs,
    pub(super) activities: Activities,
    pub(super) connection: Connection,
    /// The stream that lives.
    pub(super) live: Option<Live>,
    /// Streams are numbered.
    streams: u64,
    /// How many workers there are; the hub closes with the last one.
    sessions: usize,
    closed: bool,
    tasks: Vec<AbortHandle>,
    /// When the last answer was taken.
    answered: Option<Instant>,
    /// Whether an instance stalled since the stream was opened.
    pub(super) stalled: bool,
}

/// A stream that is open or opening.
pub(super) struct Live {
    pub(super) number: u64,
    /// Ends it.
    cancel: oneshot::Sender<()>,
}

impl Hub {
    pub(super) fn open(endpoint: String, channel: Channel) -> Arc<Hub> {
        Arc::new(Hub {
            endpoint,
            channel,
            dispatch: Dispatch::strict(),
            inner: Mutex::default(),
            sending: AtomicUsize::new(0),
            sent: Condvar::new(),
            speaks_old: AtomicBool::new(false),
            watch: watch::Alarm::default(),
            notices: Mutex::default(),
        })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Counts a worker in; the first one opens the stream. False when the last one has just closed it.
    pub(super) fn enter(self: &Arc<Hub>) -> bool {
        let mut inner = self.lock();
        if inner.closed {
            return false;
        }
        inner.sessions += 1;
        if inner.sessions == 1 {
            let reactor = self.channel.reactor();
            inner.tasks.push(reactor.spawn(stream::keep(self.clone())).abort_handle());
            inner.tasks.push(reactor.spawn(watch::keep(self.clone())).abort_handle());
        }
        true
    }

    /// Counts a worker out; the last one ends the stream.
    pub(super) fn exit(&self) {
        let mut inner = self.lock();
        inner.sessions -= 1;
        if inner.sessions == 0 {
            inner.closed = true;
            inner.live = None;
            inner.connection = Connection::default();
            inner.tasks.drain(..).for_each(|task| task.abort());
        }
    }

    /// Waits until no answer is under way, for as long as `patience`.
    pub(super) fn settle(&self, patience: Duration) {
        let Some(until) = Instant::now().checked_add(patience) else { return };
        let mut inner = self.lock();
        while self.sending.load(Ordering::Acquire) > 0 {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            inner = self.sent.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        let rest = inner.answered.map_or(Duration::ZERO, |at| LINGER.saturating_sub(at.elapsed()));
        drop(inner);
        std::thread::sleep(rest.min(until.saturating_duration_since(Instant::now())));
    }

    /// Sends something in the background; a worker that leaves waits for it.
    pub(super) fn spawn(self: &Arc<Hub>, sending: impl Future<Output = ()> + Send + 'static) {
        self.sending.fetch_add(1, Ordering::AcqRel);
        let under_way = UnderWay(self.clone());
        self.channel.reactor().spawn(async move {
            let _under_way = under_way;
            sending.await;
        });
    }

    /// A stream is about to be opened: gives its number and what ends it.
    pub(super) fn opening(&self) -> (u64, oneshot::Receiver<()>) {
        let (cancel, cancelled) = oneshot::channel();
        let mut inner = self.lock();
        inner.streams += 1;
        inner.stalled = false;
        let number = inner.streams;
        inner.live = Some(Live { number, cancel });
        (number, cancelled)
    }

    /// Ends a stream, if it still is the one that lives: the runtime hands out again what was not answered.
    pub(super) fn drop_stream(&self, number: u64) {
        let mut inner = self.lock();
        if let Some(live) = inner.live.take_if(|live| live.number == number) {
            inner.connection.interrupted();
            let _ = live.cancel.send(());
        }
    }

    /// A stream has ended. Turns that came on it are worth nothing any more.
    pub(super) fn lost(&self, number: u64) {
        let mut inner = self.lock();
        inner.live.take_if(|live| live.number == number);
        for run in inner.runs.lost_stream(number) {
            if self.dispatch.withdraw(run) {
                inner.runs.withdrawn(run);
            }
        }
        let waiting = inner.activities.of_stream(number);
        for key in self.dispatch.withdraw_activities(&waiting) {
            inner.activities.forget(key);
        }
    }
}

impl Inner {
    /// Whether this is the stream that lives.
    pub(super) fn is_live(&self, stream: u64) -> bool {
        self.live.as_ref().is_some_and(|live| live.number == stream)
    }
}

/// An answer under way.
struct UnderWay(Arc<Hub>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        if self.0.sending.fetch_sub(1, Ordering::AcqRel) == 1 {
            // Under the lock, so that whoever is about to wait hears of it.
            self.0.lock().answered = Some(Instant::now());
            self.0.sent.notify_all();
        }
    }
}
