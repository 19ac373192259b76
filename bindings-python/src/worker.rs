//! The worker: carries batches of text across.

use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::time::Duration;

use everstep::runtime::block_on;
use everstep::worker::{Poll, Rehearsal, Worker};
use everstep::{Error, Result};
use pyo3::prelude::*;

use crate::client::NativeClient;
use crate::convert::millis;
use crate::error::{Process, to_python};
use crate::wait::wait;

/// Below this many bytes reading an answer is cheaper than giving the interpreter up and taking it again.
const SHORT: usize = 4096;

/// A worker of the core.
#[pyclass(frozen, module = "everstep._native")]
pub(crate) struct NativeWorker {
    // In a forked child the engine's threads are gone, and closing would wait for them.
    worker: ManuallyDrop<Worker>,
    process: Process,
    rehearsal: Option<Arc<Rehearsal>>,
}

impl Drop for NativeWorker {
    #[expect(unsafe_code, reason = "the only way out of ManuallyDrop")]
    fn drop(&mut self) {
        if self.process.is_current() {
            // SAFETY: `drop` runs once, and nothing uses the worker after it.
            unsafe { ManuallyDrop::drop(&mut self.worker) };
        }
    }
}

impl NativeWorker {
    fn run<T: Send>(&self, py: Python<'_>, work: impl Send + FnOnce(&Worker) -> Result<T>) -> PyResult<T> {
        let result = self.process.check().and_then(|()| py.detach(|| work(&self.worker)));
        result.map_err(|error| to_python(py, &error))
    }
}

/// A batch, or nothing in time, or the end: `None`.
fn batch(poll: Poll) -> Option<String> {
    match poll {
        Poll::Batch(text) => Some(text),
        Poll::Empty => Some(String::new()),
        Poll::Closed => None,
    }
}

#[pymethods]
impl NativeWorker {
    #[staticmethod]
    fn open(
        py: Python<'_>,
        client: &NativeClient,
        component: Option<&str>,
        open: &str,
    ) -> PyResult<(NativeWorker, String)> {
        let client = client.client(py)?;
        let opened = py.detach(|| Worker::open(client, component, open));
        let (worker, answer) = opened.map_err(|error: Error| to_python(py, &error))?;
        let (worker, process) = (ManuallyDrop::new(worker), Process::current());
        Ok((NativeWorker { worker, process, rehearsal: None }, answer))
    }

    #[staticmethod]
    fn rehearse(
        py: Python<'_>,
        client: &NativeClient,
        component: Option<&str>,
        instance_id: &str,
        open: &str,
    ) -> PyResult<NativeWorker> {
        let client = client.client(py)?;
        let opened = py.detach(|| {
            let history = client.history(component, instance_id);
            let events = block_on(history, Some(client.call_timeout()), &mut || Ok(()))?;
            Worker::rehearse(instance_id, events, open, client.options().max_payload_bytes)
        });
        let (worker, rehearsal) = opened.map_err(|error: Error| to_python(py, &error))?;
        let (worker, process) = (ManuallyDrop::new(worker), Process::current());
        Ok(NativeWorker { worker, process, rehearsal: Some(rehearsal) })
    }

    /// Why the code does not fit the history; nothing where it fits.
    fn misfit(&self) -> Option<String> {
        let outcome = self.rehearsal.as_ref().and_then(|rehearsal| rehearsal.outcome());
        match outcome {
            Some(Ok(())) => None,
            Some(Err(stall)) => Some(stall.to_string()),
            None => Some("the worker gave no answer".to_owned()),
        }
    }

    fn poll_workflows(
        &self,
        py: Python<'_>,
        max: usize,
        max_bytes: usize,
        timeout_ms: Option<u64>,
    ) -> PyResult<Option<String>> {
        self.run(py, |worker| worker.poll_workflows(max, max_bytes, millis(timeout_ms))).map(batch)
    }

    fn poll_activities(
        &self,
        py: Python<'_>,
        max: usize,
        max_bytes: usize,
        timeout_ms: Option<u64>,
    ) -> PyResult<Option<String>> {
        self.run(py, |worker| worker.poll_activities(max, max_bytes, millis(timeout_ms))).map(batch)
    }

    fn complete(&self, py: Python<'_>, text: &str) -> PyResult<()> {
        if text.len() < SHORT {
            let result = self.process.check().and_then(|()| self.worker.complete(text));
            return result.map_err(|error| to_python(py, &error));
        }
        self.run(py, |worker| worker.complete(text))
    }

    fn repoll(&self, py: Python<'_>, batch: &str) -> PyResult<String> {
        self.run(py, |worker| worker.repoll(batch))
    }

    /// Whether tasks may come.
    fn is_ready(&self) -> bool {
        self.process.is_current() && self.worker.status().connected
    }

    fn wait_until_ready(&self, py: Python<'_>, timeout_ms: Option<u64>) -> PyResult<()> {
        self.process.check().map_err(|error| to_python(py, &error))?;
        wait(py, self.worker.ready(millis(timeout_ms)), None)
    }

    fn shutdown(&self, py: Python<'_>, deadline_ms: u64) -> PyResult<()> {
        self.run(py, |worker| {
            worker.shutdown(Duration::from_millis(deadline_ms));
            Ok(())
        })
    }
}
