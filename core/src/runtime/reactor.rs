//! The one tokio runtime of a process. It starts with the first remote endpoint; embedded programs never have it.
//!
//! Its threads move bytes and wake whoever waits, nothing else: futures are polled by their callers.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::runtime::{Builder, Handle, Runtime};

use crate::error::{Error, ErrorKind, Result};

/// Threads that move bytes. One is busy at 30,000 small answers a second, more than a sidecar gives; a second one would be
/// woken for each of them to see whether there is work for two.
const THREADS: usize = 1;

static RUNTIME: Mutex<Option<(u32, &'static Runtime)>> = Mutex::new(None);

/// The reactor of this process; a forked child gets one of its own.
///
/// # Errors
/// `resource_exhausted` when the operating system has no more threads or descriptors.
pub(crate) fn handle() -> Result<Handle> {
    let mut slot = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    let process = std::process::id();
    if let Some((owner, runtime)) = *slot
        && owner == process
    {
        return Ok(runtime.handle().clone());
    }
    let runtime = Builder::new_multi_thread()
        .worker_threads(THREADS)
        .thread_name("everstep-net")
        .enable_all()
        .build()
        .map_err(|error| {
            Error::new(ErrorKind::ResourceExhausted, "the threads for connections cannot be started")
                .with_source(error)
        })?;
    // It lasts as long as the process: ending it would mean to wait for its threads at exit.
    let runtime: &'static Runtime = Box::leak(Box::new(runtime));
    *slot = Some((process, runtime));
    Ok(runtime.handle().clone())
}

/// A future of tokio's that any executor may poll.
pub(crate) struct Within<F> {
    handle: Handle,
    future: Pin<Box<F>>,
}

/// Has `future` find the reactor whoever polls it.
pub(crate) fn within<F: Future>(handle: &Handle, future: F) -> Within<F> {
    Within { handle: handle.clone(), future: Box::pin(future) }
}

impl<F: Future> Future for Within<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let handle = self.handle.clone();
        let _inside = handle.enter();
        self.future.as_mut().poll(context)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::runtime::wait_on;

    #[test]
    fn a_sleep_of_tokios_ends_on_a_thread_that_is_not_tokios() {
        let handle = handle().unwrap();
        let sleep = within(&handle, async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            Ok(7)
        });
        assert_eq!(wait_on(sleep, Some(Duration::from_secs(10))).unwrap(), 7);
    }
}
