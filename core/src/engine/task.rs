//! What engine and worker hand each other. The same for the embedded engine and, later, a Dapr sidecar.

use std::sync::Arc;

pub use crate::bridge::Stall;
use crate::engine::store::Key;
use crate::history::{Event, wire};
use crate::model::{Failure, Micros, Payload};

/// One run of an instance: late news of another generation finds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunKey {
    /// The instance's key.
    pub key: Key,
    /// Its generation.
    pub generation: u32,
}

/// Which definition of its workflow a turn needs. A run keeps for ever what it began with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// The run has not begun and names none: it takes the latest of the worker that runs its first turn.
    Latest,
    /// The run began with the definition that has no version.
    Unversioned,
    /// The run was started with this version, or took it as the latest.
    Named(Arc<str>),
}

/// A turn that a worker is to run.
#[derive(Clone, Debug)]
pub struct WorkflowTask {
    /// Whose.
    pub run: RunKey,
    /// Echoed with the answer; an answer with another token is dropped.
    pub token: u64,
    /// The instance ID.
    pub instance_id: Arc<str>,
    /// The execution ID.
    pub execution_id: Arc<str>,
    /// The workflow's name.
    pub name: Arc<str>,
    /// The version that it needs.
    pub version: Version,
    /// How many turns have been written: a worker whose cached instance has seen as many needs no history.
    pub turn: u32,
    /// Whether this generation has history that a worker without the cached instance must replay.
    pub has_past: bool,
    /// The events of this turn; the first is `WorkflowStarted`.
    pub events: Vec<Event>,
}

/// What a turn asks of the engine.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TurnResult {
    /// Dapr's actions, in order.
    pub actions: Vec<wire::WorkflowAction>,
    /// The custom status after the turn; absent clears it.
    pub custom_status: Option<String>,
    /// Patches newly seen and the version's name.
    pub version: Option<wire::WorkflowVersion>,
    /// Timers that are no longer waited for.
    pub cancelled_timers: Vec<i32>,
    /// Activities that were given up.
    pub cancelled_tasks: Vec<i32>,
    /// Whether the last action ends the run.
    pub finished: bool,
}

/// An activity that a worker is to run.
#[derive(Clone, Debug)]
pub struct ActivityTask {
    /// Whose.
    pub run: RunKey,
    /// The action id of this attempt.
    pub task_id: i32,
    /// The instance ID.
    pub instance_id: Arc<str>,
    /// The execution ID.
    pub execution_id: Arc<str>,
    /// The activity's name.
    pub name: String,
    /// Its input.
    pub input: Payload,
    /// The attempt, from 1.
    pub attempt: i32,
    /// Stable per call, the same across attempts.
    pub execution_key: String,
    /// When its timeout ends.
    pub deadline: Option<Micros>,
}

/// Names an activity task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ActivityKey {
    /// Whose.
    pub run: RunKey,
    /// The action id.
    pub task_id: i32,
}

impl ActivityTask {
    /// Its name for maps.
    pub fn activity_key(&self) -> ActivityKey {
        ActivityKey { run: self.run, task_id: self.task_id }
    }
}

/// What an activity ended with.
pub type ActivityResult = Result<Payload, Failure>;
