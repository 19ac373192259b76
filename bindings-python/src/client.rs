//! The client: one function per operation of the core's, which makes the call. How its answer is waited for is not said
//! here: see `call.rs`.

use std::collections::BTreeMap;
use std::mem::ManuallyDrop;
use std::path::PathBuf;
use std::time::Duration;

use everstep::component::Pending;
use everstep::engine::store::Durability;
use everstep::model::{BulkAction, ListRequest, Micros, RerunRequest, Reuse, Seen, StartRequest};
use everstep::{Client, ClientOptions, Error, ErrorKind};
use pyo3::prelude::*;

use crate::call::NativeCall;
use crate::convert::{NativeFilter, ToPython, filter, millis};
use crate::error::{Process, to_python};

/// How much later than asked a wait ends at the latest.
const GRACE: Duration = Duration::from_secs(1);

/// A client of the core.
#[pyclass(frozen, module = "everstep._native")]
pub(crate) struct NativeClient {
    // In a forked child the engine's threads are gone, and closing would wait for them.
    client: ManuallyDrop<Client>,
    process: Process,
}

impl NativeClient {
    /// The client, where its process still is this one.
    pub(crate) fn client(&self, py: Python<'_>) -> PyResult<&Client> {
        self.process.check().map_err(|error| to_python(py, &error))?;
        Ok(&self.client)
    }
}

impl NativeClient {
    /// A call that ends as `timeout` when the client's `call_timeout` has passed.
    fn call<T: ToPython>(
        &self,
        py: Python<'_>,
        ask: impl FnOnce(&Client) -> Pending<'static, T>,
    ) -> PyResult<NativeCall> {
        let client = self.client(py)?;
        Ok(NativeCall::new(ask(client), Some(client.call_timeout())))
    }

    /// The same for what reads so much that an event loop would be missed meanwhile.
    fn read<T: ToPython>(
        &self,
        py: Python<'_>,
        ask: impl FnOnce(&Client) -> Pending<'static, T>,
    ) -> PyResult<NativeCall> {
        let client = self.client(py)?;
        Ok(NativeCall::reading_much(ask(client), Some(client.call_timeout())))
    }

    /// A wait, which may take as long as its caller says. The component ends it, and its error knows of what; this
    /// side only sees to it that a component that is stuck does not keep the caller for ever.
    fn wait<T: ToPython>(
        &self,
        py: Python<'_>,
        timeout_ms: Option<u64>,
        ask: impl FnOnce(&Client, Option<Duration>) -> Pending<'static, T>,
    ) -> PyResult<NativeCall> {
        let timeout = millis(timeout_ms);
        let latest = timeout.map(|timeout| timeout.saturating_add(GRACE));
        Ok(NativeCall::new(ask(self.client(py)?, timeout), latest))
    }
}

impl Drop for NativeClient {
    #[expect(unsafe_code, reason = "the only way out of ManuallyDrop")]
    fn drop(&mut self) {
        if self.process.is_current() {
            // SAFETY: `drop` runs once, and nothing uses the client after it.
            unsafe { ManuallyDrop::drop(&mut self.client) };
        }
    }
}

fn invalid(py: Python<'_>, message: String) -> PyErr {
    to_python(py, &Error::new(ErrorKind::InvalidArgument, message))
}

