//! The client: one function per operation of the core's, which makes the call. How its answer is waited for is not said
//! here: see `call.rs`.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use everstep::component::Pending;
use everstep::engine::store::Durability;
use everstep::model::{BulkAction, ListRequest, RerunRequest, Reuse, Seen, StartRequest};
use everstep::runtime::block_on;
use everstep::worker::Worker;
use everstep::{Client, ClientOptions, Error, ErrorKind, Result};

use crate::answer::NativeAnswer;
use crate::call::{Calls, NativeEnded, NativeReply};
use crate::convert::{NativeFilter, millis, time};
use crate::error::NativeError;
use crate::worker::NativeWorker;

/// How much later than asked a wait ends at the latest.
const GRACE: Duration = Duration::from_secs(1);

/// What a client is opened with.
#[derive(uniffi::Record)]
pub struct NativeOptions {
    pub endpoint: Option<String>,
    pub components: Option<HashMap<String, String>>,
    pub durability: Option<String>,
    pub call_timeout_ms: Option<i64>,
    pub max_payload_bytes: Option<i64>,
    pub api_token: Option<String>,
    pub tls_roots: Option<String>,
    pub tls_certificate: Option<String>,
    pub tls_key: Option<String>,
}

impl NativeOptions {
    fn read(self) -> Result<ClientOptions> {
        let mut options = ClientOptions::default();
        options.endpoint = self.endpoint;
        options.components = sorted(self.components);
        options.durability = match self.durability.as_deref() {
            None | Some("full") => Durability::Full,
            Some("process") => Durability::Process,
            Some(other) => {
                return Err(invalid(format!("durability {other:?} is unknown; known are full, process")));
            }
        };
        options.call_timeout = millis(self.call_timeout_ms).unwrap_or(options.call_timeout);
        options.max_payload_bytes =
            self.max_payload_bytes.map_or(options.max_payload_bytes, |bytes| bytes as usize);
        options.remote.api_token = self.api_token;
        options.remote.tls_roots = self.tls_roots.map(PathBuf::from);
        options.remote.tls_certificate = self.tls_certificate.map(PathBuf::from);
        options.remote.tls_key = self.tls_key.map(PathBuf::from);
        Ok(options)
    }
}

/// What is started.
#[derive(uniffi::Record)]
pub struct NativeStart {
    pub component: Option<String>,
    pub name: String,
    pub input: Option<String>,
    pub instance_id: Option<String>,
    pub options: Option<HashMap<String, String>>,
    pub start_at: Option<i64>,
    pub version: Option<String>,
    pub tags: Option<HashMap<String, String>>,
    pub reuse: Option<String>,
}

/// What is done to many instances.
#[derive(uniffi::Record)]
pub struct NativeBulk {
    pub component: Option<String>,
    pub action: String,
    pub filter: NativeFilter,
    pub cursor: Option<String>,
    pub output: Option<String>,
    pub recursive: bool,
    pub reason: Option<String>,
}

/// A client, or why there is none.
#[derive(uniffi::Record)]
pub struct NativeOpened {
    pub client: Option<Arc<NativeClient>>,
    pub error: Option<NativeError>,
}

/// Opens a client.
#[uniffi::export]
pub fn open_client(options: NativeOptions) -> NativeOpened {
    match options.read().and_then(Client::open) {
        Ok(client) => {
            NativeOpened { client: Some(Arc::new(NativeClient { client, calls: Calls::new() })), error: None }
        }
        Err(error) => NativeOpened { client: None, error: Some(NativeError::from(&error)) },
    }
}

/// A client of the core.
#[derive(uniffi::Object)]
pub struct NativeClient {
    client: Client,
    calls: Calls,
}

impl NativeClient {
    /// A call that ends as `timeout` when the client's `call_timeout` has passed.
    fn call<T: Into<NativeAnswer> + Send + 'static>(
        &self,
        key: u64,
        pending: Pending<'static, T>,
    ) -> NativeReply {
        self.calls.submit(key, pending, Some(self.client.call_timeout()))
    }

    /// The same for what reads so much that the caller's carrier thread would be missed meanwhile.
    fn read<T: Into<NativeAnswer> + Send + 'static>(
        &self,
        key: u64,
        pending: Pending<'static, T>,
    ) -> NativeReply {
        self.calls.defer(key, pending, Some(self.client.call_timeout()))
    }

    /// A wait, which may take as long as its caller says. The component ends it, and its error knows of what; this
    /// side only sees to it that a component that is stuck does not keep the caller for ever.
    fn wait<T: Into<NativeAnswer> + Send + 'static>(
        &self,
        key: u64,
        timeout_ms: Option<i64>,
        ask: impl FnOnce(&Client, Option<Duration>) -> Pending<'static, T>,
    ) -> NativeReply {
        let timeout = millis(timeout_ms);
        let latest = timeout.map(|timeout| timeout.saturating_add(GRACE));
        self.calls.submit(key, ask(&self.client, timeout), latest)
    }
}

