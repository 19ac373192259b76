//! The state that the task hub service answers.

use crate::history::wire;
use crate::model::{Failure, Micros, RuntimeStatus, WorkflowState};

/// Reads a state. An instance that has not run has neither a name nor times in Dapr.
pub(in super::super) fn read(state: wire::WorkflowState) -> WorkflowState {
    let time = |stamp: &Option<prost_types::Timestamp>| {
        stamp.as_ref().filter(|stamp| stamp.seconds > 0).map(wire::micros)
    };
    let status = RuntimeStatus::from_number(state.workflow_status);
    WorkflowState {
        status,
        created_at: time(&state.created_timestamp).unwrap_or(Micros(0)),
        last_updated_at: time(&state.last_updated_timestamp).unwrap_or(Micros(0)),
        started_at: time(&state.started_at),
        completed_at: time(&state.completed_timestamp),
        start_at: time(&state.scheduled_start_timestamp),
        failure: state.failure_details.as_ref().map(Failure::from),
        reason: (status == RuntimeStatus::Stalled)
            .then(|| "the runtime says that it is stalled; its history tells why".to_owned()),
        instance_id: state.instance_id,
        execution_id: state.execution_id,
        name: state.name,
        version: state.version.filter(|version| !version.is_empty()),
        input: state.input,
        output: state.output,
        custom_status: state.custom_status.filter(|status| !status.is_empty()),
        parent_instance_id: state.parent_instance_id,
        tags: state.tags,
    }
}
