//! What concerns many instances: filters, listings, counts, bulk operations.

use super::{Micros, Payload, RuntimeStatus, WorkflowState};

/// Which instances a listing or a bulk operation means. Empty means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this workflow.
    pub name: Option<String>,
    /// Only these statuses.
    pub statuses: Vec<RuntimeStatus>,
    /// Created at this time or later.
    pub created_from: Option<Micros>,
    /// Created before this time.
    pub created_to: Option<Micros>,
    /// Only children that an instance with this ID started, whichever run of it did.
    pub parent: Option<String>,
}

impl Filter {
    /// Whether an instance in this state is meant.
    pub(crate) fn matches(&self, state: &WorkflowState) -> bool {
        self.name.as_ref().is_none_or(|name| *name == state.name)
            && (self.statuses.is_empty() || self.statuses.contains(&state.status))
            && self.created_from.is_none_or(|from| state.created_at >= from)
            && self.created_to.is_none_or(|to| state.created_at < to)
            && self.parent.as_ref().is_none_or(|id| state.parent_instance_id.as_ref() == Some(id))
    }
}

/// What is asked of a listing.
#[derive(Clone, Debug, Default)]
pub struct ListRequest {
    /// Which instances.
    pub filter: Filter,
    /// Where the page begins: the cursor of the page before; absent for the first one.
    pub cursor: Option<String>,
    /// How many states at most, 1 to 1,000; 100 when absent.
    pub limit: Option<usize>,
    /// Whether states have all that [`Client::get`](crate::Client::get) gives: input, output, failure, reason and labels. Each
    /// is then read from its records, and a page ends early where its records exceed 8 MiB.
    pub payloads: bool,
}

/// One page of a listing.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The states, newest first.
    pub states: Vec<WorkflowState>,
    /// Where the next page begins; absent after the last one.
    pub cursor: Option<String>,
}

/// How many instances have each status, by the status's number. Statuses that none has are left out.
pub type StatusCounts = Vec<(RuntimeStatus, u64)>;

/// What a bulk operation does to the instances that match.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BulkAction {
    /// Deletes finished instances.
    Purge,
    /// Ends instances that have not finished.
    Terminate {
        /// The output that they end with.
        output: Payload,
        /// Whether their children end with them, matching or not.
        recursive: bool,
    },
    /// Pauses pending and running instances.
    Pause {
        /// Why, for the history.
        reason: Option<String>,
    },
    /// Resumes suspended instances and tries stalled ones again.
    Resume {
        /// Why, for the history.
        reason: Option<String>,
    },
}

impl BulkAction {
    /// The operation's name.
    pub const fn operation(&self) -> &'static str {
        match self {
            BulkAction::Purge => "purge_workflows",
            BulkAction::Terminate { .. } => "terminate_workflows",
            BulkAction::Pause { .. } => "pause_workflows",
            BulkAction::Resume { .. } => "resume_workflows",
        }
    }

    /// Whether it means instances with this status.
    pub const fn concerns(&self, status: RuntimeStatus) -> bool {
        match self {
            BulkAction::Purge => status.is_terminal(),
            BulkAction::Terminate { .. } => !status.is_terminal(),
            BulkAction::Pause { .. } => matches!(status, RuntimeStatus::Pending | RuntimeStatus::Running),
            BulkAction::Resume { .. } => matches!(status, RuntimeStatus::Suspended | RuntimeStatus::Stalled),
        }
    }
}

/// One slice of a bulk operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BulkStep {
    /// How many instances it was done to so far, in this slice and those before, durably.
    pub done: u64,
    /// What the next slice is asked for with; absent when all is done.
    pub cursor: Option<String>,
}
