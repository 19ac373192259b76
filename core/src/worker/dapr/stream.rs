//! The stream of work items: opened, read, and opened again when it is lost.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use super::hub::Hub;
use super::items::WorkItem;
use crate::bridge::Level;
use crate::component::dapr::{Failed, Metadata, MetadataAnswer, error_of, pause};
use crate::error::ErrorKind;
use crate::history::wire;

const GET_WORK_ITEMS: &str = "/TaskHubSidecarService/GetWorkItems";
const HELLO: &str = "/TaskHubSidecarService/Hello";
const METADATA: &str = "/dapr.proto.runtime.v1.Dapr/GetMetadata";
const PROBE: Duration = Duration::from_secs(5);
/// A runtime that has not said by then where workflows run does not say it.
const SILENT: Duration = Duration::from_secs(1);
/// A sidecar that answers and counts no worker for so long does not come round by itself.
const STUCK: Duration = Duration::from_secs(15);
/// A stream that lasted so long was a good one: what follows is the first attempt again.
const GOOD: Duration = Duration::from_secs(10);

/// Keeps the stream open until the hub closes.
pub(super) async fn keep(hub: Arc<Hub>) {
    let mut attempt = 0;
    while !hub.is_closed() {
        if attempt > 0 {
            tokio::time::sleep(pause(attempt)).await;
        }
        let (number, cancelled) = hub.opening();
        let began = Instant::now();
        let probe = hub.channel.reactor().spawn(probe(hub.clone(), number));
        let ended = either(read(&hub, number), cancelled).await;
        probe.abort();
        hub.lost(number);
        hub.disconnected(ended.as_ref());
        attempt = if began.elapsed() >= GOOD { 1 } else { attempt.saturating_add(1) };
    }
}

/// Reads until the stream ends; gives why.
async fn read(hub: &Arc<Hub>, number: u64) -> Failed {
    let capabilities = [wire::WorkerCapability::HealthPing, wire::WorkerCapability::StatefulHistory];
    let request = wire::GetWorkItemsRequest { capabilities: capabilities.map(i32::from).to_vec() };
    let mut items = match hub.channel.stream::<_, WorkItem>(GET_WORK_ITEMS, request).await {
        Ok(items) => items,
        Err(failed) => return failed,
    };
    let mut first = true;
    loop {
        match items.message().await {
            Ok(Some(item)) => {
                if std::mem::take(&mut first) {
                    hub.connected(number);
                }
                hub.receive(number, item);
            }
            Ok(None) => return Failed::Status(tonic::Status::unavailable("the stream has ended")),
            Err(status) => return Failed::Status(status),
        }
    }
}

/// Dapr 1.18 answers the call with the first work item only. Whether the stream stands is told by another call: the runtime counts
/// the workers that are connected. One that does not is asked whether it is there at all.
async fn probe(hub: Arc<Hub>, number: u64) {
    let (began, mut said) = (Instant::now(), false);
    for attempt in 1.. {
        let hello = hub.channel.once::<(), ()>(HELLO, (), PROBE).await;
        if hello.is_ok() {
            let asked = hub.channel.once::<_, MetadataAnswer>(METADATA, (), PROBE).await;
            match asked.map(|answer| Metadata::from(answer).is_ready(began.elapsed() >= SILENT)) {
                Ok(true) => return hub.connected(number),
                // It does not say, or is not allowed to.
                Err(failed) if is_mute(error_of(&failed, &hub.endpoint).kind()) => {
                    return hub.connected(number);
                }
                Ok(false) if began.elapsed() >= STUCK && !std::mem::replace(&mut said, true) => {
                    hub.notice(Level::Warning, stuck(&hub.endpoint));
                }
                _ => {}
            }
        }
        tokio::time::sleep(pause(attempt)).await;
    }
}

/// Dapr 1.18 can lock itself up when it loses its only worker while that one's turns are on their way.
fn stuck(endpoint: &str) -> String {
    format!(
        "the sidecar at {endpoint} answers, but has not taken this worker for {} s; if it lost a worker in mid-work before, restart \
         the sidecar: Dapr 1.18 can lock itself up then",
        STUCK.as_secs()
    )
}

fn is_mute(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotImplemented | ErrorKind::PermissionDenied)
}

/// The first of the two that ends; nothing if it is the second.
async fn either<T>(first: impl Future<Output = T>, second: impl Future) -> Option<T> {
    let (mut first, mut second) = (pin!(first), pin!(second));
    std::future::poll_fn(|context| {
        if let Poll::Ready(value) = first.as_mut().poll(context) {
            return Poll::Ready(Some(value));
        }
        second.as_mut().poll(context).map(|_| None)
    })
    .await
}
