//! The methods of the task hub service.

use std::sync::Arc;

use bytes::Bytes;
use prost::Message;
use tonic::{Code, Status};
use uuid::Uuid;

use super::hub::Hub;
use super::instance::{Instance, news};
use super::items::History;
use super::state::State;
use crate::history::wire;
use crate::history::wire::history_event::EventType;
use crate::model::RuntimeStatus;

type Answer = Result<Bytes, Status>;

/// Does what a call asks for.
pub(super) async fn run(hub: &Arc<Hub>, method: &str, message: Bytes) -> Answer {
    match method {
        "Hello" => Ok(Bytes::new()),
        "StartInstance" => start(hub, read(message)?).await,
        "GetInstance" => {
            let request: wire::GetInstanceRequest = read(message)?;
            Ok(found(&hub.lock(), &request.instance_id, request.get_inputs_and_outputs))
        }
        "WaitForInstanceStart" => wait(hub, read(message)?, |status| status != RuntimeStatus::Pending).await,
        "WaitForInstanceCompletion" => wait(hub, read(message)?, RuntimeStatus::is_terminal).await,
        "RaiseEvent" => {
            let request: wire::RaiseEventRequest = read(message)?;
            let raised = wire::EventRaisedEvent { name: request.name, input: request.input };
            deliver(hub, &request.instance_id, EventType::EventRaised(raised))
        }
        "TerminateInstance" => {
            let request: wire::TerminateRequest = read(message)?;
            let terminated =
                wire::ExecutionTerminatedEvent { input: request.output, recurse: request.recursive };
            deliver(hub, &request.instance_id, EventType::ExecutionTerminated(terminated))?;
            until(hub, &request.instance_id, RuntimeStatus::is_terminal).await
        }
        "SuspendInstance" => {
            let request: wire::SuspendRequest = read(message)?;
            let suspended = wire::ExecutionSuspendedEvent { input: request.reason };
            deliver(hub, &request.instance_id, EventType::ExecutionSuspended(suspended))?;
            let done = |status: RuntimeStatus| status == RuntimeStatus::Suspended || status.is_terminal();
            until(hub, &request.instance_id, done).await
        }
        "ResumeInstance" => {
            let request: wire::ResumeRequest = read(message)?;
            let resumed = wire::ExecutionResumedEvent { input: request.reason };
            deliver(hub, &request.instance_id, EventType::ExecutionResumed(resumed))?;
            let done = |status: RuntimeStatus| status == RuntimeStatus::Running || status.is_terminal();
            until(hub, &request.instance_id, done).await
        }
        "GetInstanceHistory" => {
            let request: wire::GetInstanceHistoryRequest = read(message)?;
            let state = hub.lock();
            let id = &request.instance_id;
            let found = state.instances.get(id);
            let missing = || Status::not_found(format!("workflow instance '{id}' not found"));
            let past = &found.ok_or_else(missing)?.past;
            Ok(written(&History::of(past, state.runtime.of_tomorrow)))
        }
        "ListInstanceIDs" => {
            let ids = hub.lock().instances.keys().cloned().collect();
            Ok(written(&wire::ListInstanceIDsResponse { instance_ids: ids, continuation_token: None }))
        }
        "CompleteActivityTask" => {
            let response = read(message)?;
            hub.change(|state| state.complete_activity(response));
            Ok(Bytes::new())
        }
        "CompleteWorkflowTask" | "CompleteOrchestratorTask" => {
            let response = read(message)?;
            hub.change(|state| state.complete_turn(response));
            Ok(Bytes::new())
        }
        _ => Err(unknown(&hub.lock())),
    }
}

/// Whether the runtime has the method.
pub(super) fn has(state: &State, method: &str) -> bool {
    match method {
        "CompleteWorkflowTask" => state.runtime.complete_workflow_task,
        "CompleteOrchestratorTask" => state.runtime.complete_orchestrator_task,
        _ => true,
    }
}

pub(super) fn unknown(state: &State) -> Status {
    let (code, text) = state.runtime.unknown_method;
    Status::new(code, text)
}

fn read<M: Message + Default>(message: Bytes) -> Result<M, Status> {
    M::decode(message).map_err(|error| Status::new(Code::Internal, error.to_string()))
}

fn written(message: &impl Message) -> Bytes {
    message.encode_to_vec().into()
}

fn found(state: &State, id: &str, payloads: bool) -> Bytes {
    let found = state.instances.get(id).map(|instance| instance.state(payloads));
    written(&wire::GetInstanceResponse { exists: found.is_some(), workflow_state: found })
}

/// A start is answered when a worker has run the first turn, unless it is delayed.
async fn start(hub: &Arc<Hub>, request: wire::CreateInstanceRequest) -> Answer {
    let id = if request.instance_id.is_empty() { Uuid::new_v4().to_string() } else { request.instance_id };
    let at = request.scheduled_start_timestamp.as_ref().map(wire::micros);
    hub.change(|state| state.create(Instance::new(&id, &request.name, request.input, at)))?;
    if at.is_none() {
        until(hub, &id, |status| status != RuntimeStatus::Pending).await?;
    }
    Ok(written(&wire::CreateInstanceResponse { instance_id: id }))
}

async fn wait(
    hub: &Arc<Hub>,
    request: wire::GetInstanceRequest,
    done: impl Fn(RuntimeStatus) -> bool,
) -> Answer {
    until(hub, &request.instance_id, done).await?;
    Ok(found(&hub.lock(), &request.instance_id, request.get_inputs_and_outputs))
}

async fn until(hub: &Arc<Hub>, id: &str, done: impl Fn(RuntimeStatus) -> bool) -> Answer {
    hub.when(|state| state.instances.get(id).filter(|instance| done(instance.status())).map(drop)).await;
    Ok(Bytes::new())
}

fn deliver(hub: &Arc<Hub>, id: &str, event_type: EventType) -> Answer {
    hub.change(|state| {
        if state.instances.get(id).is_some_and(|instance| instance.stalled) {
            let text = format!("failed to invoke method for workflow '{id}': actor is stalled");
            return Err(Status::unknown(text));
        }
        match state.deliver(id, news(event_type)) {
            true => Ok(Bytes::new()),
            false => Err(Status::unknown("no such instance exists")),
        }
    })
}
