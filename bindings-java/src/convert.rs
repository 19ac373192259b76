//! Values of the core as Java's records, field for field.

use std::collections::HashMap;
use std::time::Duration;

use everstep::model::{
    BulkStep, Change, Filter, Micros, Page, RuntimeStatus, Started, StatusCounts, WorkflowState,
};
use everstep::{Error, ErrorKind, Result};

use crate::error::{NativeFailure, chain};

#[derive(uniffi::Record)]
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
#[derive(uniffi::Record)]
pub struct NativeState {
    pub instance_id: String,
    pub execution_id: Option<String>,
    pub name: String,
    pub version: Option<String>,
    pub status: String,
    pub created_at: i64,
    pub last_updated_at: i64,
    pub started_at: Option<i64>,
    pub completed_at: Option<i64>,
    pub start_at: Option<i64>,
    pub input: Option<String>,
    pub output: Option<String>,
    pub custom_status: Option<String>,
    pub failure: Option<Vec<NativeFailure>>,
    pub reason: Option<String>,
    pub parent_instance_id: Option<String>,
    pub tags: HashMap<String, String>,
}

/// A point in time as microseconds.
pub(crate) fn micros(time: Micros) -> i64 {
    time.0
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
            tags: state.tags.into_iter().collect(),
        }
    }
}

#[derive(uniffi::Record)]
pub struct NativeChange {
    pub state: NativeState,
    pub seen: String,
}

impl From<Change> for NativeChange {
    fn from(change: Change) -> NativeChange {
        NativeChange { state: change.state.into(), seen: change.seen.to_string() }
    }
}

#[derive(uniffi::Record)]
pub struct NativePage {
    pub states: Vec<NativeState>,
    pub cursor: Option<String>,
}

impl From<Page> for NativePage {
    fn from(page: Page) -> NativePage {
        NativePage { states: page.states.into_iter().map(NativeState::from).collect(), cursor: page.cursor }
    }
}

#[derive(uniffi::Record)]
pub struct NativeCount {
    pub status: String,
    pub count: i64,
}

/// How many instances have each status.
pub(crate) fn counts(counts: &StatusCounts) -> Vec<NativeCount> {
    let native = |(status, count): &(RuntimeStatus, u64)| NativeCount {
        status: status.name().to_owned(),
        count: *count as i64,
    };
    counts.iter().map(native).collect()
}

#[derive(uniffi::Record)]
pub struct NativeStep {
    pub done: i64,
    pub cursor: Option<String>,
}

impl From<BulkStep> for NativeStep {
    fn from(step: BulkStep) -> NativeStep {
        NativeStep { done: step.done as i64, cursor: step.cursor }
    }
}

/// Which instances are meant. Times are microseconds since 1970.
#[derive(uniffi::Record)]
pub struct NativeFilter {
    pub name: Option<String>,
    pub statuses: Vec<String>,
    pub created_from: Option<i64>,
    pub created_to: Option<i64>,
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
pub(crate) fn time(micros: i64) -> Micros {
    Micros(micros)
}

/// A duration from milliseconds; below zero is none at all.
pub(crate) fn millis(millis: Option<i64>) -> Option<Duration> {
    millis.map(|millis| Duration::from_millis(u64::try_from(millis).unwrap_or(0)))
}