/// A map as the core has it.
fn sorted(map: Option<HashMap<String, String>>) -> BTreeMap<String, String> {
    map.unwrap_or_default().into_iter().collect()
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}

#[uniffi::export]
impl NativeClient {
    pub fn endpoint(&self) -> String {
        self.client.endpoint()
    }

    pub fn warnings(&self) -> Vec<String> {
        self.client.warnings().to_vec()
    }

    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Closes the client. Its queue stays, so that this call has an answer: see `end`.
    pub fn shutdown(&self, key: u64) -> NativeReply {
        let client = self.client.clone();
        self.calls.block(key, move || {
            client.close();
            Ok(())
        })
    }

    /// Waits on the calling thread until calls have ended, and gives up to `max` of them; none when the time has passed.
    /// Nothing at all after `end`.
    pub fn take(&self, max: u32, timeout_ms: Option<i64>) -> Option<Vec<NativeEnded>> {
        self.calls.take(max, millis(timeout_ms))
    }

    /// Gives a call up: its future in the core is dropped. `false` if it has ended.
    pub fn cancel(&self, ticket: u64) -> bool {
        self.calls.cancel(ticket)
    }

    /// Gives up all calls, now and later, and ends every `take`.
    pub fn end(&self) {
        self.calls.close();
    }

    /// Opens a worker. `open` is the request of the bridge's protocol.
    pub fn open_worker(&self, key: u64, component: Option<String>, open: String) -> NativeReply {
        let (client, calls) = (self.client.clone(), self.calls.clone());
        self.calls.block(key, move || {
            let (worker, _) = Worker::open(&client, component.as_deref(), &open)?;
            Ok(NativeAnswer::Worker { worker: Arc::new(NativeWorker::new(worker, calls, None)) })
        })
    }

    /// Opens a worker whose only task is the history of an instance: see `NativeWorker::misfit`.
    pub fn rehearse(
        &self,
        key: u64,
        component: Option<String>,
        instance_id: String,
        open: String,
    ) -> NativeReply {
        let (client, calls) = (self.client.clone(), self.calls.clone());
        self.calls.block(key, move || {
            let history = client.history(component.as_deref(), &instance_id);
            let events = block_on(history, Some(client.call_timeout()), &mut || Ok(()))?;
            let limit = client.options().max_payload_bytes;
            let (worker, rehearsal) = Worker::rehearse(&instance_id, events, &open, limit)?;
            Ok(NativeAnswer::Worker { worker: Arc::new(NativeWorker::new(worker, calls, Some(rehearsal))) })
        })
    }

    pub fn start(&self, key: u64, start: NativeStart) -> NativeReply {
        let reuse = match start.reuse.as_deref() {
            None | Some("finished") => Reuse::Finished,
            Some("never") => Reuse::Never,
            Some(other) => {
                return NativeReply::refused(invalid(format!(
                    "reuse {other:?} is unknown; known are finished, never"
                )));
            }
        };
        let request = StartRequest {
            name: start.name,
            input: start.input,
            instance_id: start.instance_id,
            options: sorted(start.options),
            start_at: start.start_at.map(time),
            version: start.version,
            tags: sorted(start.tags),
            reuse,
        };
        let started = self.client.start(start.component.as_deref(), request);
        self.call(key, started)
    }

    pub fn rerun(
        &self,
        key: u64,
        component: Option<String>,
        instance_id: String,
        from_event: i32,
        new_instance_id: Option<String>,
        input: Option<String>,
    ) -> NativeReply {
        // A program that wants no input says null; without an argument the event keeps its own.
        let input = input.map(Some);
        let request = RerunRequest { instance_id, from_event, new_instance_id, input };
        let started = self.client.rerun(component.as_deref(), request);
        self.call(key, started)
    }

    pub fn get(
        &self,
        key: u64,
        component: Option<String>,
        instance_id: String,
        payloads: bool,
    ) -> NativeReply {
        let state = self.client.get(component.as_deref(), &instance_id, payloads);
        self.call(key, state)
    }

    pub fn pause(
        &self,
        key: u64,
        component: Option<String>,
        instance_id: String,
        reason: Option<String>,
    ) -> NativeReply {
        self.call(key, self.client.pause(component.as_deref(), &instance_id, reason))
    }

