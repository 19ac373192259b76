//! Activities that the worker answers by itself: events that a workflow sends, and workflows that it starts beside itself.
//!
//! Both happen at least once. A start looks first whether its instance is there, since Dapr would wipe one that has ended and run
//! it again.

use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::hub::Hub;
use crate::component::dapr::{Failed, error_of, pause};
use crate::engine::task::{ActivityKey, ActivityResult};
use crate::error::{Error, ErrorKind};
use crate::history::wire;
use crate::model::{Failure, Payload};
use crate::worker::replay::dialect::{SEND_EVENT, START_WORKFLOW, SendEvent, StartWorkflow};

/// How often an errand is tried before its failure counts.
const ATTEMPTS: u32 = 6;
/// How long the runtime may take for one. It answers a start once the workflow has begun.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whether the worker answers an activity of this name by itself.
pub(super) fn is_errand(name: &str) -> bool {
    name == SEND_EVENT || name == START_WORKFLOW
}

impl Hub {
    /// Does an errand in the background.
    pub(super) fn run_errand(self: &Arc<Hub>, key: ActivityKey, name: String, input: Payload) {
        let hub = self.clone();
        self.spawn(async move {
            let result = match name.as_str() {
                SEND_EVENT => hub.send_event(input).await,
                _ => hub.start_workflow(input).await,
            };
            hub.activity_ended(key, result);
        });
    }

    async fn send_event(&self, input: Payload) -> ActivityResult {
        let SendEvent { instance_id, event_name, data } = read(&input)?;
        let request =
            wire::RaiseEventRequest { instance_id, name: event_name, input: data, ..Default::default() };
        match self.insist::<_, wire::RaiseEventResponse>("/TaskHubSidecarService/RaiseEvent", request).await {
            // As on the embedded engine: an event for nobody is no error of the sender.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            answer => answer.map(|_| None).map_err(|error| failure(&error)),
        }
    }

    async fn start_workflow(&self, input: Payload) -> ActivityResult {
        let StartWorkflow { instance_id, name, version, input } = read(&input)?;
        for attempt in 1.. {
            let request = wire::GetInstanceRequest { instance_id: instance_id.clone(), ..Default::default() };
            let found: wire::GetInstanceResponse = self
                .insist("/TaskHubSidecarService/GetInstance", request)
                .await
                .map_err(|error| failure(&error))?;
            if found.exists {
                return Ok(None);
            }
            let request = wire::CreateInstanceRequest {
                instance_id: instance_id.clone(),
                name: name.clone(),
                version: version.clone(),
                input: input.clone(),
                ..Default::default()
            };
            let started = self.channel.once::<_, wire::CreateInstanceResponse>(
                "/TaskHubSidecarService/StartInstance",
                request,
                PATIENCE,
            );
            let Err(failed) = started.await else { return Ok(None) };
            let error = error_of(&failed, &self.endpoint);
            if error.kind() == ErrorKind::AlreadyExists {
                return Ok(None);
            }
            if attempt >= ATTEMPTS || !is_worth_another(&failed, &error) {
                return Err(failure(&error));
            }
            tokio::time::sleep(pause(attempt)).await;
        }
        Ok(None)
    }

    /// Calls until there is an answer, or an error that stays.
    async fn insist<Q, A>(&self, method: &'static str, request: Q) -> Result<A, Error>
    where
        Q: prost::Message + Clone + 'static,
        A: prost::Message + Default + 'static,
    {
        for attempt in 1.. {
            let failed = match self.channel.once::<Q, A>(method, request.clone(), PATIENCE).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            let error = error_of(&failed, &self.endpoint);
            if attempt >= ATTEMPTS || !is_worth_another(&failed, &error) {
                return Err(error);
            }
            tokio::time::sleep(pause(attempt)).await;
        }
        Err(Error::internal("no attempt is left"))
    }
}

fn is_worth_another(failed: &Failed, error: &Error) -> bool {
    failed.is_outage() || matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Timeout)
}

fn read<T: DeserializeOwned>(input: &Payload) -> Result<T, Failure> {
    serde_json::from_str(input.as_deref().unwrap_or_default())
        .map_err(|_| failure(&Error::new(ErrorKind::DecodeFailed, "the input of the errand cannot be read")))
}

fn failure(error: &Error) -> Failure {
    Failure {
        error_type: error.code().to_owned(),
        message: error.message().to_owned(),
        non_retriable: true,
        ..Failure::default()
    }
}
