//! Lets go of whoever waits when the client is closed.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::component::Pending;
use crate::error::{Error, ErrorKind, Result};

/// Who is to be woken when the client is closed.
#[derive(Default)]
pub(super) struct Closing(Mutex<State>);

#[derive(Default)]
struct State {
    closed: bool,
    waiting: HashMap<u64, Waker>,
    last: u64,
}

impl Closing {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes all who wait; later waits end at once.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_values().for_each(Waker::wake);
    }

    /// The same wait, which ends as `closed` when the client is closed.
    pub(super) fn guard<T: 'static>(self: &Arc<Self>, wait: Pending<'static, T>) -> Pending<'static, T> {
        Box::pin(Guarded { wait, closing: self.clone(), key: None })
    }
}

struct Guarded<T> {
    wait: Pending<'static, T>,
    closing: Arc<Closing>,
    key: Option<u64>,
}

impl<T> Future for Guarded<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T>> {
        if let Poll::Ready(result) = self.wait.as_mut().poll(context) {
            return Poll::Ready(result);
        }
        let closing = self.closing.clone();
        let mut state = closing.lock();
        if state.closed {
            let message = "the client was closed while this call waited";
            return Poll::Ready(Err(Error::new(ErrorKind::Closed, message)));
        }
        let key = self.key.unwrap_or_else(|| {
            state.last += 1;
            state.last
        });
        self.key = Some(key);
        state.waiting.insert(key, context.waker().clone());
        Poll::Pending
    }
}

impl<T> Drop for Guarded<T> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.closing.lock().waiting.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::runtime::wait_on;

    #[test]
    fn a_close_ends_the_waits_of_now_and_of_later() {
        let closing = Arc::new(Closing::default());
        let waiting = closing.guard::<()>(Box::pin(std::future::pending()));
        let thread = std::thread::spawn(move || wait_on(waiting, Some(Duration::from_secs(30))));
        while closing.lock().waiting.is_empty() {
            std::thread::yield_now();
        }
        closing.close();
        assert_eq!(thread.join().unwrap().unwrap_err().kind(), ErrorKind::Closed);
        assert!(closing.lock().waiting.is_empty());
        let late = closing.guard::<()>(Box::pin(std::future::pending()));
        assert_eq!(wait_on(late, None).unwrap_err().kind(), ErrorKind::Closed);
    }

    #[test]
    fn an_answer_that_is_there_counts() {
        let closing = Arc::new(Closing::default());
        closing.close();
        assert_eq!(wait_on(closing.guard(Box::pin(std::future::ready(Ok(7)))), None).unwrap(), 7);
    }
}
