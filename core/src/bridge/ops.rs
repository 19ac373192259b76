//! What the core tells a workflow function (jobs) and what the function asks of the core (commands).

use std::collections::BTreeMap;

use super::error::TaskError;
use crate::model::Payload;
use crate::retry::RetryPolicy;

/// The host's number of something it asked for: 1, 2, 3 … per run, in the order of the calls.
pub type Ref = u32;

/// The instance that started a child.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parent {
    /// Its instance ID.
    pub id: String,
    /// Its execution ID, where it is known.
    pub run: Option<String>,
}

/// What the core tells a workflow function. Jobs are applied one at a time; a job for a ref that the host does not
/// wait for any more (cancelled, or the function has ended) is answered with an empty step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Job {
    /// A turn begins.
    Turn {
        /// The turn's time, in milliseconds since 1970-01-01 UTC.
        now: i64,
        /// Whether the turn is one of the past.
        replay: bool,
        /// The patches that history has up to and with this turn, in the order they were asked.
        patches: Vec<String>,
    },
    /// Create the function's instance and run it.
    Start {
        /// The workflow's name.
        name: String,
        /// The named version to run.
        version: Option<String>,
        /// Its input.
        input: Payload,
        /// Feeds random numbers; see [`super::random`].
        seed: u64,
        /// The instance that started it.
        parent: Option<Parent>,
        /// Its labels.
        tags: BTreeMap<String, String>,
    },
    /// What `reference` asked for is there.
    Done {
        /// What it answers.
        reference: Ref,
        /// The result.
        value: Payload,
    },
    /// What `reference` asked for has failed or timed out.
    Failed {
        /// What it answers.
        reference: Ref,
        /// Why.
        error: TaskError,
    },
    /// Drop the instance.
    Evict {
        /// Why.
        reason: EvictReason,
    },
}

/// Why a host has to drop an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EvictReason {
    /// The cache is full, or the instance has been idle.
    Full,
    /// The instance was terminated, purged or replaced.
    Ended,
    /// Its last turn stalled.
    Stalled,
    /// The worker closes.
    Closing,
}

impl EvictReason {
    /// The reason as text.
    pub const fn code(self) -> &'static str {
        match self {
            EvictReason::Full => "full",
            EvictReason::Ended => "ended",
            EvictReason::Stalled => "stalled",
            EvictReason::Closing => "closing",
        }
    }

    /// The reason with this text.
    pub fn from_code(code: &str) -> Option<EvictReason> {
        [EvictReason::Full, EvictReason::Ended, EvictReason::Stalled, EvictReason::Closing]
            .into_iter()
            .find(|reason| reason.code() == code)
    }
}

/// When a timer is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// This many milliseconds after the turn's time; not above 0 means at once.
    After(i64),
    /// At this time, in milliseconds since 1970-01-01 UTC.
    At(i64),
}

/// What a workflow function asks of the core.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Run an activity.
    Activity {
        /// The host's number.
        reference: Ref,
        /// The activity's name.
        name: String,
        /// Its input.
        input: Payload,
        /// How often and when it is tried again.
        retry: Option<RetryPolicy>,
        /// How long one attempt may take.
        timeout_ms: Option<i64>,
        /// The Dapr app that runs it, if not this one.
        app: Option<String>,
    },
    /// Run a child workflow.
    Child {
        /// The host's number.
        reference: Ref,
        /// The workflow's name.
        name: String,
        /// The version to run; absent for the latest.
        version: Option<String>,
        /// Its input.
        input: Payload,
        /// Its instance ID; absent for the default one.
        id: Option<String>,
        /// How often and when it is tried again.
        retry: Option<RetryPolicy>,
        /// The Dapr app that runs it, if not this one.
        app: Option<String>,
        /// Start it without being its parent; no job ever answers.
        detached: bool,
    },
    /// Wait for a time.
    Timer {
        /// The host's number.
        reference: Ref,
        /// When.
        due: Due,
    },
    /// Wait for an external event.
    Event {
        /// The host's number.
        reference: Ref,
        /// The event's name, compared without ASCII case.
        name: String,
        /// How long; for ever when absent.
        timeout_ms: Option<i64>,
    },
    /// Give up something that was asked for. No job for it is sent any more.
    Cancel {
        /// The host's number.
        reference: Ref,
    },
    /// Raise an event at another instance.
    Send {
        /// The instance ID.
        id: String,
        /// The event's name.
        name: String,
        /// Its data.
        data: Payload,
    },
    /// Set the custom status.
    Status {
        /// The status; absent clears it.
        status: Payload,
    },
    /// The function asked for a patch and was answered yes, for the first time in this run.
    Patch {
        /// The patch's name.
        name: String,
    },
    /// End with a result.
    Complete {
        /// The result.
        output: Payload,
    },
    /// End this run and begin the next with a new input.
    Continue {
        /// The next run's input.
        input: Payload,
        /// Whether events that nobody took go with it.
        keep_events: bool,
    },
    /// End in failure.
    Fail {
        /// Why.
        error: TaskError,
    },
}

impl Command {
    /// The kind as the text has it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Command::Activity { .. } => "activity",
            Command::Child { .. } => "child",
            Command::Timer { .. } => "timer",
            Command::Event { .. } => "event",
            Command::Cancel { .. } => "cancel",
            Command::Send { .. } => "send",
            Command::Status { .. } => "status",
            Command::Patch { .. } => "patch",
            Command::Complete { .. } => "complete",
            Command::Continue { .. } => "continue",
            Command::Fail { .. } => "fail",
        }
    }
}

/// The commands of one step, in the order of the calls: the answer to one job.
pub type Step = Vec<Command>;
