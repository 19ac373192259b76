//! Everything that reads what others wrote, as functions of bytes: for `fuzz/` and for the test that runs them over its corpus.
//! None may panic, and none may take more memory than its input allows.

use bytes::Bytes;
use prost::Message;
use serde_json::{Value, json};

use super::host::Host;
use crate::bridge::{OpenRequest, read_completion};
use crate::component::dapr::probe;
use crate::history::wire::history_event::EventType;
use crate::history::{DiagramOptions, Event, HistoryTree, decode, mermaid, record, wire};
use crate::options::{Endpoint, Environment, resolve};
pub use crate::worker::dapr::probe::{Lazy, read as read_lazily};
use crate::worker::replay::{Next, Replay};

/// A reader.
pub struct Target {
    /// Its name, and that of its folder in the corpus.
    pub name: &'static str,
    /// Reads bytes and forgets what they say.
    pub run: fn(&[u8]),
}

/// Every reader.
pub const TARGETS: [Target; 14] = [
    Target { name: "answers", run: answers },
    Target { name: "completion", run: completion },
    Target { name: "endpoint", run: endpoint },
    Target { name: "error_grpc", run: error_grpc },
    Target { name: "error_http", run: error_http },
    Target { name: "history", run: history },
    Target { name: "metadata", run: metadata },
    Target { name: "open", run: open },
    Target { name: "pem", run: pem },
    Target { name: "record", run: stored },
    Target { name: "replay", run: replay },
    Target { name: "state_grpc", run: state_grpc },
    Target { name: "state_http", run: state_http },
    Target { name: "work_item", run: work_item },
];

/// The events of an answer, or of anything that has them in one field, as they came.
#[derive(Clone, PartialEq, Message)]
struct Events {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    events: Vec<Bytes>,
}

/// An answer with a history: its events, their links and their diagram.
pub fn history(bytes: &[u8]) {
    let Ok(answer) = Events::decode(bytes) else { return };
    let Ok(events) = answer.events.into_iter().map(Event::decode).collect::<Result<Vec<_>, _>>() else {
        return;
    };
    let tree = HistoryTree::new("fuzz", &events);
    let _ = mermaid(&tree, &DiagramOptions::default());
}

/// A stored turn.
pub fn stored(bytes: &[u8]) {
    if let Ok(events) = record::unframe(&Bytes::copy_from_slice(bytes)) {
        let _ = decode(&events);
    }
}

/// A work item, in both forms that it is read in.
pub fn work_item(bytes: &[u8]) {
    let _ = wire::WorkItem::decode(bytes);
    let _ = read_lazily(&Bytes::copy_from_slice(bytes));
}

/// The other answers of the task hub service.
pub fn answers(bytes: &[u8]) {
    let _ = wire::CreateInstanceResponse::decode(bytes);
    let _ = wire::ListInstanceIDsResponse::decode(bytes);
    let _ = wire::PurgeInstancesResponse::decode(bytes);
    let _ = wire::RerunWorkflowFromEventResponse::decode(bytes);
}

/// A turn that is run, with all that its history says: a `WorkflowRequest`.
pub fn replay(bytes: &[u8]) {
    let Ok(request) = wire::WorkflowRequest::decode(bytes) else { return };
    let all = || request.past_events.iter().chain(&request.new_events);
    let start = all().find_map(|event| match event.event_type.as_ref() {
        Some(EventType::ExecutionStarted(started)) => Some(started),
        _ => None,
    });
    let Some(start) = start else { return };
    let mut host = Host::new();
    let version = start.version.as_deref().filter(|version| !version.is_empty());
    for version in [version, None] {
        host.program(&json!({"name": start.name, "version": version, "body": body(&start.name)}));
    }
    let read = |events: &[wire::HistoryEvent]| events.iter().cloned().map(Event::new).collect::<Vec<_>>();
    let mut replay = Replay::new(&request.instance_id);
    if !request.past_events.is_empty() {
        replay.past(read(&request.past_events));
    }
    replay.turn(read(&request.new_events));
    while let Ok(Next::Jobs { jobs, .. }) = replay.next(1 << 16) {
        let Ok(steps) = host.apply("fuzz", "run", &jobs) else { return };
        if replay.apply(steps).is_err() {
            return;
        }
    }
}

