//! A handle of one run.

/// One run of a workflow.
pub struct WorkflowHandle {}