    pub fn resume(
        &self,
        key: u64,
        component: Option<String>,
        instance_id: String,
        reason: Option<String>,
    ) -> NativeReply {
        self.call(key, self.client.resume(component.as_deref(), &instance_id, reason))
    }

    pub fn raise_event(
        &self,
        key: u64,
        component: Option<String>,
        instance_id: String,
        event_name: String,
        data: Option<String>,
    ) -> NativeReply {
        self.call(key, self.client.raise_event(component.as_deref(), &instance_id, &event_name, data))
    }

    pub fn terminate(
        &self,
        key: u64,
        component: Option<String>,
        instance_id: String,
        output: Option<String>,
        recursive: bool,
    ) -> NativeReply {
        self.call(key, self.client.terminate(component.as_deref(), &instance_id, output, recursive))
    }

    pub fn purge(
        &self,
        key: u64,
        component: Option<String>,
        instance_id: String,
        recursive: bool,
    ) -> NativeReply {
        let purged = self.client.purge(component.as_deref(), &instance_id, recursive);
        self.call(key, purged)
    }

    pub fn bulk(&self, key: u64, bulk: NativeBulk) -> NativeReply {
        let action = match bulk.action.as_str() {
            "purge" => BulkAction::Purge,
            "terminate" => BulkAction::Terminate { output: bulk.output, recursive: bulk.recursive },
            "pause" => BulkAction::Pause { reason: bulk.reason },
            "resume" => BulkAction::Resume { reason: bulk.reason },
            other => return NativeReply::refused(invalid(format!("the action {other:?} is unknown"))),
        };
        let filter = match bulk.filter.read() {
            Ok(filter) => filter,
            Err(error) => return NativeReply::refused(error),
        };
        let step = self.client.bulk(bulk.component.as_deref(), action, filter, bulk.cursor);
        self.call(key, step)
    }

    pub fn wait_for_start(
        &self,
        key: u64,
        component: Option<String>,
        instance_id: String,
        timeout_ms: Option<i64>,
        payloads: bool,
    ) -> NativeReply {
        self.wait(key, timeout_ms, |client, timeout| {
            client.wait_for_start(component.as_deref(), &instance_id, timeout, payloads)
        })
    }

    pub fn wait_for_completion(
        &self,
        key: u64,
        component: Option<String>,
        instance_id: String,
        timeout_ms: Option<i64>,
        payloads: bool,
    ) -> NativeReply {
        self.wait(key, timeout_ms, |client, timeout| {
            client.wait_for_completion(component.as_deref(), &instance_id, timeout, payloads)
        })
    }

    pub fn next_change(
        &self,
        key: u64,
        component: Option<String>,
        instance_id: String,
        execution_id: Option<String>,
        seen: Option<String>,
        payloads: bool,
    ) -> NativeReply {
        let seen: Option<Seen> = match seen.map(|seen| seen.parse()).transpose() {
            Ok(seen) => seen,
            Err(error) => return NativeReply::refused(error),
        };
        self.wait(key, None, |client, _| {
            let run = execution_id.as_deref();
            client.next_change(component.as_deref(), &instance_id, run, seen, payloads)
        })
    }

    pub fn result(
        &self,
        key: u64,
        component: Option<String>,
        instance_id: String,
        execution_id: Option<String>,
        timeout_ms: Option<i64>,
    ) -> NativeReply {
        self.wait(key, timeout_ms, |client, timeout| {
            client.result(component.as_deref(), &instance_id, execution_id.as_deref(), timeout)
        })
    }

    pub fn list(
        &self,
        key: u64,
        component: Option<String>,
        filter: NativeFilter,
        cursor: Option<String>,
        limit: i64,
        payloads: bool,
    ) -> NativeReply {
        let filter = match filter.read() {
            Ok(filter) => filter,
            Err(error) => return NativeReply::refused(error),
        };
        let request = ListRequest { filter, cursor, limit: Some(limit as usize), payloads };
        self.read(key, self.client.list(component.as_deref(), request))
    }

    pub fn count(&self, key: u64, component: Option<String>, filter: NativeFilter) -> NativeReply {
        let filter = match filter.read() {
            Ok(filter) => filter,
            Err(error) => return NativeReply::refused(error),
        };
        self.read(key, self.client.count(component.as_deref(), filter))
    }

    pub fn history(
        &self,
        key: u64,
        component: Option<String>,
        instance_id: String,
        depth: u32,
    ) -> NativeReply {
        let tree = self.client.history_tree(component.as_deref(), &instance_id, depth as usize);
        self.read(key, tree)
    }
}
