//! Values of the core as Python's, field for field in the order of `everstep/models.py`.

use std::time::Duration;

use everstep::ErrorKind;
use everstep::history::{HistoryEvent, HistoryTree, TimerOrigin};
use everstep::model::{
    BulkStep, Change, Filter, Micros, Page, RuntimeStatus, Started, StatusCounts, WorkflowState,
};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::error::failure_to_python;
use crate::history::NativeHistory;

/// What an operation of the core answers, for Python. A new kind of answer has an implementation here.
pub(crate) trait ToPython: Send + 'static {
    fn to_python(self: Box<Self>, py: Python<'_>) -> PyResult<Bound<'_, PyAny>>;
}

impl ToPython for () {
    fn to_python(self: Box<Self>, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        Ok(py.None().into_bound(py))
    }
}

impl ToPython for u64 {
    fn to_python(self: Box<Self>, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        (*self).into_bound_py_any(py)
    }
}

/// A payload.
impl ToPython for Option<String> {
    fn to_python(self: Box<Self>, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        (*self).into_bound_py_any(py)
    }
}

/// Instance ID, execution ID.
impl ToPython for Started {
    fn to_python(self: Box<Self>, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        (self.instance_id, self.execution_id).into_bound_py_any(py)
    }
}

impl ToPython for WorkflowState {
    fn to_python(self: Box<Self>, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        state(py, &self).map(Bound::into_any)
    }
}

/// State, what was seen; none when there is nothing more to come.
impl ToPython for Option<Change> {
    fn to_python(self: Box<Self>, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        match *self {
            Some(change) => (state(py, &change.state)?, change.seen.to_string()).into_bound_py_any(py),
            None => Ok(py.None().into_bound(py)),
        }
    }
}

/// States, cursor.
impl ToPython for Page {
    fn to_python(self: Box<Self>, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        let states = self.states.iter().map(|found| state(py, found)).collect::<PyResult<Vec<_>>>()?;
        (states, self.cursor).into_bound_py_any(py)
    }
}

/// The name and the count of each status.
impl ToPython for StatusCounts {
    fn to_python(self: Box<Self>, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        let named = self.iter().map(|(status, count)| (status.name(), *count));
        named.collect::<Vec<_>>().into_bound_py_any(py)
    }
}

/// How many were done, cursor.
impl ToPython for BulkStep {
    fn to_python(self: Box<Self>, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        (self.done, self.cursor).into_bound_py_any(py)
    }
}

impl ToPython for HistoryTree {
    fn to_python(self: Box<Self>, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        NativeHistory::from(*self).into_bound_py_any(py)
    }
}

/// What `models.state_from_native` takes.
fn state<'py>(py: Python<'py>, state: &WorkflowState) -> PyResult<Bound<'py, PyTuple>> {
    let failure = state.failure.as_ref().map(|failure| failure_to_python(py, failure)).transpose()?;
    let head = (
        state.instance_id.as_str(),
        state.execution_id.as_deref(),
        state.name.as_str(),
        state.version.as_deref(),
        state.status.name(),
        state.created_at.0,
        state.last_updated_at.0,
        state.started_at.map(|time| time.0),
        state.completed_at.map(|time| time.0),
        state.start_at.map(|time| time.0),
    );
    let rest = (
        state.input.as_deref(),
        state.output.as_deref(),
        state.custom_status.as_deref(),
        failure,
        state.reason.as_deref(),
        state.parent_instance_id.as_deref(),
        state.tags.clone(),
    );
    let (head, rest) = (head.into_pyobject(py)?, rest.into_pyobject(py)?);
    head.as_sequence().concat(rest.as_sequence())?.cast_into::<PyTuple>().map_err(PyErr::from)
}

/// Name, names of statuses, created from and to in microseconds since 1970, parent.
pub(crate) type NativeFilter = (Option<String>, Vec<String>, Option<i64>, Option<i64>, Option<String>);

