//! The recorded cases against what this library reads in them.

use bytes::{Buf, Bytes};
use everstep::history::{Event, HistoryEvent, decode, record, wire};
use prost::Message;
use prost::encoding::decode_varint;
use serde_json::Value;

use crate::expect;
use crate::vectors::{Block, base64, cases, instant, items, text};

/// The events of a GetInstanceHistoryResponse as the bytes they came in, cut without a decoder of messages.
pub fn raw_events(mut response: Bytes) -> Vec<Bytes> {
    let mut events = Vec::new();
    while response.has_remaining() {
        assert_eq!(decode_varint(&mut response).unwrap(), 1 << 3 | 2, "field 1 with a length");
        let length = usize::try_from(decode_varint(&mut response).unwrap()).unwrap();
        events.push(response.split_to(length));
    }
    events
}

pub fn events(block: &Block<'_>) -> Vec<Event> {
    let raw = raw_events(base64(&block.data["history_b64"]));
    raw.into_iter().map(|bytes| Event::decode(bytes).unwrap()).collect()
}

/// Decodes, and checks by the length that the schema knows every field: an unknown one would be lost.
fn whole<M: Message + Default>(value: &Value, label: &str) -> M {
    let bytes = base64(value);
    let message = M::decode(bytes.clone()).unwrap_or_else(|error| panic!("{label}: {error}"));
    assert_eq!(message.encoded_len(), bytes.len(), "{label}: a field is unknown to the schema");
    message
}

#[test]
fn there_are_recordings_of_all_four_workers() {
    let cases = cases();
    let count = |language: &str| cases.iter().filter(|case| case.name.starts_with(language)).count();
    assert_eq!(["go/", "java/", "javascript/", "python/"].map(count), [36, 38, 30, 41]);
}

#[test]
fn every_history_reads_as_its_readable_rows() {
    for case in cases() {
        for block in case.blocks() {
            let rows = items(&block.data["history"]);
            let events = events(&block);
            assert_eq!(events.len(), rows.len(), "{}", block.label);
            for (index, (event, row)) in events.iter().zip(rows).enumerate() {
                let label = format!("{} event {index}", block.label);
                assert_eq!(HistoryEvent::from(event), expect::view(row), "{label}");
                let exact = event.message().timestamp.as_ref();
                assert_eq!(exact, Some(&instant(text(&row["timestamp"]))), "{label}");
                if let Some(fire_at) = row["fields"].get("fireAt") {
                    assert_eq!(fire_at_of(event), Some(instant(text(fire_at))), "{label}");
                }
            }
        }
    }
}

fn fire_at_of(event: &Event) -> Option<prost_types::Timestamp> {
    use wire::history_event::EventType;
    match event.message().event_type.as_ref()? {
        EventType::TimerCreated(created) => created.fire_at,
        EventType::TimerFired(fired) => fired.fire_at,
        _ => None,
    }
}

#[test]
fn the_schema_knows_every_recorded_field() {
    for case in cases() {
        for block in case.blocks() {
            whole::<wire::GetInstanceHistoryResponse>(&block.data["history_b64"], &block.label);
        }
        for item in items(&case.data["work_items_b64"]) {
            whole::<wire::WorkItem>(item, &case.name);
        }
    }
}

#[test]
fn a_stored_turn_gives_back_the_bytes_of_every_event() {
    for case in cases() {
        for block in case.blocks() {
            let raw = raw_events(base64(&block.data["history_b64"]));
            let stored = record::frame(&events(&block));
            let back = record::unframe(&stored).unwrap();
            let back: Vec<_> = back.iter().map(|event| event.bytes().clone()).collect();
            assert_eq!(back, raw, "{}", block.label);
        }
    }
}

#[test]
fn every_answer_finds_what_it_answers() {
    for case in cases() {
        for block in case.blocks() {
            let view = decode(&events(&block));
            for (index, event) in view.iter().enumerate().filter(|(_, event)| event.task_id.is_some()) {
                let question = event.counterpart.unwrap_or_else(|| panic!("{} event {index}", block.label));
                assert!(question < index, "{} event {index}", block.label);
                assert_eq!(Some(view[question].event_id), event.task_id, "{}", block.label);
                assert_eq!(view[question].counterpart, Some(index), "{}", block.label);
                if event.kind.starts_with("Task") {
                    assert_eq!(view[question].task_execution_id, event.task_execution_id, "{}", block.label);
                }
            }
        }
    }
}

#[test]
fn every_state_reads_as_its_readable_form() {
    for case in cases() {
        for block in case.blocks() {
            let response: wire::GetInstanceResponse = whole(&block.data["instance_b64"], &block.label);
            let readable = &block.data["instance"];
            assert_eq!(Some(response.exists), readable["exists"].as_bool(), "{}", block.label);
            let state = response.workflow_state.unwrap();
            assert_eq!(state, expect::state(&readable["workflowState"]), "{}", block.label);
            assert_eq!(
                state.workflow_status,
                expect::status(&block.data["status"]).number(),
                "{}",
                block.label
            );
        }
    }
}

#[test]
fn a_state_before_the_first_turn_is_of_the_year_one() {
    let mut seen = 0;
    for case in cases() {
        for note in case.data.get("notes").map(items).unwrap_or_default() {
            let Some(bytes) = note.get("get_instance_before_start_b64") else { continue };
            let response: wire::GetInstanceResponse = whole(bytes, &case.name);
            let state = response.workflow_state.unwrap();
            assert_eq!(
                state,
                expect::state(&note["get_instance_before_start"]["workflowState"]),
                "{}",
                case.name
            );
            assert_eq!(wire::micros(&state.created_timestamp.unwrap()).0, -62_135_596_800_000_000);
            seen += 1;
        }
    }
    assert!(seen >= 4, "{seen} delayed starts");
}

#[test]
fn a_rerun_request_reads_as_its_note() {
    let mut seen = 0;
    for case in cases() {
        for note in case.data.get("notes").map(items).unwrap_or_default() {
            let Some(bytes) = note.get("rerun_request_b64") else { continue };
            let request: wire::RerunWorkflowFromEventRequest = whole(bytes, &case.name);
            assert_eq!(request.source_instance_id, text(&note["source_instance_id"]));
            assert_eq!(Some(u64::from(request.event_id)), note["event_id"].as_u64());
            assert_eq!(request.new_instance_id.as_deref(), note["new_instance_id"].as_str());
            seen += 1;
        }
    }
    assert!(seen >= 12, "{seen} reruns");
}
