//! Values of the core as JavaScript's, field for field.

use std::collections::BTreeMap;
use std::time::Duration;

use everstep::component::Pending;
use everstep::model::{
    BulkStep, Change, Filter, Micros, Page, RuntimeStatus, Started, StatusCounts, WorkflowState,
};
use everstep::{Error, ErrorKind, Result};
use napi::bindgen_prelude::ToNapiValue;
use napi::sys;
use napi_derive::napi;

use crate::error::{NativeFailure, chain};

/// What an operation of the core answers, for JavaScript.
pub(crate) trait ToNode: Send + 'static {
    fn to_node(self: Box<Self>, env: sys::napi_env) -> napi::Result<sys::napi_value>;
}

impl<T: ToNapiValue + Send + 'static> ToNode for T {
    #[expect(unsafe_code, reason = "the way into JavaScript")]
    fn to_node(self: Box<Self>, env: sys::napi_env) -> napi::Result<sys::napi_value> {
        // SAFETY: called on the thread of `env`, within a scope of its.
        unsafe { T::to_napi_value(env, *self) }
    }
}

/// The same call, whose answer is converted on the way.
pub(crate) fn converted<T: Send + 'static, N: From<T> + Send + 'static>(
    pending: Pending<'static, T>,
) -> Pending<'static, N> {
    Box::pin(async move { pending.await.map(N::from) })
}

#[napi(object, object_from_js = false)]
pub struct NativeStarted {
    pub instance_id: String,
    pub execution_id: Option<String>,
}

impl From<Started> for NativeStarted {
    fn from(started: Started) -> NativeStarted {
        NativeStarted { instance_id: started.instance_id, execution_id: started.execution_id }
    }
}

/// The state of an instance. Times are microseconds since 1970.
#[napi(object, object_from_js = false)]
pub struct NativeState {
    pub instance_id: String,
    pub execution_id: Option<String>,
    pub name: String,
    pub version: Option<String>,
    pub status: String,
    pub created_at: f64,
    pub last_updated_at: f64,
    pub started_at: Option<f64>,
    pub completed_at: Option<f64>,
    pub start_at: Option<f64>,
    pub input: Option<String>,
    pub output: Option<String>,
    pub custom_status: Option<String>,
    pub failure: Option<Vec<NativeFailure>>,
    pub reason: Option<String>,
    pub parent_instance_id: Option<String>,
    pub tags: BTreeMap<String, String>,
}

/// A count of microseconds as JavaScript has it: exact for the next 280 years.
pub(crate) fn micros(time: Micros) -> f64 {
    time.0 as f64
}

impl From<WorkflowState> for NativeState {
    fn from(state: WorkflowState) -> NativeState {
        NativeState {
            instance_id: state.instance_id,
            execution_id: state.execution_id,
            name: state.name,
            version: state.version,
            status: state.status.name().to_owned(),
            created_at: micros(state.created_at),
            last_updated_at: micros(state.last_updated_at),
            started_at: state.started_at.map(micros),
            completed_at: state.completed_at.map(micros),
            start_at: state.start_at.map(micros),
            input: state.input,
            output: state.output,
            custom_status: state.custom_status,
            failure: state.failure.as_ref().map(chain),
            reason: state.reason,
            parent_instance_id: state.parent_instance_id,
            tags: state.tags,
        }
    }
}

#[napi(object, object_from_js = false)]
pub struct NativeChange {
    pub state: NativeState,
    pub seen: String,
}

impl From<Change> for NativeChange {
    fn from(change: Change) -> NativeChange {
        NativeChange { state: change.state.into(), seen: change.seen.to_string() }
    }
}

#[napi(object, object_from_js = false)]
pub struct NativePage {
    pub states: Vec<NativeState>,
    pub cursor: Option<String>,
}

impl From<Page> for NativePage {
    fn from(page: Page) -> NativePage {
        NativePage { states: page.states.into_iter().map(NativeState::from).collect(), cursor: page.cursor }
    }
}

#[napi(object, object_from_js = false)]
pub struct NativeCount {
    pub status: String,
    pub count: f64,
}

/// How many instances have each status.
pub(crate) fn counts(counts: &StatusCounts) -> Vec<NativeCount> {
    let native = |(status, count): &(RuntimeStatus, u64)| NativeCount {
        status: status.name().to_owned(),
        count: *count as f64,
    };
    counts.iter().map(native).collect()
}

#[napi(object, object_from_js = false)]
pub struct NativeStep {
    pub done: f64,
    pub cursor: Option<String>,
}

impl From<BulkStep> for NativeStep {
    fn from(step: BulkStep) -> NativeStep {
        NativeStep { done: step.done as f64, cursor: step.cursor }
    }
}

/// Which instances are meant. Times are microseconds since 1970.
#[napi(object, object_to_js = false)]
pub struct NativeFilter {
    pub name: Option<String>,
    pub statuses: Vec<String>,
    pub created_from: Option<f64>,
    pub created_to: Option<f64>,
    pub parent: Option<String>,
}

impl NativeFilter {
    pub(crate) fn read(self) -> Result<Filter> {
        let statuses = self.statuses.into_iter().map(|name| {
            RuntimeStatus::from_name(&name)
                .ok_or_else(|| Error::new(ErrorKind::InvalidArgument, format!("status {name:?} is unknown")))
        });
        Ok(Filter {
            name: self.name,
            statuses: statuses.collect::<Result<_>>()?,
            created_from: self.created_from.map(time),
            created_to: self.created_to.map(time),
            parent: self.parent,
        })
    }
}

/// A point in time from microseconds.
pub(crate) fn time(micros: f64) -> Micros {
    Micros(micros as i64)
}

/// A duration from milliseconds.
pub(crate) fn millis(millis: Option<f64>) -> Option<Duration> {
    millis.map(|millis| Duration::from_millis(millis as u64))
}