/// A filter of states. Unknown status names were refused by Python's enum.
pub(crate) fn filter(filter: NativeFilter) -> Result<Filter, everstep::Error> {
    let (name, statuses, created_from, created_to, parent) = filter;
    let statuses = statuses.into_iter().map(|name| {
        RuntimeStatus::from_name(&name).ok_or_else(|| {
            everstep::Error::new(ErrorKind::InvalidArgument, format!("status {name:?} is unknown"))
        })
    });
    Ok(Filter {
        name,
        statuses: statuses.collect::<Result<_, _>>()?,
        created_from: created_from.map(Micros),
        created_to: created_to.map(Micros),
        parent,
    })
}

/// An event as a dictionary of what it says.
pub(crate) fn event<'py>(py: Python<'py>, event: &HistoryEvent) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    let text =
        |key: &str, value: &Option<String>| value.as_ref().map_or(Ok(()), |value| out.set_item(key, value));
    let number = |key: &str, value: Option<i64>| value.map_or(Ok(()), |value| out.set_item(key, value));
    text("source_app_id", &event.source_app_id)?;
    text("target_app_id", &event.target_app_id)?;
    text("target_app_namespace", &event.target_app_namespace)?;
    number("task_id", event.task_id.map(i64::from))?;
    text("name", &event.name)?;
    text("version", &event.version)?;
    text("input", &event.input)?;
    text("result", &event.result)?;
    if let Some(failure) = &event.failure {
        out.set_item("failure", failure_to_python(py, failure)?)?;
    }
    event.status.map_or(Ok(()), |status| out.set_item("status", status.name()))?;
    text("instance_id", &event.instance_id)?;
    text("execution_id", &event.execution_id)?;
    if let Some(parent) = &event.parent {
        out.set_item("parent_instance_id", &parent.instance_id)?;
        out.set_item("parent_task_id", parent.task_id)?;
    }
    text("task_execution_id", &event.task_execution_id)?;
    number("fire_at", event.fire_at.map(|at| at.0))?;
    if let Some(origin) = &event.origin {
        let (kind, of) = match origin {
            TimerOrigin::CreateTimer => ("create_timer", None),
            TimerOrigin::ExternalEvent(name) => ("external_event", Some(name)),
            TimerOrigin::ActivityRetry(id) => ("activity_retry", Some(id)),
            TimerOrigin::ChildWorkflowRetry(id) => ("child_workflow_retry", Some(id)),
            _ => ("unknown", None),
        };
        out.set_item("origin", (kind, of))?;
    }
    number("start_at", event.start_at.map(|at| at.0))?;
    event.recurse.map_or(Ok(()), |recurse| out.set_item("recursive", recurse))?;
    event.stalled_reason.map_or(Ok(()), |reason| out.set_item("reason", reason))?;
    text("description", &event.description)?;
    if let Some(stall) = &event.stall {
        let fields = (&stall.code, &stall.message, &stall.stack, stall.event_index);
        out.set_item("stall", fields)?;
    }
    if !event.patches.is_empty() {
        out.set_item("patches", &event.patches)?;
    }
    if !event.tags.is_empty() {
        out.set_item("tags", event.tags.clone())?;
    }
    text("rerun_of", &event.rerun_of)?;
    text("retry_of", &event.retry_of)?;
    text("trace_parent", &event.trace_parent)?;
    text("trace_state", &event.trace_state)?;
    text("span_id", &event.span_id)?;
    event.propagation.map_or(Ok(()), |scope| out.set_item("propagation", scope))?;
    number("call", event.call.map(i64::from))?;
    text("first_execution_id", &event.first_execution_id)?;
    if event.detached {
        out.set_item("detached", true)?;
    }
    number("attempt", event.attempt.map(i64::from))?;
    number("timeout_ms", event.timeout_millis)?;
    text("custom_status", &event.custom_status)?;
    if event.clears_custom_status {
        out.set_item("clears_custom_status", true)?;
    }
    if !event.cancelled_timers.is_empty() {
        out.set_item("cancelled_timers", &event.cancelled_timers)?;
    }
    if !event.cancelled_tasks.is_empty() {
        out.set_item("cancelled_tasks", &event.cancelled_tasks)?;
    }
    Ok(out)
}

/// A duration from milliseconds.
pub(crate) fn millis(millis: Option<u64>) -> Option<Duration> {
    millis.map(Duration::from_millis)
}
