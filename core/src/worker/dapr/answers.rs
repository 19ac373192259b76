//! What workers answer, as the wire has it.

use crate::engine::task::TurnResult;
use crate::history::wire::workflow_action::WorkflowActionType as Action;
use crate::history::wire::{self, OrchestrationStatus};
use crate::model::{Failure, Payload};

/// Official workers use this id for an end that no workflow asked for.
const NO_ID: i32 = -1;

/// A turn that was run.
pub(super) fn turn(instance_id: &str, completion_token: &str, result: TurnResult) -> wire::WorkflowResponse {
    wire::WorkflowResponse {
        instance_id: instance_id.to_owned(),
        actions: result.actions,
        custom_status: result.custom_status,
        completion_token: completion_token.to_owned(),
        num_events_processed: None,
        version: result.version,
    }
}

/// A turn that cannot be run. Dapr takes one reason for that only, and keeps the instance until a worker connects anew.
pub(super) fn stalled(instance_id: &str, completion_token: &str) -> wire::WorkflowResponse {
    ending(instance_id, completion_token, Action::WorkflowVersionNotAvailable(Default::default()))
}

/// The end of an instance that was terminated, and whose workflow no worker has.
pub(super) fn terminated(
    instance_id: &str,
    completion_token: &str,
    output: Payload,
) -> wire::WorkflowResponse {
    let complete = wire::CompleteWorkflowAction {
        workflow_status: OrchestrationStatus::Terminated.into(),
        result: output,
        ..Default::default()
    };
    ending(instance_id, completion_token, Action::CompleteWorkflow(complete))
}

/// An end of the instance that its workflow did not ask for.
pub(super) fn failed(instance_id: &str, completion_token: &str, failure: &Failure) -> wire::WorkflowResponse {
    let complete = wire::CompleteWorkflowAction {
        workflow_status: OrchestrationStatus::Failed.into(),
        failure_details: Some(failure.into()),
        ..Default::default()
    };
    ending(instance_id, completion_token, Action::CompleteWorkflow(complete))
}

fn ending(instance_id: &str, completion_token: &str, action: Action) -> wire::WorkflowResponse {
    wire::WorkflowResponse {
        instance_id: instance_id.to_owned(),
        actions: vec![wire::WorkflowAction {
            id: NO_ID,
            workflow_action_type: Some(action),
            ..Default::default()
        }],
        completion_token: completion_token.to_owned(),
        ..Default::default()
    }
}

/// The failure of a workflow that no worker has.
pub(super) fn unknown_workflow(name: &str) -> Failure {
    Failure {
        error_type: "WorkflowNotRegistered".to_owned(),
        message: format!("no connected worker has the workflow {name:?}; register it with a worker"),
        non_retriable: true,
        ..Failure::default()
    }
}

/// The failure of an activity that its workflow does not wait for any more.
pub(super) fn given_up() -> Failure {
    Failure {
        error_type: "ActivityCancelled".to_owned(),
        message: "the workflow does not wait for the activity any more".to_owned(),
        non_retriable: true,
        ..Failure::default()
    }
}

/// The failure of what the runtime does not take because of its size.
pub(super) fn too_large(what: &str) -> Failure {
    Failure {
        error_type: "payload_too_large".to_owned(),
        message: format!(
            "{what} is larger than the messages that the runtime takes; pass a reference instead, or raise its \
             --max-body-size"
        ),
        non_retriable: true,
        ..Failure::default()
    }
}
