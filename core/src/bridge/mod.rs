//! The text that crosses to a host and back: tasks and jobs out, commands and results in.
//!
//! One JSON object each way. The key `kind` names a job's or a command's kind. Payloads follow [`payload`]. A batch is
//! written into one allocation; an answer is cut with `RawValue`, so that payloads are never parsed here. An answer
//! with one bad item keeps its other items: see [`read_completion`].

mod error;
mod notice;
mod open;
mod ops;
pub mod payload;
pub mod random;
mod read;
#[cfg(test)]
mod vectors;
mod write;

pub use error::{Stall, StallCode, TaskError};
pub use notice::{Level, Notice, write_notices};
pub use open::{Limits, OpenRequest, OpenResponse, Slots, WorkflowName};
pub use ops::{Command, Due, EvictReason, Job, Parent, Ref, Step};
pub use payload::PayloadMode;
pub use read::{ActivityAnswer, Completion, TurnAnswer, read_completion, read_step};
pub use write::{ActivityTask, WorkflowTask, text_len, write_activity_tasks, write_workflow_tasks};

/// The version of the protocol.
pub const VERSION: u32 = 1;
