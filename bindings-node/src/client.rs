//! The client: one function per operation of the core's, which makes the call. How its answer is waited for is not said
//! here: see `call.rs`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use everstep::component::Pending;
use everstep::engine::store::Durability;
use everstep::model::{BulkAction, ListRequest, RerunRequest, Reuse, Seen, StartRequest, StatusCounts};
use everstep::{Client, ClientOptions, Error, ErrorKind, Result};
use napi_derive::napi;

use crate::call::{NativeQueue, Reply};
use crate::convert::{
    NativeChange, NativeFilter, NativePage, NativeStarted, NativeState, NativeStep, ToNode, converted,
    counts, millis, time,
};
use crate::error::NativeError;
use crate::history::NativeHistory;

/// How much later than asked a wait ends at the latest.
const GRACE: Duration = Duration::from_secs(1);

/// What a client is opened with.
#[napi(object, object_to_js = false)]
pub struct NativeOptions {
    pub endpoint: Option<String>,
    pub components: Option<BTreeMap<String, String>>,
    pub durability: Option<String>,
    pub call_timeout_ms: Option<f64>,
    pub max_payload_bytes: Option<f64>,
    pub api_token: Option<String>,
    pub tls_roots: Option<String>,
    pub tls_certificate: Option<String>,
    pub tls_key: Option<String>,
}

