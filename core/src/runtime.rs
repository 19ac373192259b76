//! Waiting for futures without a runtime: with the calling thread ([`block_on`]), or for any number of them with one
//! ([`Submissions`]).
//!
//! The embedded engine wakes whoever waits; nothing here needs an executor, a timer thread or a spin. A thread that
//! waits is parked until its future is woken, its deadline has passed, or, in a host with signals, it is time to look
//! for them.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};

mod queue;
pub(crate) mod reactor;

pub use queue::{Finished, Submissions, Submitted, Ticket};

/// How often [`block_on`] calls its check: often enough for Ctrl-C to feel immediate, seldom enough to cost nothing.
const CHECK_EVERY: Duration = Duration::from_millis(100);

/// Parks the calling thread until `future` is ready, and calls `check` about every 100 ms meanwhile.
///
/// Hosts look for signals in `check`. When the deadline passes or `check` fails, the future is dropped, which cancels
/// the call; the operation itself may still happen.
///
/// # Errors
/// What the future or `check` answers; `timeout` when the deadline passes; `internal` when the future panics.
pub fn block_on<T>(
    future: impl Future<Output = Result<T>>,
    deadline: Option<Duration>,
    check: &mut dyn FnMut() -> Result<()>,
) -> Result<T> {
    drive(future, deadline, Some(check))
}

/// Parks the calling thread until `future` is ready or the deadline passes; it never wakes for anything else.
///
/// # Errors
/// What the future answers; `timeout` when the deadline passes; `internal` when the future panics.
pub fn wait_on<T>(future: impl Future<Output = Result<T>>, deadline: Option<Duration>) -> Result<T> {
    drive(future, deadline, None)
}

fn drive<T>(
    future: impl Future<Output = Result<T>>,
    deadline: Option<Duration>,
    mut check: Option<&mut dyn FnMut() -> Result<()>>,
) -> Result<T> {
    let mut future = pin!(future);
    let parker = Arc::new(Parker { thread: std::thread::current(), woken: AtomicBool::new(false) });
    let waker = Waker::from(parker.clone());
    let mut context = Context::from_waker(&waker);
    // A deadline beyond what the clock can express is none.
    let until = deadline.and_then(|deadline| Instant::now().checked_add(deadline));
    let mut next_check = Instant::now() + CHECK_EVERY;
    loop {
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut context))) {
            Ok(Poll::Ready(result)) => return result,
            Ok(Poll::Pending) => {}
            Err(_) => return Err(Error::internal("the operation panicked")),
        }
        while !parker.woken.swap(false, Ordering::Acquire) {
            let now = Instant::now();
            if until.is_some_and(|until| until <= now) {
                return Err(timed_out(deadline));
            }
            if let Some(check) = check.as_deref_mut()
                && next_check <= now
            {
                check()?;
                next_check = Instant::now() + CHECK_EVERY;
                continue;
            }
            park(until.into_iter().chain(check.is_some().then_some(next_check)).min(), now);
        }
    }
}

fn park(until: Option<Instant>, now: Instant) {
    match until {
        Some(until) => std::thread::park_timeout(until.saturating_duration_since(now)),
        None => std::thread::park(),
    }
}

fn timed_out(deadline: Option<Duration>) -> Error {
    let seconds = deadline.unwrap_or_default().as_secs_f64();
    Error::new(
        ErrorKind::Timeout,
        format!(
            "no answer within {seconds} s; the operation may still happen, ask for its state before repeating it"
        ),
    )
}

struct Parker {
    thread: Thread,
    // A park can return early and an unpark can come from elsewhere, so the wake is remembered here.
    woken: AtomicBool,
}

impl Wake for Parker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.woken.swap(true, Ordering::Release) {
            self.thread.unpark();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use futures_channel::oneshot;

    use super::*;

    struct DropFlag(Arc<AtomicBool>);

    impl Drop for DropFlag {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    async fn receive(receiver: oneshot::Receiver<u32>) -> Result<u32> {
        receiver.await.map_err(|_| Error::internal("the sender is gone"))
    }

    #[test]
    fn a_wake_from_another_thread_ends_the_wait() {
        let (sender, receiver) = oneshot::channel();
        let (parked, wait) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            wait.recv().unwrap();
            sender.send(7).unwrap();
        });
        let future = async move {
            parked.send(()).unwrap();
            receive(receiver).await
        };
        assert_eq!(wait_on(future, Some(Duration::from_secs(10))).unwrap(), 7);
        thread.join().unwrap();
    }

    #[test]
    fn a_deadline_is_a_timeout_and_drops_the_future() {
        let dropped = Arc::new(AtomicBool::new(false));
        let flag = DropFlag(dropped.clone());
        let future = async move {
            let _flag = flag;
            std::future::pending::<Result<()>>().await
        };
        let error = wait_on(future, Some(Duration::from_millis(5))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert!(dropped.load(Ordering::SeqCst));
    }

    #[test]
    fn a_check_that_fails_ends_the_wait() {
        let mut calls = 0;
        let mut check = || {
            calls += 1;
            if calls == 2 { Err(Error::new(ErrorKind::Cancelled, "interrupted")) } else { Ok(()) }
        };
        let started = Instant::now();
        let error = block_on(std::future::pending::<Result<()>>(), None, &mut check).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert_eq!(calls, 2);
        assert!(started.elapsed() >= 2 * CHECK_EVERY);
    }

    #[test]
    fn a_future_that_is_ready_needs_no_check() {
        let mut check = || Err(Error::internal("called"));
        assert_eq!(block_on(std::future::ready(Ok(1)), Some(Duration::ZERO), &mut check).unwrap(), 1);
    }

    #[test]
    fn a_panic_stays_inside() {
        let future = async { if true { panic!("on purpose") } else { Ok(()) } };
        assert_eq!(wait_on(future, None).unwrap_err().kind(), ErrorKind::Internal);
    }

    #[test]
    fn an_endless_deadline_is_none() {
        assert!(wait_on(std::future::ready(Ok(())), Some(Duration::MAX)).is_ok());
    }
}
