//! The worker: carries batches of text across. A thread for each kind of task waits in the core, and only when it was
//! asked to: no batch comes that nobody pulled.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use everstep::worker::{Poll, Worker};
use everstep::{Error, ErrorKind};
use napi::bindgen_prelude::Function;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;

use crate::call::{NativeQueue, Reply};
use crate::client::NativeClient;
use crate::convert::millis;
use crate::error::NativeError;

/// About how many bytes a batch has at most: what the event loop parses without being missed.
const MOST_BYTES: usize = 1 << 18;

/// Answers up to this length are taken in on the event loop's thread, which costs less than to wake another one.
const SHORT: usize = 1 << 10;

/// What a pull brings: a batch's text; nothing when the worker is closed and drained. It keeps the process alive.
type Bring = ThreadsafeFunction<Option<String>, (), Option<String>, napi::Status, false>;

/// Takes what was wrong with answers as a whole.
type Complain = ThreadsafeFunction<NativeError, (), NativeError, napi::Status, false, true>;

/// A worker of the core.
#[napi]
pub struct NativeWorker {
    worker: Arc<Worker>,
    workflows: Sender<usize>,
    activities: Sender<usize>,
    answers: Sender<String>,
}

impl Drop for NativeWorker {
    fn drop(&mut self) {
        // Lets go of the threads that wait in the core. After a shutdown there is nothing left to do.
        self.worker.shutdown(Duration::ZERO);
    }
}

/// Opens a worker. `workflows` and `activities` take what is pulled, `complain` what was wrong with answers.
#[napi(ts_return_type = "NativeReply<NativeWorker>")]
pub fn open_worker(
    queue: &NativeQueue,
    client: &NativeClient,
    component: Option<String>,
    open: String,
    workflows: Function<'_, Option<String>, ()>,
    activities: Function<'_, Option<String>, ()>,
    complain: Function<'_, NativeError, ()>,
) -> napi::Result<Reply> {
    let workflows: Bring = workflows.build_threadsafe_function().build()?;
    let activities: Bring = activities.build_threadsafe_function().build()?;
    let complain: Complain = complain.build_threadsafe_function().weak::<true>().build()?;
    let client = client.client().clone();
    Ok(queue.block(move || {
        let (worker, _) = Worker::open(&client, component.as_deref(), &open)?;
        let worker = Arc::new(worker);
        let (pull_workflows, pulled) = channel();
        serve("everstep-workflows", &worker, pulled, workflows, |worker, max| {
            worker.poll_workflows(max, MOST_BYTES, None)
        })?;
        let (pull_activities, pulled) = channel();
        serve("everstep-activities", &worker, pulled, activities, |worker, max| {
            worker.poll_activities(max, MOST_BYTES, None)
        })?;
        let (answers, answered) = channel();
        take_in(&worker, answered, complain)?;
        Ok(NativeWorker { worker, workflows: pull_workflows, activities: pull_activities, answers })
    }))
}

/// Starts the thread that waits for one kind of task. It ends with the worker, or when nobody can pull any more.
fn serve(
    name: &str,
    worker: &Arc<Worker>,
    pulled: Receiver<usize>,
    bring: Bring,
    poll: impl Fn(&Worker, usize) -> everstep::Result<Poll> + Send + 'static,
) -> everstep::Result<()> {
    let worker = worker.clone();
    let run = move || {
        while let Ok(max) = pulled.recv() {
            let text = loop {
                match poll(&worker, max) {
                    Ok(Poll::Batch(text)) => break Some(text),
                    Ok(Poll::Empty) => {}
                    Ok(Poll::Closed) | Err(_) => break None,
                }
            };
            let over = text.is_none();
            bring.call(text, ThreadsafeFunctionCallMode::NonBlocking);
            if over {
                return;
            }
        }
    };
    spawn(name, run)
}

/// Starts the thread that takes answers in, which is most of what a turn costs the core. It ends with the worker's object.
fn take_in(worker: &Arc<Worker>, answers: Receiver<String>, complain: Complain) -> everstep::Result<()> {
    let worker = worker.clone();
    spawn("everstep-intake", move || {
        for text in answers {
            if let Err(error) = worker.complete(&text) {
                complain.call(NativeError::from(&error), ThreadsafeFunctionCallMode::NonBlocking);
            }
        }
    })
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> everstep::Result<()> {
    let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(run);
    spawned.map(drop).map_err(|error| {
        Error::new(ErrorKind::ResourceExhausted, format!("no thread can be started: {error}"))
    })
}

#[napi]
impl NativeWorker {
    /// Asks for one batch of at most `max` workflow tasks.
    #[napi]
    pub fn pull_workflows(&self, max: u32) {
        // The thread is gone after the last batch only.
        let _ = self.workflows.send(max as usize);
    }

    /// Asks for one batch of at most `max` activities.
    #[napi]
    pub fn pull_activities(&self, max: u32) {
        let _ = self.activities.send(max as usize);
    }

    /// Takes the host's answers; gives what was wrong with them as a whole, if that is known at once.
    #[napi]
    pub fn complete(&self, text: String) -> Option<NativeError> {
        if text.len() > SHORT {
            // The thread lives as long as this object.
            let _ = self.answers.send(text);
            return None;
        }
        self.worker.complete(&text).err().as_ref().map(NativeError::from)
    }

    /// The batch again, with every payload as a string.
    #[napi]
    pub fn repoll(&self, batch: String) -> Option<String> {
        self.worker.repoll(&batch).ok()
    }

    /// Whether tasks may come.
    #[napi]
    pub fn is_ready(&self) -> bool {
        self.worker.status().connected
    }

    /// Ends when tasks may come.
    #[napi(ts_return_type = "NativeReply<void>")]
    pub fn wait_until_ready(&self, queue: &NativeQueue, timeout_ms: Option<f64>) -> Reply {
        queue.submit(self.worker.ready(millis(timeout_ms)), None)
    }

    #[napi(ts_return_type = "NativeReply<void>")]
    pub fn shutdown(&self, queue: &NativeQueue, deadline_ms: f64) -> Reply {
        let worker = self.worker.clone();
        queue.block(move || {
            worker.shutdown(Duration::from_millis(deadline_ms as u64));
            Ok(())
        })
    }
}
