//! The histories of a case, so that its runs in different modes can be compared.

use std::collections::BTreeMap;
use std::time::Duration;

use everstep::history::Event;
use everstep::history::wire::history_event::EventType;
use everstep::model::ListRequest;
use everstep::runtime::wait_on;
use serde_json::Value;

use super::world::World;

/// What happened, per instance: the events without times, run numbers and the cut into turns, in no order (what runs
/// side by side may end in any order).
pub(crate) type Records = BTreeMap<String, Vec<String>>;

/// The records of all instances of a world. Nothing for a closed client.
pub(crate) fn of(world: &World, payloads: bool) -> Option<Records> {
    let patience = Some(Duration::from_secs(30));
    let client = world.reader();
    let page =
        wait_on(client.list(None, ListRequest { limit: Some(1000), ..ListRequest::default() }), patience)
            .ok()?;
    let mut records = Records::new();
    for state in page.states {
        let id = &world.names["id"];
        // A generated ID differs from run to run, so its instance stands under its workflow's name.
        let name = match state.instance_id.strip_prefix(id.as_str()) {
            Some(rest) if !rest.contains(':') => format!("{{id}}{rest}"),
            _ => format!("some {}", state.name),
        };
        let events = wait_on(client.history(None, &state.instance_id), patience).ok()?;
        let mut lines: Vec<String> = events.iter().filter_map(|event| line(event, id, payloads)).collect();
        lines.sort_unstable();
        records.entry(name).or_default().extend(lines);
    }
    records.values_mut().for_each(|lines| lines.sort_unstable());
    Some(records)
}

/// What is made anew in every run: UUIDs, and the last part of a child's default ID.
fn scrub(text: &str) -> String {
    let hex = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b'-';
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(end) = rest.find(['"', ':']) {
        let (part, after) = rest.split_at(end);
        let made = (part.len() == 36 || part.len() == 12) && part.as_bytes().iter().all(hex);
        out.push_str(if made { "{made}" } else { part });
        out.push_str(&after[..1]);
        rest = &after[1..];
    }
    out + rest
}

fn line(event: &Event, id: &str, payloads: bool) -> Option<String> {
    let text = |payload: &Option<String>| match payload {
        // Both read as null, and Dapr's HTTP API makes the one of the other.
        Some(text) if text.is_empty() => "none".to_owned(),
        Some(text) if payloads => {
            let value: Value = serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into());
            scrub(&value.to_string().replace(id, "{id}"))
        }
        Some(_) => "some".to_owned(),
        None => "none".to_owned(),
    };
    let details = match event.message().event_type.as_ref()? {
        // How turns are cut, and how often stalled code is tried again, differs by design.
        EventType::WorkflowStarted(_) | EventType::ExecutionStalled(_) => return None,
        EventType::ExecutionStarted(it) => format!("{} {}", it.name, text(&it.input)),
        EventType::ExecutionCompleted(it) => format!("{} {}", it.workflow_status, text(&it.result)),
        EventType::TaskScheduled(it) => format!("{} {}", it.name, text(&it.input)),
        EventType::TaskCompleted(it) => format!("{} {}", it.task_scheduled_id, text(&it.result)),
        EventType::TaskFailed(it) => it.task_scheduled_id.to_string(),
        EventType::ChildWorkflowInstanceCreated(it) => format!("{} {}", it.name, text(&it.input)),
        EventType::ChildWorkflowInstanceCompleted(it) => {
            format!("{} {}", it.task_scheduled_id, text(&it.result))
        }
        EventType::ChildWorkflowInstanceFailed(it) => it.task_scheduled_id.to_string(),
        EventType::TimerFired(it) => it.timer_id.to_string(),
        EventType::EventRaised(it) => format!("{} {}", it.name, text(&it.input)),
        EventType::EventSent(it) => format!("{} {}", it.name, text(&it.input)),
        _ => String::new(),
    };
    Some(format!("{} {} {details}", event.kind(), event.message().event_id))
}
