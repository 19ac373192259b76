//! Waits, which survive that the sidecar goes and comes back.

use std::time::Duration;

use super::super::again::{Bearing, Until};
use super::{DaprGrpc, found};
use crate::error::{ErrorKind, Result};
use crate::history::wire;
use crate::model::WorkflowState;

/// A wait is asked for again after this, so that an instance that stalled is noticed, and one that is gone.
const CHUNK: Duration = Duration::from_secs(10);

impl DaprGrpc {
    /// Waits until the state is as wanted, by a method that answers when it may be.
    pub(super) async fn wait(
        &self,
        method: &'static str,
        id: &str,
        until: Until,
        wanted: fn(&WorkflowState) -> bool,
    ) -> Result<WorkflowState> {
        let mut bearing = Bearing::default();
        loop {
            // A wait for an instance that is missing, or stalled, would hang: its state is asked for first.
            match until.limit(self.state(id)).await {
                Ok(state) if wanted(&state) => return Ok(state),
                Ok(_) => bearing.answered(),
                Err(error) => {
                    bearing.bear(error, until).await?;
                    continue;
                }
            }
            until.check()?;
            match self.chunk(method, id, until).await {
                Ok(state) if wanted(&state) => return Ok(state),
                Ok(_) => {}
                // The chunk is over, or so it seems: the state tells.
                Err(error) if error.kind() == ErrorKind::Timeout => {}
                Err(error) => bearing.bear(error, until).await?,
            }
        }
    }

    async fn chunk(&self, method: &'static str, id: &str, until: Until) -> Result<WorkflowState> {
        let request = wire::GetInstanceRequest {
            instance_id: id.to_owned(),
            get_inputs_and_outputs: true,
            router: None,
        };
        let chunk = until.left().map_or(CHUNK, |left| CHUNK.min(left));
        let answer = self.channel.once(method, request, chunk).await;
        found(answer.map_err(|failed| self.error(&failed, method))?)
    }
}
