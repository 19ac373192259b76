//! Damaged records: a typed error or a readable event, never a panic.

use bytes::{BufMut, Bytes, BytesMut};
use everstep::ErrorKind;
use everstep::history::{Event, decode, record};
use proptest::prelude::*;

use crate::recorded::raw_events;
use crate::vectors::{base64, cases};

/// The recorded histories as stored turns.
fn records() -> Vec<Bytes> {
    let mut records = Vec::new();
    for case in cases() {
        let raw = raw_events(base64(&case.data["history_b64"]));
        let events: Vec<_> = raw.into_iter().map(|bytes| Event::decode(bytes).unwrap()).collect();
        records.push(record::frame(&events));
    }
    records
}

fn read(record: &Bytes) -> Result<usize, ErrorKind> {
    match record::unframe(record) {
        Ok(events) => Ok(decode(&events).len()),
        Err(error) => Err(error.kind()),
    }
}

#[test]
fn a_record_cut_anywhere_is_corrupt_or_ends_with_a_whole_event() {
    for record in records().into_iter().step_by(10) {
        let whole = read(&record).unwrap();
        for length in 0..record.len() {
            match read(&record.slice(..length)) {
                Ok(events) => assert!(events < whole),
                Err(kind) => assert_eq!(kind, ErrorKind::StoreCorrupt),
            }
        }
    }
}

#[test]
fn what_is_no_event_is_corrupt() {
    for bytes in [
        &b"\x80"[..],
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\x02\x00\x00",
        b"\x01\x08",
        b"\x04\x1a\x02\x0a\x05",
        b"\x06\x1a\x04\x0a\x02\xff\xfe",
    ] {
        assert_eq!(read(&Bytes::from_static(bytes)), Err(ErrorKind::StoreCorrupt), "{bytes:x?}");
    }
}

fn put(field: u8, body: &[u8]) -> BytesMut {
    let mut bytes = BytesMut::new();
    bytes.put_u8(field << 3 | 2);
    prost::encoding::encode_varint(body.len() as u64, &mut bytes);
    bytes.extend_from_slice(body);
    bytes
}

/// A failed activity whose failure has this many causes.
fn failed(causes: usize) -> Bytes {
    let failure = (0..causes).fold(BytesMut::new(), |failure, _| put(4, &failure));
    put(8, &put(2, &failure)).freeze()
}

#[test]
fn nesting_without_end_is_corrupt() {
    let event = Event::decode(failed(64)).unwrap();
    assert_eq!(event.kind(), "TaskFailed");
    assert_eq!(Event::decode(failed(1000)).unwrap_err().kind(), ErrorKind::StoreCorrupt);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Err(kind) = read(&Bytes::from(bytes)) {
            prop_assert_eq!(kind, ErrorKind::StoreCorrupt);
        }
    }

    #[test]
    fn changed_bytes_never_panic(changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..8)) {
        for record in records().into_iter().step_by(7) {
            let mut bytes = record.to_vec();
            for (place, value) in &changes {
                let length = bytes.len();
                bytes[place % length] = *value;
            }
            if let Err(kind) = read(&Bytes::from(bytes)) {
                prop_assert_eq!(kind, ErrorKind::StoreCorrupt);
            }
        }
    }
}
