//! Starting, which must not happen twice.

use super::super::errors::dropped;
use super::super::lost::{Landed, landed};
use super::super::metadata::late;
use super::{DaprGrpc, Failed};
use crate::error::{Error, ErrorKind, Result};
use crate::history::wire;
use crate::model::{Micros, Reuse, StartRequest, Started};

const METHOD: &str = method!("StartInstance");

impl DaprGrpc {
    /// Starts an instance. If the connection breaks, it is looked up before anything is sent again.
    pub(super) async fn start_once(&self, request: StartRequest) -> Result<Started> {
        self.check_start(&request).await?;
        let id = request.instance_id.unwrap_or_default();
        let create = wire::CreateInstanceRequest {
            instance_id: id.clone(),
            name: request.name,
            input: request.input,
            scheduled_start_timestamp: request.start_at.map(wire::timestamp),
            enforce_unique_instance_id: request.reuse == Reuse::Never,
            ..Default::default()
        };
        let began = Micros::now();
        let failed = match self.create(create.clone()).await {
            Ok(answer) => return Ok(answer),
            Err(failed) => failed,
        };
        if !failed.is_outage() || matches!(failed, Failed::Unsent(_)) {
            let error = self.start_error(&failed).await;
            return self.stalled_at_once(id, began, error).await;
        }
        let again = match landed(|| self.state(&id), began).await {
            Landed::Yes => return Ok(started(id)),
            // A start that the sidecar refuses where the ID was ever used cannot happen twice.
            Landed::Unclear => request.reuse == Reuse::Never,
            Landed::No => true,
        };
        if !again {
            return Err(self.error(&failed, METHOD));
        }
        let failed = match self.create(create).await {
            Ok(answer) => return Ok(answer),
            Err(failed) => failed,
        };
        let error = self.start_error(&failed).await;
        // The first attempt may have been under way all the time.
        if error.kind() == ErrorKind::AlreadyExists && landed(|| self.state(&id), began).await == Landed::Yes
        {
            return Ok(started(id));
        }
        Err(error)
    }

    async fn create(&self, request: wire::CreateInstanceRequest) -> std::result::Result<Started, Failed> {
        let answer: wire::CreateInstanceResponse = self.channel.unary(METHOD, request, self.timeout).await?;
        Ok(started(answer.instance_id))
    }

    /// What the runtime would drop without a word is refused before it is sent.
    async fn check_start(&self, request: &StartRequest) -> Result<()> {
        if let Some(error) = dropped(request) {
            return Err(error);
        }
        if request.reuse != Reuse::Never {
            return Ok(());
        }
        // An older runtime ignores the request and replaces a finished instance; only its version tells. It is asked each
        // time: the sidecar may have been replaced by an older one.
        match self.metadata().await {
            Some(metadata) if metadata.is_at_least(1, 19) => Ok(()),
            found => {
                let version = found.unwrap_or_default().version;
                let message = format!(
                    "reuse=\"never\" takes a Dapr runtime of 1.19 or later, and this one says that it is {version:?}"
                );
                Err(Error::new(ErrorKind::NotImplemented, message))
            }
        }
    }

    /// Dapr answers a start once the first turn has run. One whose first turn stalls is a start all the same.
    pub(super) async fn stalled_at_once(&self, id: String, began: Micros, error: Error) -> Result<Started> {
        if error.kind() == ErrorKind::WorkflowStalled
            && landed(|| self.state(&id), began).await == Landed::Yes
        {
            return Ok(started(id));
        }
        Err(error)
    }

    async fn start_error(&self, failed: &Failed) -> Error {
        let error = self.error(failed, METHOD);
        if error.kind() != ErrorKind::Timeout {
            return error;
        }
        late(self.metadata().await.as_ref(), error)
    }
}

fn started(instance_id: String) -> Started {
    Started { instance_id, execution_id: None }
}
