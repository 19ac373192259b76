//! What everstep adds to events, and events of tomorrow: bytes put together by hand, field by field, from the
//! definitions, so that this library's encoder has no part in them.

use everstep::history::{Event, HistoryEvent, Stall, TimerOrigin, record, wire};
use everstep::model::RuntimeStatus;
use prost::Message;
use serde_json::Value;

use crate::expect::{micros, object, text_of};
use crate::vectors::{base64, items, read, text};

fn expected(row: &Value) -> HistoryEvent {
    let mut view = HistoryEvent::default();
    for (field, value) in object(row) {
        let string = || Some(text(value).to_owned());
        let number = || i32::try_from(value.as_i64().unwrap()).unwrap();
        let numbers =
            || items(value).iter().map(|item| i32::try_from(item.as_i64().unwrap()).unwrap()).collect();
        match field.as_str() {
            "kind" => view.kind = Box::leak(text(value).to_owned().into_boxed_str()),
            "event_id" => view.event_id = number(),
            "timestamp" => view.timestamp = Some(micros(value)),
            "source_app_id" => view.source_app_id = string(),
            "task_id" => view.task_id = Some(number()),
            "name" => view.name = string(),
            "input" => view.input = string(),
            "instance_id" => view.instance_id = string(),
            "task_execution_id" => view.task_execution_id = string(),
            "status" => view.status = Some(RuntimeStatus::Unknown(number())),
            "fire_at" => view.fire_at = Some(micros(value)),
            "external_event" => view.origin = string().map(TimerOrigin::ExternalEvent),
            "stalled_reason" => {
                view.stalled_reason = Some(Box::leak(text(value).to_owned().into_boxed_str()));
            }
            "description" => view.description = string(),
            "stall" => view.stall = Some(stall(value)),
            "rerun_of" => view.rerun_of = string(),
            "detached" => view.detached = value.as_bool().unwrap(),
            "call" => view.call = value.as_u64().and_then(|call| u32::try_from(call).ok()),
            "attempt" => view.attempt = Some(number()),
            "timeout_millis" => view.timeout_millis = value.as_i64(),
            "custom_status" => view.custom_status = string(),
            "clears_custom_status" => view.clears_custom_status = value.as_bool().unwrap(),
            "cancelled_timers" => view.cancelled_timers = numbers(),
            "cancelled_tasks" => view.cancelled_tasks = numbers(),
            "tags" => {
                let tags = object(value).iter().map(|(key, value)| (key.clone(), text(value).to_owned()));
                view.tags = tags.collect();
            }
            _ => panic!("the test does not know {field}"),
        }
    }
    view
}

fn stall(value: &Value) -> Stall {
    Stall {
        code: text(&value["code"]).to_owned(),
        message: text(&value["message"]).to_owned(),
        stack: text_of(value, "stack"),
        event_index: i32::try_from(value["event_index"].as_i64().unwrap()).unwrap(),
    }
}

#[test]
fn every_event_reads_as_expected() {
    let vectors = read("own.json");
    assert!(items(&vectors["vectors"]).len() >= 20);
    for vector in items(&vectors["vectors"]) {
        let event = Event::decode(base64(&vector["event_b64"])).unwrap();
        assert_eq!(HistoryEvent::from(&event), expected(&vector["expect"]), "{}", vector["name"]);
    }
}

#[test]
fn every_event_is_stored_as_it_came() {
    let vectors = read("own.json");
    let bytes: Vec<_> =
        items(&vectors["vectors"]).iter().map(|vector| base64(&vector["event_b64"])).collect();
    let events: Vec<_> = bytes.iter().map(|bytes| Event::decode(bytes.clone()).unwrap()).collect();
    let back = record::unframe(&record::frame(&events)).unwrap();
    assert_eq!(back.iter().map(|event| event.bytes().clone()).collect::<Vec<_>>(), bytes);
}

#[test]
fn our_encoder_writes_the_canonical_bytes_and_would_lose_the_others() {
    for vector in items(&read("own.json")["vectors"]) {
        let bytes = base64(&vector["event_b64"]);
        let message = wire::HistoryEvent::decode(bytes.clone()).unwrap();
        let same = message.encode_to_vec() == bytes;
        assert_eq!(Some(same), vector["canonical"].as_bool(), "{}", vector["name"]);
    }
}

#[test]
fn an_action_carries_the_same_data_in_the_same_field() {
    let own = wire::OwnData { attempt: 3, call: 9, detached: true, ..wire::OwnData::default() };
    let action =
        wire::WorkflowAction { id: 4, own: Some(Box::new(own.clone())), ..wire::WorkflowAction::default() };
    // id 4, then field 15001 of six bytes: attempt 3, call 9, detached.
    assert_eq!(action.encode_to_vec(), b"\x08\x04\xca\xa9\x07\x06\x08\x03\x48\x09\x58\x01");
    let event = wire::HistoryEvent { event_id: 4, own: Some(Box::new(own)), ..wire::HistoryEvent::default() };
    assert_eq!(event.encode_to_vec(), action.encode_to_vec());
}
