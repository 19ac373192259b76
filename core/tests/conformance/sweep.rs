//! What a case leaves behind on a sidecar is taken away, so that the next one finds nothing.

use std::sync::Arc;
use std::time::Duration;

use everstep::history::wire;
use everstep::model::{ListRequest, WorkflowState};
use everstep::runtime::wait_on;
use everstep::testkit::text::TextHost;
use everstep::testkit::workers::Workers;
use everstep::{Client, Result};

use http::uri::PathAndQuery;
use tokio::runtime::{Builder, Runtime};
use tonic::Request;
use tonic::client::Grpc;
use tonic::transport::Endpoint;
use tonic_prost::ProstCodec;

use super::case::Fixtures;
use super::expect::Check;
use super::place::Sidecar;
use super::world::client;

/// How long a round waits for one instance.
const PATIENCE: Duration = Duration::from_secs(10);
/// An instance that was about to begin a child may still do it.
const ROUNDS: usize = 4;

/// A worker between two cases. Dapr ends an instance only while one is connected, and what the case had need not know all
/// that it started; and it takes its time where a sidecar's last worker goes and the first one comes.
pub(crate) struct Keeper {
    client: Client,
    sidecar: Sidecar,
    reactor: Runtime,
    _workers: Workers,
}

impl Keeper {
    pub(crate) fn open(sidecar: &Sidecar, fixtures: &Arc<Fixtures>) -> Result<Keeper> {
        let client = client(&sidecar.grpc(), PATIENCE)?;
        let workers = Workers::open(&client, 1000, || TextHost::new(fixtures.values()))?;
        let reactor =
            Builder::new_current_thread().enable_all().build().expect("the system has a thread's means");
        Ok(Keeper { client, sidecar: sidecar.clone(), reactor, _workers: workers })
    }

    /// Purges all instances, in whatever state they are.
    pub(crate) fn sweep(&self) -> Check {
        let mut left = Vec::new();
        for _ in 0..ROUNDS {
            left = all(&self.client).map_err(|error| format!("the leftovers cannot be listed: {error}"))?;
            if left.is_empty() {
                return Ok(());
            }
            let ids = left.iter().map(|state| state.instance_id.clone()).collect();
            self.reactor
                .block_on(force(&self.sidecar, ids))
                .map_err(|status| format!("no sweep: {status}"))?;
        }
        let named =
            |state: &WorkflowState| format!("{} ({} {})", state.instance_id, state.name, state.status.name());
        let named: Vec<String> = left.iter().map(named).collect();
        Err(format!("these cannot be taken away: {}", named.join(", ")))
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.client.close();
    }
}

fn all(client: &Client) -> Result<Vec<WorkflowState>> {
    let (mut states, mut cursor) = (Vec::new(), None);
    loop {
        let request = ListRequest { limit: Some(1000), cursor, ..ListRequest::default() };
        let page = wait_on(client.list(None, request), Some(PATIENCE))?;
        states.extend(page.states);
        cursor = page.cursor;
        if cursor.is_none() {
            return Ok(states);
        }
    }
}

/// Purges with force, which no client of ours does: Dapr 1.18 dies of it where the instance is missing. These are there, and
/// nothing else works on a stalled one.
async fn force(sidecar: &Sidecar, ids: Vec<String>) -> std::result::Result<(), tonic::Status> {
    let lost = |error: tonic::transport::Error| tonic::Status::unavailable(error.to_string());
    let endpoint = Endpoint::from_shared(sidecar.http2()).map_err(lost)?.timeout(PATIENCE);
    let mut sidecar = Grpc::new(endpoint.connect().await.map_err(lost)?);
    for id in ids {
        sidecar.ready().await.map_err(lost)?;
        let request = wire::PurgeInstancesRequest {
            request: Some(wire::purge_instances_request::Request::InstanceId(id)),
            force: Some(true),
            ..Default::default()
        };
        let codec: ProstCodec<_, wire::PurgeInstancesResponse> = ProstCodec::default();
        let path = PathAndQuery::from_static("/TaskHubSidecarService/PurgeInstances");
        sidecar.unary(Request::new(request), path, codec).await?;
    }
    Ok(())
}
