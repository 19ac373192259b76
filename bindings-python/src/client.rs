//! The client: a few lines per operation of the core's.

use std::collections::BTreeMap;
use std::mem::ManuallyDrop;

use everstep::engine::store::Durability;
use everstep::history::{HistoryEvent, decode};
use everstep::model::{Micros, Reuse, StartRequest};
use everstep::{Client, ClientOptions, Error, ErrorKind};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use crate::convert::{event, filter, millis, state};
use crate::error::{Process, to_python};
use crate::wait::wait;

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
    #[pyo3(signature = (endpoint, components, durability, call_timeout_ms, max_payload_bytes))]
    fn new(
        py: Python<'_>,
        endpoint: Option<String>,
        components: BTreeMap<String, String>,
        durability: &str,
        call_timeout_ms: Option<u64>,
        max_payload_bytes: Option<usize>,
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
    ) -> PyResult<(String, Option<String>)> {
        let reuse = match reuse {
            "finished" => Reuse::Finished,
            "never" => Reuse::Never,
            _ => return Err(invalid(py, format!("reuse {reuse:?} is unknown; known are finished, never"))),
        };
        let start_at = start_at.map(Micros);
        let request = StartRequest { name, input, instance_id, options, start_at, version, tags, reuse };
        let client = self.client(py)?;
        let started = wait(py, client.start(component, request), Some(client.call_timeout()))?;
        Ok((started.instance_id, started.execution_id))
    }

    fn get<'py>(
        &self,
        py: Python<'py>,
        component: Option<&str>,
        instance_id: &str,
        payloads: bool,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let client = self.client(py)?;
        let found = wait(py, client.get(component, instance_id, payloads), Some(client.call_timeout()))?;
        state(py, &found)
    }

    fn pause(
        &self,
        py: Python<'_>,
        component: Option<&str>,
        instance_id: &str,
        reason: Option<String>,
    ) -> PyResult<()> {
        let client = self.client(py)?;
        wait(py, client.pause(component, instance_id, reason), Some(client.call_timeout()))
    }

    fn resume(
        &self,
        py: Python<'_>,
        component: Option<&str>,
        instance_id: &str,
        reason: Option<String>,
    ) -> PyResult<()> {
        let client = self.client(py)?;
        wait(py, client.resume(component, instance_id, reason), Some(client.call_timeout()))
    }

    fn raise_event(
        &self,
        py: Python<'_>,
        component: Option<&str>,
        instance_id: &str,
        event_name: &str,
        data: Option<String>,
    ) -> PyResult<()> {
        let client = self.client(py)?;
        let pending = client.raise_event(component, instance_id, event_name, data);
        wait(py, pending, Some(client.call_timeout()))
    }

    fn terminate(
        &self,
        py: Python<'_>,
        component: Option<&str>,
        instance_id: &str,
        output: Option<String>,
        recursive: bool,
    ) -> PyResult<()> {
        let client = self.client(py)?;
        wait(py, client.terminate(component, instance_id, output, recursive), Some(client.call_timeout()))
    }

    fn purge(
        &self,
        py: Python<'_>,
        component: Option<&str>,
        instance_id: &str,
        recursive: bool,
    ) -> PyResult<u64> {
        let client = self.client(py)?;
        wait(py, client.purge(component, instance_id, recursive), Some(client.call_timeout()))
    }

    fn purge_matching(
        &self,
        py: Python<'_>,
        component: Option<&str>,
        name: Option<String>,
        statuses: Vec<String>,
        created_from: Option<i64>,
        created_to: Option<i64>,
    ) -> PyResult<u64> {
        let client = self.client(py)?;
        let filter =
            filter(name, statuses, created_from, created_to).map_err(|error| to_python(py, &error))?;
        wait(py, client.purge_matching(component, filter), Some(client.call_timeout()))
    }

    fn wait_for_start<'py>(
        &self,
        py: Python<'py>,
        component: Option<&str>,
        instance_id: &str,
        timeout_ms: Option<u64>,
        payloads: bool,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let timeout = millis(timeout_ms);
        let pending = self.client(py)?.wait_for_start(component, instance_id, timeout, payloads);
        state(py, &wait(py, pending, timeout)?)
    }

    fn wait_for_completion<'py>(
        &self,
        py: Python<'py>,
        component: Option<&str>,
        instance_id: &str,
        timeout_ms: Option<u64>,
        payloads: bool,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let timeout = millis(timeout_ms);
        let pending = self.client(py)?.wait_for_completion(component, instance_id, timeout, payloads);
        state(py, &wait(py, pending, timeout)?)
    }

    fn result(
        &self,
        py: Python<'_>,
        component: Option<&str>,
        instance_id: &str,
        execution_id: Option<&str>,
        timeout_ms: Option<u64>,
    ) -> PyResult<Option<String>> {
        let timeout = millis(timeout_ms);
        let pending = self.client(py)?.result(component, instance_id, execution_id, timeout);
        wait(py, pending, timeout)
    }

    #[expect(clippy::too_many_arguments, reason = "a filter crosses field by field")]
    fn list<'py>(
        &self,
        py: Python<'py>,
        component: Option<&str>,
        name: Option<String>,
        statuses: Vec<String>,
        created_from: Option<i64>,
        created_to: Option<i64>,
        cursor: Option<String>,
        limit: Option<usize>,
    ) -> PyResult<(Bound<'py, PyList>, Option<String>)> {
        let client = self.client(py)?;
        let filter =
            filter(name, statuses, created_from, created_to).map_err(|error| to_python(py, &error))?;
        let page = wait(py, client.list(component, filter, cursor, limit), Some(client.call_timeout()))?;
        let states = page.states.iter().map(|found| state(py, found)).collect::<PyResult<Vec<_>>>()?;
        Ok((PyList::new(py, states)?, page.cursor))
    }

    fn history<'py>(
        &self,
        py: Python<'py>,
        component: Option<&str>,
        instance_id: &str,
    ) -> PyResult<Vec<NativeEvent<'py>>> {
        let client = self.client(py)?;
        let events = wait(py, client.history(component, instance_id), Some(client.call_timeout()))?;
        let events = py.detach(|| decode(&events));
        let convert = |view: &HistoryEvent| {
            Ok((view.event_id, view.kind, view.timestamp.map(|time| time.0), event(py, view)?))
        };
        events.iter().map(convert).collect()
    }
}

/// Event ID, kind, microseconds since 1970, attributes.
type NativeEvent<'py> = (i32, &'static str, Option<i64>, Bound<'py, PyDict>);
