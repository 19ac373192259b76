//! Stored histories through the code of a program.

use std::sync::Arc;
use std::time::Duration;

use everstep::worker::{Poll, Rehearsal, Worker};
use napi_derive::napi;

use crate::call::{NativeQueue, Reply};
use crate::client::NativeClient;
use crate::error::NativeError;

/// A worker whose only task is a stored history.
#[napi]
pub struct NativeRehearsal {
    worker: Worker,
    rehearsal: Arc<Rehearsal>,
}

/// Reads a history and opens a worker for it. Poll it after each answer, until it gives nothing.
#[napi(ts_return_type = "NativeReply<NativeRehearsal>")]
pub fn rehearse(
    queue: &NativeQueue,
    client: &NativeClient,
    component: Option<String>,
    instance_id: String,
    open: String,
) -> Reply {
    let client = client.client();
    let history = client.history(component.as_deref(), &instance_id);
    let most = client.options().max_payload_bytes;
    let opened = async move {
        let (worker, rehearsal) = Worker::rehearse(&instance_id, history.await?, &open, most)?;
        Ok(NativeRehearsal { worker, rehearsal })
    };
    queue.defer(Box::pin(opened), Some(client.call_timeout()))
}

#[napi]
impl NativeRehearsal {
    /// The next task, if there is one. It is never waited for.
    #[napi]
    pub fn poll(&self) -> Option<String> {
        match self.worker.poll_workflows(1, usize::MAX, Some(Duration::ZERO)) {
            Ok(Poll::Batch(text)) => Some(text),
            Ok(Poll::Empty | Poll::Closed) | Err(_) => None,
        }
    }

    /// Takes the host's answer; says what was wrong with it as a whole.
    #[napi]
    pub fn complete(&self, text: String) -> Option<NativeError> {
        self.worker.complete(&text).err().as_ref().map(NativeError::from)
    }

    /// The batch again, with every payload as a string.
    #[napi]
    pub fn repoll(&self, batch: String) -> Option<String> {
        self.worker.repoll(&batch).ok()
    }

    /// Why the code does not fit the history; nothing where it fits.
    #[napi]
    pub fn misfit(&self) -> Option<String> {
        match self.rehearsal.outcome() {
            Some(Ok(())) => None,
            Some(Err(stall)) => Some(stall.to_string()),
            None => Some("the worker gave no answer".to_owned()),
        }
    }
}