/// Functions of the shapes that recorded workflows have; the name of the workflow decides which.
fn body(name: &str) -> Value {
    let retry = json!({"max_attempts": 3, "first_interval_ms": 300, "backoff": 2});
    let activity =
        json!({"activity": "greet", "input": {"$": "input"}, "retry": retry, "timeout_ms": 60_000});
    let event = json!({"event": "go", "timeout_ms": 1000});
    match name.bytes().fold(0_u8, u8::wrapping_add) % 4 {
        0 => {
            json!([{"patch": "patch-ü", "as": "p"}, {"activity": "greet", "as": "x"}, {"event": "go"}, {"return": {"$": "x"}}])
        }
        1 => json!([
            {"each": [1, 2, 3, 4, 5], "item": "i", "do": {"activity": "square", "input": {"$": "i"}}, "as": "p"},
            {"continue_as_new": {"$": "p"}}
        ]),
        2 => json!([
            {"status": "at work"},
            {"try": [{"all": [activity, {"timer": 500}, {"child": "child_echo", "retry": retry}, event]}], "catch": []},
            {"any": [{"event": "ev"}, {"timer": 1000}], "as": "first"}, {"return": {"$": "first"}}
        ]),
        _ => {
            json!([{"activity": "append", "input": {"$": "input"}, "as": "x"}, {"activity": "append", "as": "x"}, {"child": "kid"}])
        }
    }
}

/// The text of an endpoint, as an argument and in Dapr's variables.
pub fn endpoint(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let nothing = Environment::new(|_| None, "/");
    if let Ok(endpoint) = Endpoint::parse(text, &nothing) {
        let again = Endpoint::parse(&endpoint.to_string(), &nothing);
        assert_eq!(
            again.ok(),
            Some(endpoint),
            "an endpoint that was read is written so that it reads the same"
        );
    }
    for name in ["DAPR_GRPC_ENDPOINT", "DAPR_HTTP_ENDPOINT", "DAPR_GRPC_PORT", "DAPR_HTTP_PORT"] {
        let value = text.to_owned();
        let environment = Environment::new(move |asked| (asked == name).then(|| value.clone()), "/");
        let _ = resolve(None, &environment);
    }
}

/// A state over gRPC.
pub fn state_grpc(bytes: &[u8]) {
    let _ = probe::grpc_state(bytes);
}

/// A state over HTTP.
pub fn state_http(bytes: &[u8]) {
    let _ = probe::http_state(bytes);
}

/// An error over HTTP: the status in two bytes, then the body. What the sidecar says is shortened.
pub fn error_http(bytes: &[u8]) {
    let Some((status, body)) = bytes.split_first_chunk::<2>() else { return };
    let error = probe::http_error(u16::from_be_bytes(*status), body);
    assert!(error.message().chars().count() < 1000, "an error's message is short");
}

/// An error over gRPC: code, length of the text, text, details.
pub fn error_grpc(bytes: &[u8]) {
    let [code, length, rest @ ..] = bytes else { return };
    let (text, details) = rest.split_at(rest.len().min(usize::from(*length)));
    let error = probe::grpc_error(*code, &String::from_utf8_lossy(text), details);
    assert!(error.message().chars().count() < 1000, "an error's message is short");
}

/// What a sidecar says of itself.
pub fn metadata(bytes: &[u8]) {
    probe::metadata(bytes);
}

/// Certificates and keys.
pub fn pem(bytes: &[u8]) {
    probe::pem(bytes);
}

/// What a host says when it opens a worker.
pub fn open(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = OpenRequest::read(text);
    }
}

/// What a host answers.
pub fn completion(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = read_completion(text);
    }
}
