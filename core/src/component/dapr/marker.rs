//! A marker that Dapr's Python SDK leaves in payloads.
//!
//! It writes an object of a class as a JSON object with one more key, by which it makes an object of attributes of it again. What
//! was meant is the object without the key.

use crate::history::Event;
use crate::history::wire::history_event::EventType;
use crate::model::Payload;

const MARKER: &str = "\"__durabletask_autoobject__\"";

/// A payload without markers; nothing if it has none.
fn unmarked(text: &str) -> Option<String> {
    if !text.contains(MARKER) {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let (mut at, mut kept) = (0, 0);
    let bytes = text.as_bytes();
    while at < bytes.len() {
        if bytes[at] != b'"' {
            at += 1;
            continue;
        }
        let end = end_of_string(bytes, at);
        if &text[at..end] == MARKER
            && let Some(value) = value_true(text, end)
        {
            // One comma goes along: the one behind, or for the last key the one before.
            let behind = skip_space(bytes, value);
            let before = text[kept..at].trim_end();
            if bytes.get(behind) == Some(&b',') {
                out.push_str(&text[kept..at]);
                kept = skip_space(bytes, behind + 1);
            } else {
                out.push_str(before.strip_suffix(',').unwrap_or(before));
                kept = value;
            }
            at = kept;
        } else {
            at = end;
        }
    }
    out.push_str(&text[kept..]);
    Some(out)
}

/// The place behind the string that begins here.
fn end_of_string(bytes: &[u8], from: usize) -> usize {
    let mut at = from + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The place behind `: true`, if that comes here.
fn value_true(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let colon = skip_space(bytes, from);
    let value = skip_space(bytes, colon + 1);
    (bytes.get(colon) == Some(&b':') && text.get(value..)?.starts_with("true")).then_some(value + 4)
}

fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
        at += 1;
    }
    at
}

/// Takes the markers out of a payload.
pub(crate) fn unmark(payload: &mut Payload) {
    if let Some(text) = payload.as_deref().and_then(unmarked) {
        *payload = Some(text);
    }
}

/// The event as it was meant.
pub(crate) fn unmarked_event(event: Event) -> Event {
    let marked = payload_of(event.message().event_type.as_ref()).and_then(unmarked);
    let Some(text) = marked else { return event };
    let mut message = event.message().clone();
    match &mut message.event_type {
        Some(EventType::ExecutionStarted(start)) => start.input = Some(text),
        Some(EventType::TaskCompleted(done)) => done.result = Some(text),
        Some(EventType::ChildWorkflowInstanceCompleted(done)) => done.result = Some(text),
        Some(EventType::EventRaised(raised)) => raised.input = Some(text),
        _ => {}
    }
    Event::new(message)
}

fn payload_of(event: Option<&EventType>) -> Option<&str> {
    match event? {
        EventType::ExecutionStarted(start) => start.input.as_deref(),
        EventType::TaskCompleted(done) => done.result.as_deref(),
        EventType::ChildWorkflowInstanceCompleted(done) => done.result.as_deref(),
        EventType::EventRaised(raised) => raised.input.as_deref(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marker_goes_and_nothing_else() {
        let table = [
            (r#"{"a": 1, "__durabletask_autoobject__": true}"#, r#"{"a": 1}"#),
            (r#"{"__durabletask_autoobject__":true,"a":1}"#, r#"{"a":1}"#),
            (r#"{"a":1 , "__durabletask_autoobject__" : true , "b":2}"#, r#"{"a":1 , "b":2}"#),
            (r#"{"__durabletask_autoobject__": true}"#, "{}"),
            (
                r#"[{"x": {"y": 1e400, "__durabletask_autoobject__": true}, "__durabletask_autoobject__": true}]"#,
                r#"[{"x": {"y": 1e400}}]"#,
            ),
            (
                r#"{"t": "say \"__durabletask_autoobject__\": true", "__durabletask_autoobject__": true}"#,
                r#"{"t": "say \"__durabletask_autoobject__\": true"}"#,
            ),
        ];
        for (text, expected) in table {
            assert_eq!(unmarked(text).as_deref(), Some(expected));
        }
        assert_eq!(unmarked(r#"{"a": 1}"#), None);
    }

    #[test]
    fn broken_texts_do_no_harm() {
        let whole =
            r#"{"é": "\u00e9\\", "__durabletask_autoobject__": true, "x": "__durabletask_autoobject__"}"#;
        for end in (0..=whole.len()).filter(|end| whole.is_char_boundary(*end)) {
            let _ = unmarked(&whole[..end]);
        }
        let value = r#"["__durabletask_autoobject__", true]"#;
        assert_eq!(unmarked(value).as_deref(), Some(value));
    }
}
