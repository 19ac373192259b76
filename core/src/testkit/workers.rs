//! A worker with the two threads that poll it, as a host in another language has them.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use super::text::TextHost;
use crate::client::Client;
use crate::error::Result;
use crate::runtime::wait_on;
use crate::worker::{Poll, Worker};

/// Runs hosts on a client until it is dropped.
pub struct Workers {
    worker: Arc<Worker>,
    threads: Vec<JoinHandle<()>>,
}

impl Workers {
    /// Opens a worker that keeps `max_cached` instances. `host` makes the host of each thread.
    ///
    /// # Errors
    /// As [`Worker::open`].
    pub fn open(client: &Client, max_cached: usize, host: impl Fn() -> TextHost) -> Result<Workers> {
        let (worker, _) = Worker::open(client, None, &host().open(max_cached))?;
        let worker = Arc::new(worker);
        let (mut turns, mut activities) = (host(), host());
        let (for_turns, for_activities) = (worker.clone(), worker.clone());
        let threads = vec![
            std::thread::spawn(move || {
                let poll = |worker: &Worker| worker.poll_workflows(100, 1 << 20, None);
                serve(&for_turns, poll, |batch| turns.turns(batch));
            }),
            std::thread::spawn(move || {
                let poll = |worker: &Worker| worker.poll_activities(100, 1 << 20, None);
                serve(&for_activities, poll, |batch| activities.activities(batch));
            }),
        ];
        Ok(Workers { worker, threads })
    }

    /// Waits until tasks may come.
    ///
    /// # Errors
    /// As [`Worker::ready`].
    pub fn ready(&self, patience: Duration) -> Result<()> {
        wait_on(self.worker.ready(Some(patience)), None)
    }
}

fn serve(worker: &Worker, poll: impl Fn(&Worker) -> Result<Poll>, mut run: impl FnMut(&str) -> String) {
    loop {
        match poll(worker) {
            Ok(Poll::Batch(batch)) => worker.complete(&run(&batch)).expect("the host's text can be read"),
            Ok(Poll::Empty) => {}
            Ok(Poll::Closed) | Err(_) => return,
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        // An activity that waits to be stopped is given up when the worker closes, so there is nothing to wait for.
        self.worker.shutdown(Duration::from_millis(200));
        for thread in self.threads.drain(..) {
            if thread.join().is_err() && !std::thread::panicking() {
                panic!("a polling thread panicked");
            }
        }
    }
}
