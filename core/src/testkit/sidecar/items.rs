//! Work items as bytes: events go out as they are kept.

use bytes::Bytes;
use prost::Message;

use super::instance::{Instance, Turn};
use crate::history::{Event, wire};

/// Fields 900 and 901, which no message has: a number and a text.
const UNKNOWN: &[u8] = b"\xa0\x38\x2a\xaa\x38\x08tomorrow";

#[derive(Clone, PartialEq, Message)]
struct WorkItem {
    #[prost(bytes = "bytes", optional, tag = "1")]
    workflow: Option<Bytes>,
    #[prost(bytes = "bytes", optional, tag = "2")]
    activity: Option<Bytes>,
    #[prost(bytes = "bytes", optional, tag = "6")]
    health_ping: Option<Bytes>,
    #[prost(string, tag = "10")]
    token: String,
}

#[derive(Clone, PartialEq, Message)]
struct WorkflowRequest {
    #[prost(string, tag = "1")]
    instance_id: String,
    #[prost(message, optional, tag = "2")]
    execution_id: Option<String>,
    #[prost(bytes = "bytes", repeated, tag = "3")]
    past: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "4")]
    new: Vec<Bytes>,
    #[prost(message, optional, tag = "9")]
    cached: Option<wire::CachedHistory>,
}

/// The committed history, as a call answers it.
#[derive(Clone, PartialEq, Message)]
pub(super) struct History {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    events: Vec<Bytes>,
}

impl History {
    pub(super) fn of(events: &[Event], of_tomorrow: bool) -> History {
        History { events: events.iter().map(|event| raw(event, of_tomorrow)).collect() }
    }
}

fn raw(event: &Event, of_tomorrow: bool) -> Bytes {
    if of_tomorrow { strange(event.bytes().to_vec()) } else { event.bytes().clone() }
}

/// A message with more fields than anybody knows.
fn strange(mut bytes: Vec<u8>) -> Bytes {
    bytes.extend_from_slice(UNKNOWN);
    bytes.into()
}

fn finish(bytes: Vec<u8>, of_tomorrow: bool) -> Bytes {
    if of_tomorrow { strange(bytes) } else { bytes.into() }
}

/// A turn. `known` is how many events of the past the worker has.
pub(super) fn turn(
    instance: &Instance,
    turn: &Turn,
    known: Option<(usize, i32)>,
    of_tomorrow: bool,
) -> Bytes {
    let (skipped, cached) = match known {
        Some((skipped, count)) => (skipped, Some(wire::CachedHistory { event_count: count })),
        None => (0, None),
    };
    let news = std::iter::once(&turn.started).chain(instance.inbox.iter().take(turn.taken));
    let request = WorkflowRequest {
        instance_id: instance.id.clone(),
        // 1.18 leaves it out, together with the token.
        execution_id: (!turn.token.is_empty()).then(|| instance.execution_id.clone()),
        past: instance.past.iter().skip(skipped).map(|event| raw(event, of_tomorrow)).collect(),
        new: news.map(|event| raw(event, of_tomorrow)).collect(),
        cached,
    };
    let workflow = Some(finish(request.encode_to_vec(), of_tomorrow));
    let item = WorkItem { workflow, token: turn.token.clone(), ..WorkItem::default() };
    finish(item.encode_to_vec(), of_tomorrow)
}

/// An activity.
pub(super) fn activity(
    instance: &Instance,
    id: i32,
    task: &wire::TaskScheduledEvent,
    token: &str,
    of_tomorrow: bool,
) -> Bytes {
    // A scope of tomorrow.
    let propagated = wire::PropagatedHistory { scope: 77, ..Default::default() };
    let request = wire::ActivityRequest {
        name: task.name.clone(),
        version: task.version.clone(),
        input: task.input.clone(),
        workflow_instance: Some(wire::WorkflowInstance {
            instance_id: instance.id.clone(),
            execution_id: None,
        }),
        task_id: id,
        task_execution_id: task.task_execution_id.clone(),
        propagated_history: of_tomorrow.then_some(propagated),
        ..Default::default()
    };
    let activity = Some(finish(request.encode_to_vec(), of_tomorrow));
    let item = WorkItem { activity, token: token.to_owned(), ..WorkItem::default() };
    finish(item.encode_to_vec(), of_tomorrow)
}

pub(super) fn health_ping() -> Bytes {
    WorkItem { health_ping: Some(Bytes::new()), ..WorkItem::default() }.encode_to_vec().into()
}
