//! What crosses the API: requests, states, statuses, failures, time. Owned values, no lifetimes, no generics.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

mod many;
mod seen;

pub use many::{BulkAction, BulkStep, Filter, ListRequest, Page, StatusCounts};
pub(crate) use seen::Look;
pub use seen::{Change, Seen};

/// An encoded value: UTF-8 text, or nothing. Absent, `""` and `"null"` are kept apart and all read as null.
pub type Payload = Option<String>;

/// An instant in microseconds since 1970-01-01 UTC. Microseconds, because nanoseconds do not reach the year 9999.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Micros(pub i64);

impl Micros {
    /// The wall clock's time.
    pub fn now() -> Micros {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    /// From milliseconds since 1970-01-01 UTC.
    pub const fn from_millis(millis: i64) -> Micros {
        Micros(millis.saturating_mul(1000))
    }

    /// Whole milliseconds since 1970-01-01 UTC, rounded down.
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This much later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Micros {
        Micros(self.0.saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }
}

/// Where an instance stands. The numbers are Dapr's `OrchestrationStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum RuntimeStatus {
    /// At work, or waiting for something.
    Running,
    /// Ended with a result.
    Completed,
    /// Replaced by its next generation; never a final status.
    ContinuedAsNew,
    /// Ended by an error of its code.
    Failed,
    /// Cancelled; Dapr knows it, nothing sets it today.
    Canceled,
    /// Ended by a request.
    Terminated,
    /// Accepted, its first turn has not run.
    #[default]
    Pending,
    /// Paused.
    Suspended,
    /// Waits for corrected code.
    Stalled,
    /// A status that a newer runtime knows.
    Unknown(i32),
}

impl RuntimeStatus {
    /// The statuses that have a name.
    pub const ALL: [RuntimeStatus; 9] = [
        RuntimeStatus::Running,
        RuntimeStatus::Completed,
        RuntimeStatus::ContinuedAsNew,
        RuntimeStatus::Failed,
        RuntimeStatus::Canceled,
        RuntimeStatus::Terminated,
        RuntimeStatus::Pending,
        RuntimeStatus::Suspended,
        RuntimeStatus::Stalled,
    ];

    /// The number on the wire.
    pub const fn number(self) -> i32 {
        match self {
            RuntimeStatus::Running => 0,
            RuntimeStatus::Completed => 1,
            RuntimeStatus::ContinuedAsNew => 2,
            RuntimeStatus::Failed => 3,
            RuntimeStatus::Canceled => 4,
            RuntimeStatus::Terminated => 5,
            RuntimeStatus::Pending => 6,
            RuntimeStatus::Suspended => 7,
            RuntimeStatus::Stalled => 8,
            RuntimeStatus::Unknown(number) => number,
        }
    }

    /// From the number on the wire.
    pub fn from_number(number: i32) -> RuntimeStatus {
        RuntimeStatus::ALL
            .into_iter()
            .find(|status| status.number() == number)
            .unwrap_or(RuntimeStatus::Unknown(number))
    }

    /// The name, as Dapr's HTTP API writes it.
    pub const fn name(self) -> &'static str {
        match self {
            RuntimeStatus::Running => "RUNNING",
            RuntimeStatus::Completed => "COMPLETED",
            RuntimeStatus::ContinuedAsNew => "CONTINUED_AS_NEW",
            RuntimeStatus::Failed => "FAILED",
            RuntimeStatus::Canceled => "CANCELED",
            RuntimeStatus::Terminated => "TERMINATED",
            RuntimeStatus::Pending => "PENDING",
            RuntimeStatus::Suspended => "SUSPENDED",
            RuntimeStatus::Stalled => "STALLED",
            RuntimeStatus::Unknown(_) => "UNKNOWN",
        }
    }

    /// From its name.
    pub fn from_name(name: &str) -> Option<RuntimeStatus> {
        RuntimeStatus::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Whether nothing can happen to the instance any more but a purge or a new start.
    pub const fn is_terminal(self) -> bool {
        matches!(
            self,
            RuntimeStatus::Completed
                | RuntimeStatus::Failed
                | RuntimeStatus::Canceled
                | RuntimeStatus::Terminated
        )
    }
}

impl fmt::Display for RuntimeStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What user code failed with: type, message, stack and the failure that caused it. On the wire Dapr's
/// `TaskFailureDetails`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Failure {
    /// The remote type's name, for example `ValueError`.
    pub error_type: String,
    /// The message.
    pub message: String,
    /// The stack, if there is one.
    pub stack: Option<String>,
    /// Whether retry policies must leave it alone.
    pub non_retriable: bool,
    /// What caused it.
    pub cause: Option<Box<Failure>>,
}