impl NativeOptions {
    fn read(self) -> Result<ClientOptions> {
        let mut options = ClientOptions::default();
        options.endpoint = self.endpoint;
        options.components = self.components.unwrap_or_default();
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
#[napi(object, object_to_js = false)]
pub struct NativeStart {
    pub component: Option<String>,
    pub name: String,
    pub input: Option<String>,
    pub instance_id: Option<String>,
    pub options: Option<BTreeMap<String, String>>,
    pub start_at: Option<f64>,
    pub version: Option<String>,
    pub tags: Option<BTreeMap<String, String>>,
    pub reuse: Option<String>,
}

/// What is done to many instances.
#[napi(object, object_to_js = false)]
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
#[napi(object, object_from_js = false)]
pub struct NativeOpened {
    pub client: Option<NativeClient>,
    pub error: Option<NativeError>,
}

/// Opens a client.
#[napi]
pub fn open_client(options: NativeOptions) -> NativeOpened {
    match options.read().and_then(Client::open) {
        Ok(client) => NativeOpened { client: Some(NativeClient { client }), error: None },
        Err(error) => NativeOpened { client: None, error: Some(NativeError::from(&error)) },
    }
}

/// A client of the core.
#[napi]
pub struct NativeClient {
    client: Client,
}

impl NativeClient {
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// A call that ends as `timeout` when the client's `call_timeout` has passed.
    fn call<T: ToNode>(&self, queue: &NativeQueue, pending: Pending<'static, T>) -> Reply {
        queue.submit(pending, Some(self.client.call_timeout()))
    }

    /// The same for what reads so much that the event loop would be missed meanwhile.
    fn read<T: ToNode>(&self, queue: &NativeQueue, pending: Pending<'static, T>) -> Reply {
        queue.defer(pending, Some(self.client.call_timeout()))
    }

    /// A wait, which may take as long as its caller says. The component ends it, and its error knows of what; this
    /// side only sees to it that a component that is stuck does not keep the caller for ever.
    fn wait<T: ToNode>(
        &self,
        queue: &NativeQueue,
        timeout_ms: Option<f64>,
        ask: impl FnOnce(&Client, Option<Duration>) -> Pending<'static, T>,
    ) -> Reply {
        let timeout = millis(timeout_ms);
        let latest = timeout.map(|timeout| timeout.saturating_add(GRACE));
        queue.submit(ask(&self.client, timeout), latest)
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}

#[napi]
impl NativeClient {
    #[napi(getter)]
    pub fn endpoint(&self) -> String {
        self.client.endpoint()
    }

    #[napi(getter)]
    pub fn warnings(&self) -> Vec<String> {
        self.client.warnings().to_vec()
    }

    #[napi(getter)]
    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    #[napi(ts_return_type = "NativeReply<void>")]
    pub fn close(&self, queue: &NativeQueue) -> Reply {
        let client = self.client.clone();
        queue.block(move || {
            client.close();
            Ok(())
        })
    }

    #[napi(ts_return_type = "NativeReply<NativeStarted>")]
    pub fn start(&self, queue: &NativeQueue, start: NativeStart) -> Reply {
        let reuse = match start.reuse.as_deref() {
            None | Some("finished") => Reuse::Finished,
            Some("never") => Reuse::Never,
            Some(other) => {
                return Reply::refused(invalid(format!(
                    "reuse {other:?} is unknown; known are finished, never"
                )));
            }
        };
        let request = StartRequest {
            name: start.name,
            input: start.input,
            instance_id: start.instance_id,
            options: start.options.unwrap_or_default(),
            start_at: start.start_at.map(time),
            version: start.version,
            tags: start.tags.unwrap_or_default(),
            reuse,
        };
        let started = self.client.start(start.component.as_deref(), request);
        self.call(queue, converted::<_, NativeStarted>(started))
    }

    #[napi(ts_return_type = "NativeReply<NativeStarted>")]
    pub fn rerun(
        &self,
        queue: &NativeQueue,
        component: Option<String>,
        instance_id: String,
        from_event: i32,
        new_instance_id: Option<String>,
        input: Option<String>,
    ) -> Reply {
        // A program that wants no input says null; without an argument the event keeps its own.
        let input = input.map(Some);
        let request = RerunRequest { instance_id, from_event, new_instance_id, input };
        let started = self.client.rerun(component.as_deref(), request);
        self.call(queue, converted::<_, NativeStarted>(started))
    }

    #[napi(ts_return_type = "NativeReply<NativeState>")]
    pub fn get(
        &self,
        queue: &NativeQueue,
        component: Option<String>,
        instance_id: String,
        payloads: bool,
    ) -> Reply {
        let state = self.client.get(component.as_deref(), &instance_id, payloads);
        self.call(queue, converted::<_, NativeState>(state))
    }

    #[napi(ts_return_type = "NativeReply<void>")]
    pub fn pause(
        &self,
        queue: &NativeQueue,
        component: Option<String>,
        instance_id: String,
        reason: Option<String>,
    ) -> Reply {
        self.call(queue, self.client.pause(component.as_deref(), &instance_id, reason))
    }

    #[napi(ts_return_type = "NativeReply<void>")]
    pub fn resume(
        &self,
        queue: &NativeQueue,
        component: Option<String>,
        instance_id: String,
        reason: Option<String>,
    ) -> Reply {
        self.call(queue, self.client.resume(component.as_deref(), &instance_id, reason))
    }

    #[napi(ts_return_type = "NativeReply<void>")]
    pub fn raise_event(
        &self,
        queue: &NativeQueue,
        component: Option<String>,
        instance_id: String,
        event_name: String,
        data: Option<String>,
    ) -> Reply {
        self.call(queue, self.client.raise_event(component.as_deref(), &instance_id, &event_name, data))
    }

    #[napi(ts_return_type = "NativeReply<void>")]
    pub fn terminate(
        &self,
        queue: &NativeQueue,
        component: Option<String>,
        instance_id: String,
        output: Option<String>,
        recursive: bool,
    ) -> Reply {
        self.call(queue, self.client.terminate(component.as_deref(), &instance_id, output, recursive))
    }

    #[napi(ts_return_type = "NativeReply<number>")]
    pub fn purge(
        &self,
        queue: &NativeQueue,
        component: Option<String>,
        instance_id: String,
        recursive: bool,
    ) -> Reply {
        let purged = self.client.purge(component.as_deref(), &instance_id, recursive);
        self.call::<f64>(queue, Box::pin(async move { Ok(purged.await? as f64) }))
    }

    #[napi(ts_return_type = "NativeReply<NativeStep>")]
    pub fn bulk(&self, queue: &NativeQueue, bulk: NativeBulk) -> Reply {
        let action = match bulk.action.as_str() {
            "purge" => BulkAction::Purge,
            "terminate" => BulkAction::Terminate { output: bulk.output, recursive: bulk.recursive },
            "pause" => BulkAction::Pause { reason: bulk.reason },
            "resume" => BulkAction::Resume { reason: bulk.reason },
            other => return Reply::refused(invalid(format!("the action {other:?} is unknown"))),
        };
        let filter = match bulk.filter.read() {
            Ok(filter) => filter,
            Err(error) => return Reply::refused(error),
        };
        let step = self.client.bulk(bulk.component.as_deref(), action, filter, bulk.cursor);
        self.call(queue, converted::<_, NativeStep>(step))
    }

    #[napi(ts_return_type = "NativeReply<NativeState>")]
    pub fn wait_for_start(
        &self,
        queue: &NativeQueue,
        component: Option<String>,
        instance_id: String,
        timeout_ms: Option<f64>,
        payloads: bool,
    ) -> Reply {
        self.wait(queue, timeout_ms, |client, timeout| {
            let state = client.wait_for_start(component.as_deref(), &instance_id, timeout, payloads);
            converted::<_, NativeState>(state)
        })
    }

    #[napi(ts_return_type = "NativeReply<NativeState>")]
    pub fn wait_for_completion(
        &self,
        queue: &NativeQueue,
        component: Option<String>,
        instance_id: String,
        timeout_ms: Option<f64>,
        payloads: bool,
    ) -> Reply {
        self.wait(queue, timeout_ms, |client, timeout| {
            let state = client.wait_for_completion(component.as_deref(), &instance_id, timeout, payloads);
            converted::<_, NativeState>(state)
        })
    }

    #[napi(ts_return_type = "NativeReply<NativeChange | undefined>")]
    pub fn next_change(
        &self,
        queue: &NativeQueue,
        component: Option<String>,
        instance_id: String,
        execution_id: Option<String>,
        seen: Option<String>,
        payloads: bool,
    ) -> Reply {
        let seen: Option<Seen> = match seen.map(|seen| seen.parse()).transpose() {
            Ok(seen) => seen,
            Err(error) => return Reply::refused(error),
        };
        self.wait(queue, None, |client, _| {
            let run = execution_id.as_deref();
            let change = client.next_change(component.as_deref(), &instance_id, run, seen, payloads);
            Box::pin(async move { Ok(change.await?.map(NativeChange::from)) })
        })
    }

    #[napi(ts_return_type = "NativeReply<string | null | undefined>")]
    pub fn result(
        &self,
        queue: &NativeQueue,
        component: Option<String>,
        instance_id: String,
        execution_id: Option<String>,
        timeout_ms: Option<f64>,
    ) -> Reply {
        self.wait(queue, timeout_ms, |client, timeout| {
            client.result(component.as_deref(), &instance_id, execution_id.as_deref(), timeout)
        })
    }

    #[napi(ts_return_type = "NativeReply<NativePage>")]
    pub fn list(
        &self,
        queue: &NativeQueue,
        component: Option<String>,
        filter: NativeFilter,
        cursor: Option<String>,
        limit: f64,
        payloads: bool,
    ) -> Reply {
        let filter = match filter.read() {
            Ok(filter) => filter,
            Err(error) => return Reply::refused(error),
        };
        let request = ListRequest { filter, cursor, limit: Some(limit as usize), payloads };
        self.read(queue, converted::<_, NativePage>(self.client.list(component.as_deref(), request)))
    }

    #[napi(ts_return_type = "NativeReply<NativeCount[]>")]
    pub fn count(&self, queue: &NativeQueue, component: Option<String>, filter: NativeFilter) -> Reply {
        let filter = match filter.read() {
            Ok(filter) => filter,
            Err(error) => return Reply::refused(error),
        };
        let found: Pending<'static, StatusCounts> = self.client.count(component.as_deref(), filter);
        self.read(queue, Box::pin(async move { Ok(counts(&found.await?)) }))
    }

    #[napi(ts_return_type = "NativeReply<NativeHistory>")]
    pub fn history(
        &self,
        queue: &NativeQueue,
        component: Option<String>,
        instance_id: String,
        depth: u32,
    ) -> Reply {
        let tree = self.client.history_tree(component.as_deref(), &instance_id, depth as usize);
        self.read(queue, converted::<_, NativeHistory>(tree))
    }
}