#[pymethods]
impl NativeClient {
    #[new]
    #[pyo3(signature = (
        endpoint, components, durability, call_timeout_ms, max_payload_bytes, api_token, tls_roots, tls_certificate, tls_key
    ))]
    #[expect(clippy::too_many_arguments, reason = "options cross one by one")]
    fn new(
        py: Python<'_>,
        endpoint: Option<String>,
        components: BTreeMap<String, String>,
        durability: &str,
        call_timeout_ms: Option<u64>,
        max_payload_bytes: Option<usize>,
        api_token: Option<String>,
        tls_roots: Option<PathBuf>,
        tls_certificate: Option<PathBuf>,
        tls_key: Option<PathBuf>,
    ) -> PyResult<NativeClient> {
        let mut options = ClientOptions::default();
        options.endpoint = endpoint;
        options.components = components;
        options.durability = match durability {
            "full" => Durability::Full,
            "process" => Durability::Process,
            _ => {
                return Err(invalid(
                    py,
                    format!("durability {durability:?} is unknown; known are full, process"),
                ));
            }
        };
        options.call_timeout = millis(call_timeout_ms).unwrap_or(options.call_timeout);
        options.max_payload_bytes = max_payload_bytes.unwrap_or(options.max_payload_bytes);
        options.remote.api_token = api_token;
        options.remote.tls_roots = tls_roots;
        options.remote.tls_certificate = tls_certificate;
        options.remote.tls_key = tls_key;
        let client = py.detach(|| Client::open(options)).map_err(|error| to_python(py, &error))?;
        Ok(NativeClient { client: ManuallyDrop::new(client), process: Process::current() })
    }

    #[getter]
    fn endpoint(&self) -> String {
        self.client.endpoint()
    }

    #[getter]
    fn warnings(&self) -> Vec<String> {
        self.client.warnings().to_vec()
    }

    #[getter]
    fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    fn close(&self, py: Python<'_>) {
        if self.process.is_current() {
            py.detach(|| self.client.close());
        }
    }

    #[pyo3(signature = (component, name, input, instance_id, options, start_at, version, tags, reuse))]
    #[expect(clippy::too_many_arguments, reason = "a request crosses field by field")]
    fn start(
        &self,
        py: Python<'_>,
        component: Option<&str>,
        name: String,
        input: Option<String>,
        instance_id: Option<String>,
        options: BTreeMap<String, String>,
        start_at: Option<i64>,
        version: Option<String>,
        tags: BTreeMap<String, String>,
        reuse: &str,
    ) -> PyResult<NativeCall> {
        let reuse = match reuse {
            "finished" => Reuse::Finished,
            "never" => Reuse::Never,
            _ => return Err(invalid(py, format!("reuse {reuse:?} is unknown; known are finished, never"))),
        };
        let start_at = start_at.map(Micros);
        let request = StartRequest { name, input, instance_id, options, start_at, version, tags, reuse };
        self.call(py, |client| client.start(component, request))
    }

    fn rerun(
        &self,
        py: Python<'_>,
        component: Option<&str>,
        instance_id: String,
        from_event: i32,
        new_instance_id: Option<String>,
        input: Option<String>,
    ) -> PyResult<NativeCall> {
        // A program that wants no input says null; without an argument the event keeps its own.
        let input = input.map(Some);
        let request = RerunRequest { instance_id, from_event, new_instance_id, input };
        self.call(py, |client| client.rerun(component, request))
    }

    fn get(
        &self,
        py: Python<'_>,
        component: Option<&str>,
        instance_id: &str,
        payloads: bool,
    ) -> PyResult<NativeCall> {
        self.call(py, |client| client.get(component, instance_id, payloads))
    }

    fn pause(
        &self,
        py: Python<'_>,
        component: Option<&str>,
        instance_id: &str,
        reason: Option<String>,
    ) -> PyResult<NativeCall> {
        self.call(py, |client| client.pause(component, instance_id, reason))
    }

    fn resume(
        &self,
        py: Python<'_>,
        component: Option<&str>,
        instance_id: &str,
        reason: Option<String>,
    ) -> PyResult<NativeCall> {
        self.call(py, |client| client.resume(component, instance_id, reason))
    }

    fn raise_event(
        &self,
        py: Python<'_>,
        component: Option<&str>,
        instance_id: &str,
        event_name: &str,
        data: Option<String>,
    ) -> PyResult<NativeCall> {
        self.call(py, |client| client.raise_event(component, instance_id, event_name, data))
    }

    fn terminate(
        &self,
        py: Python<'_>,
        component: Option<&str>,
        instance_id: &str,
        output: Option<String>,
        recursive: bool,
    ) -> PyResult<NativeCall> {
        self.call(py, |client| client.terminate(component, instance_id, output, recursive))
    }

    fn purge(
        &self,
        py: Python<'_>,
        component: Option<&str>,
        instance_id: &str,
        recursive: bool,
    ) -> PyResult<NativeCall> {
        self.call(py, |client| client.purge(component, instance_id, recursive))
    }

    #[expect(clippy::too_many_arguments, reason = "what an action takes crosses field by field")]
    fn bulk(
        &self,
        py: Python<'_>,
        component: Option<&str>,
        action: &str,
        filter: NativeFilter,
        cursor: Option<String>,
        output: Option<String>,
        recursive: bool,
        reason: Option<String>,
    ) -> PyResult<NativeCall> {
        let action = match action {
            "purge" => BulkAction::Purge,
            "terminate" => BulkAction::Terminate { output, recursive },
            "pause" => BulkAction::Pause { reason },
            "resume" => BulkAction::Resume { reason },
            _ => return Err(invalid(py, format!("the action {action:?} is unknown"))),
        };
        let filter = self::filter(filter).map_err(|error| to_python(py, &error))?;
        self.call(py, |client| client.bulk(component, action, filter, cursor))
    }

    fn wait_for_start(
        &self,
        py: Python<'_>,
        component: Option<&str>,
        instance_id: &str,
        timeout_ms: Option<u64>,
        payloads: bool,
    ) -> PyResult<NativeCall> {
        self.wait(py, timeout_ms, |client, timeout| {
            client.wait_for_start(component, instance_id, timeout, payloads)
        })
    }

    fn wait_for_completion(
        &self,
        py: Python<'_>,
        component: Option<&str>,
        instance_id: &str,
        timeout_ms: Option<u64>,
        payloads: bool,
    ) -> PyResult<NativeCall> {
        self.wait(py, timeout_ms, |client, timeout| {
            client.wait_for_completion(component, instance_id, timeout, payloads)
        })
    }

    fn next_change(
        &self,
        py: Python<'_>,
        component: Option<&str>,
        instance_id: &str,
        execution_id: Option<&str>,
        seen: Option<&str>,
        payloads: bool,
    ) -> PyResult<NativeCall> {
        let seen: Option<Seen> =
            seen.map(str::parse).transpose().map_err(|error: Error| to_python(py, &error))?;
        self.wait(py, None, |client, _| {
            client.next_change(component, instance_id, execution_id, seen, payloads)
        })
    }

    fn result(
        &self,
        py: Python<'_>,
        component: Option<&str>,
        instance_id: &str,
        execution_id: Option<&str>,
        timeout_ms: Option<u64>,
    ) -> PyResult<NativeCall> {
        self.wait(py, timeout_ms, |client, timeout| {
            client.result(component, instance_id, execution_id, timeout)
        })
    }

    fn list(
        &self,
        py: Python<'_>,
        component: Option<&str>,
        filter: NativeFilter,
        cursor: Option<String>,
        limit: Option<usize>,
        payloads: bool,
    ) -> PyResult<NativeCall> {
        let filter = self::filter(filter).map_err(|error| to_python(py, &error))?;
        let request = ListRequest { filter, cursor, limit, payloads };
        self.read(py, |client| client.list(component, request))
    }

    fn count(&self, py: Python<'_>, component: Option<&str>, filter: NativeFilter) -> PyResult<NativeCall> {
        let filter = self::filter(filter).map_err(|error| to_python(py, &error))?;
        self.read(py, |client| client.count(component, filter))
    }

    fn history(
        &self,
        py: Python<'_>,
        component: Option<&str>,
        instance_id: &str,
        depth: usize,
    ) -> PyResult<NativeCall> {
        self.read(py, |client| client.history_tree(component, instance_id, depth))
    }
}
