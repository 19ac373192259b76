//! Turns that come without the beginning of their history: a runtime leaves out what it has sent before on the stream, whatever
//! the worker has kept of it.

use std::sync::Arc;

use bytes::Bytes;
use prost::Message;

use super::hub::Hub;
use super::items::Unreadable;
use super::runs::Delivery;
use super::send::{HISTORY, PATIENCE};
use crate::history::wire;

/// The answer with a history; the events as they came.
#[derive(Clone, PartialEq, Message)]
struct RawHistory {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    events: Vec<Bytes>,
}

impl Hub {
    /// Hands a turn out once its whole history is there. Where that cannot be had the stream is dropped: on another one the
    /// runtime sends everything.
    pub(super) fn complete(self: &Arc<Hub>, delivery: Delivery) {
        let hub = self.clone();
        self.channel.reactor().clone().spawn(async move {
            let request = wire::GetInstanceHistoryRequest { instance_id: delivery.item.instance_id.clone() };
            let answer = hub.channel.once::<_, RawHistory>(HISTORY, request, PATIENCE).await;
            let whole = answer.map_err(|_| Unreadable).and_then(|past| delivery.item.with_past(&past.events));
            let stream = delivery.stream;
            let handed_out = whole.and_then(|item| {
                let mut inner = hub.lock();
                if !inner.is_live(stream) {
                    return Ok(());
                }
                hub.hand_out(&mut inner, Delivery { item: Arc::new(item), ..delivery })
            });
            match handed_out {
                Ok(()) => hub.look(),
                Err(Unreadable) => hub.drop_stream(stream),
            }
        });
    }
}
