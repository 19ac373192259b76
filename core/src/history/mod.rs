//! The record of an instance: Dapr's history events, kept as the bytes that came in.
//!
//! A decoder of today drops the fields of tomorrow, so an event is never encoded again: what was received or first
//! written is what is stored and sent.

use std::sync::Arc;

use bytes::Bytes;
use prost::Message;

use crate::error::{Error, ErrorKind, Result};
use crate::model::Micros;

mod event;
mod fields;
mod kind;
mod links;
mod mermaid;
pub mod record;
mod tree;
pub mod wire;

pub use event::{HistoryEvent, Parent, Stall, TimerOrigin, TimerUse, decode};
pub use mermaid::{DiagramOptions, mermaid};
pub use tree::HistoryTree;

/// One event of a history: its bytes and what they decode to. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Event(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    bytes: Bytes,
    message: wire::HistoryEvent,
}

impl Event {
    /// An event made here; this is the one time that it is encoded.
    pub fn new(message: wire::HistoryEvent) -> Event {
        let bytes = Bytes::from(message.encode_to_vec());
        Event(Arc::new(Inner { bytes, message }))
    }

    /// An event that was received or stored.
    ///
    /// # Errors
    /// `store_corrupt` if the bytes are not an event.
    pub fn decode(bytes: Bytes) -> Result<Event> {
        let message = wire::HistoryEvent::decode(bytes.clone()).map_err(|error| {
            Error::new(ErrorKind::StoreCorrupt, "a history event cannot be decoded").with_source(error)
        })?;
        Ok(Event(Arc::new(Inner { bytes, message })))
    }

    /// The event with more of own data. What is there stays byte for byte: a decoder joins the two, and of what both
    /// have it takes the latter.
    ///
    /// # Errors
    /// `store_corrupt` as [`Event::decode`].
    pub fn with_own(&self, own: wire::OwnData) -> Result<Event> {
        let more = wire::HistoryEvent { own: Some(Box::new(own)), ..Default::default() };
        let mut bytes = Vec::with_capacity(self.bytes().len() + more.encoded_len());
        bytes.extend_from_slice(self.bytes());
        more.encode(&mut bytes).expect("a vector grows");
        Event::decode(Bytes::from(bytes))
    }

    /// Its bytes, as they came in.
    pub fn bytes(&self) -> &Bytes {
        &self.0.bytes
    }

    /// What they decode to.
    pub fn message(&self) -> &wire::HistoryEvent {
        &self.0.message
    }

    /// When it happened.
    pub fn timestamp(&self) -> Micros {
        self.message().timestamp.as_ref().map(wire::micros).unwrap_or_default()
    }
}

/// Two events are equal when they decode to the same; bytes are never compared.
impl PartialEq for Event {
    fn eq(&self, other: &Event) -> bool {
        self.message() == other.message()
    }
}
