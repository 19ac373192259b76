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

/// Splits a record into its events, which are slices of it.
///
/// # Errors
/// `store_corrupt` if a length or an event cannot be read; the message names the event's place and byte offset.
pub fn unframe(record: &Bytes) -> Result<Vec<Event>> {
    let mut rest = record.clone();
    let mut events = Vec::new();
    while rest.has_remaining() {
        let offset = record.len() - rest.len();
        let event = split_first(&mut rest).and_then(Event::decode);
        events.push(event.map_err(|error| corrupt(events.len(), offset, error))?);
    }
    Ok(events)
}

fn split_first(rest: &mut Bytes) -> Result<Bytes> {
    let length = decode_varint(rest).map_err(|error| {
        Error::new(ErrorKind::StoreCorrupt, "the length cannot be read").with_source(error)
    })?;
    if length > rest.len() as u64 {
        return Err(Error::new(ErrorKind::StoreCorrupt, "the record ends inside the event"));
    }
    Ok(rest.split_to(usize::try_from(length).expect("it is at most the record's length")))
}

fn corrupt(index: usize, offset: usize, error: Error) -> Error {
    let message = format!("event {index} of the turn, at byte {offset}, is damaged: {}", error.message());
    Error::new(ErrorKind::StoreCorrupt, message).with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::wire::{HistoryEvent, OwnData};

    fn event(id: i32, tag: &str) -> Event {
        let tags = [(tag.to_owned(), tag.repeat(200))].into();
        Event::new(HistoryEvent {
            event_id: id,
            own: Some(Box::new(OwnData { tags, ..OwnData::default() })),
            ..HistoryEvent::default()
        })
    }

    #[test]
    fn a_turn_comes_back_as_slices_of_its_record() {
        let events = [event(1, "a"), Event::new(HistoryEvent::default()), event(-1, "ü")];
        let record = frame(&events);
        let back = unframe(&record).unwrap();
        assert_eq!(back, events);
        let range = record.as_ptr_range();
        assert!(back.iter().all(|event| event.bytes().is_empty() || range.contains(&event.bytes().as_ptr())));
        assert_eq!(frame(&back), record);
        assert_eq!(unframe(&Bytes::new()).unwrap(), []);
    }

    #[test]
    fn a_damaged_record_names_the_event_and_its_place() {
        let events = [event(1, "a"), event(2, "b")];
        let record = frame(&events);
        let second = frame(&events[..1]).len();
        let error = unframe(&record.slice(..record.len() - 1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StoreCorrupt);
        assert_eq!(
            error.message(),
            format!("event 1 of the turn, at byte {second}, is damaged: the record ends inside the event")
        );
    }
}
