//! The framing of a stored turn: its events, each with its length before it.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use prost::encoding::{decode_varint, encode_varint, encoded_len_varint};

use super::Event;
use crate::error::{Error, ErrorKind, Result};

/// The record of a turn.
pub fn frame(events: &[Event]) -> Bytes {
    let len = |event: &Event| event.bytes().len() + encoded_len_varint(event.bytes().len() as u64);
    let mut out = BytesMut::with_capacity(events.iter().map(len).sum());
    for event in events {
        encode_varint(event.bytes().len() as u64, &mut out);
        out.put_slice(event.bytes());
    }
    out.freeze()
}

/// The events of a record. They share its memory.
///
/// # Errors
/// `store_corrupt` if a length or an event cannot be read.
pub fn unframe(data: &Bytes) -> Result<Vec<Event>> {
    let mut rest = data.clone();
    let mut events = Vec::new();
    while rest.has_remaining() {
        let len = decode_varint(&mut rest).map_err(|error| corrupt().with_source(error))?;
        let len = usize::try_from(len).ok().filter(|len| *len <= rest.len()).ok_or_else(corrupt)?;
        events.push(Event::decode(rest.split_to(len))?);
    }
    Ok(events)
}

fn corrupt() -> Error {
    Error::new(ErrorKind::StoreCorrupt, "the record of a turn is cut off or damaged")
}