/// Whether a start may take over the ID of a finished instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reuse {
    /// A finished instance is replaced, as Dapr does.
    #[default]
    Finished,
    /// Any instance with the ID is `already_exists`.
    Never,
}

/// What starts a workflow.
#[derive(Clone, Debug, Default)]
pub struct StartRequest {
    /// The workflow's registered name.
    pub name: String,
    /// Its encoded input.
    pub input: Payload,
    /// 1 to 64 bytes of Unicode letters, digits, `_` and `-`; generated (UUID v4) when absent.
    pub instance_id: Option<String>,
    /// Options as Dapr's guide has them; `dapr.workflow.start_time` (RFC 3339) is understood.
    pub options: BTreeMap<String, String>,
    /// The earliest time of the first turn.
    pub start_at: Option<Micros>,
    /// The named version to run; the latest when absent.
    pub version: Option<String>,
    /// Free labels.
    pub tags: BTreeMap<String, String>,
    /// Whether a finished instance's ID may be taken over.
    pub reuse: Reuse,
}

/// What begins a rerun.
#[derive(Clone, Debug, Default)]
pub struct RerunRequest {
    /// The finished instance that is repeated in part.
    pub instance_id: String,
    /// The id of the event to go on from: a TaskScheduled, TimerCreated or ChildWorkflowInstanceCreated.
    pub from_event: i32,
    /// The new instance's ID, by the rule of a start; generated (UUID v4) when absent.
    pub new_instance_id: Option<String>,
    /// Another encoded input for the activity or child of that event; absent, it keeps its own.
    pub input: Option<Payload>,
}

/// What a start or a rerun gives back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// The instance ID.
    pub instance_id: String,
    /// The run's execution ID, where the component gives one.
    pub execution_id: Option<String>,
}

/// The state of an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkflowState {
    /// The instance ID.
    pub instance_id: String,
    /// The run's execution ID, where the component gives one.
    pub execution_id: Option<String>,
    /// The workflow's name.
    pub name: String,
    /// The version that the run uses, if it is a named one.
    pub version: Option<String>,
    /// Where it stands.
    pub status: RuntimeStatus,
    /// When it was accepted.
    pub created_at: Micros,
    /// When its record last changed.
    pub last_updated_at: Micros,
    /// When its first turn ran.
    pub started_at: Option<Micros>,
    /// When it ended.
    pub completed_at: Option<Micros>,
    /// When it is to begin, if the start was delayed.
    pub start_at: Option<Micros>,
    /// Its input, if payloads were asked for.
    pub input: Payload,
    /// Its output, if it has one and payloads were asked for.
    pub output: Payload,
    /// What the workflow says of itself.
    pub custom_status: Payload,
    /// What it failed or stalled with.
    pub failure: Option<Failure>,
    /// Why it does not move: no worker has its name, or what it stalled on.
    pub reason: Option<String>,
    /// The instance that started it.
    pub parent_instance_id: Option<String>,
    /// Its labels.
    pub tags: BTreeMap<String, String>,
}

impl WorkflowState {
    /// The properties map of Dapr's API. Keys: `dapr.workflow.input`, `.output`, `.custom_status`,
    /// `.failure.error_type`, `.failure.error_message`, `.failure.stack_trace`.
    pub fn properties(&self) -> BTreeMap<String, String> {
        let mut map = BTreeMap::new();
        let mut put = |key: &str, value: Option<&String>| {
            if let Some(value) = value {
                map.insert(format!("dapr.workflow.{key}"), value.clone());
            }
        };
        put("input", self.input.as_ref());
        put("output", self.output.as_ref());
        put("custom_status", self.custom_status.as_ref());
        if let Some(failure) = &self.failure {
            put("failure.error_type", Some(&failure.error_type));
            put("failure.error_message", Some(&failure.message));
            put("failure.stack_trace", failure.stack.as_ref());
        }
        map
    }
}
