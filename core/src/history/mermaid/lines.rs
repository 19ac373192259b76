//! What the events of a diagram say in words.

use std::time::Duration;

use super::text::{escaped, spoken};
use super::{DiagramOptions, Role};
use crate::history::{HistoryEvent, TimerUse};
use crate::model::{Failure, Payload, RuntimeStatus};

/// No timer of the year 9999 is meant to fire: it stands for a wait without an end.
const NEVER: i64 = 253_370_764_800_000_000;

/// Words and a payload, as one text.
pub(super) fn with_payload(words: &str, payload: &Payload, options: &DiagramOptions) -> String {
    let shown = payload.as_deref().filter(|_| options.payloads).unwrap_or_default();
    join(words, &escaped(shown, options.max_text))
}

/// Words and free text, which is no payload.
pub(super) fn with_text(words: &str, text: Option<&str>, options: &DiagramOptions) -> String {
    join(words, &escaped(text.unwrap_or_default(), options.max_text))
}

fn join(words: &str, text: &str) -> String {
    if words.is_empty() || text.is_empty() { format!("{words}{text}") } else { format!("{words} {text}") }
}

/// The input of an attempt, with its number if it is not the first.
pub(super) fn attempt(event: &HistoryEvent, words: &str, options: &DiagramOptions) -> String {
    let mut words = words.to_owned();
    if let Some(attempt) = event.attempt.filter(|attempt| *attempt > 1) {
        words = format!("{words}, attempt {attempt}");
    }
    if event.given_up.is_some() {
        words += ", given up";
    }
    with_payload(&words, &event.input, options)
}

pub(super) fn failure(failure: Option<&Failure>, options: &DiagramOptions) -> String {
    match failure {
        Some(failure) => {
            let text = format!("{}: {}", failure.error_type, failure.message);
            join("failed", &escaped(&text, options.max_text))
        }
        None => "failed".to_owned(),
    }
}

pub(super) fn took(text: &str, event: &HistoryEvent) -> String {
    match event.duration {
        Some(duration) => format!("{text} ({})", spoken(duration)),
        None => text.to_owned(),
    }
}

/// How a run ended: the arrow and its text.
pub(super) fn end(event: &HistoryEvent, options: &DiagramOptions) -> (&'static str, String) {
    let status = event.status.unwrap_or_default();
    match status {
        RuntimeStatus::Completed => ("-->>", took(&with_payload("completed", &event.result, options), event)),
        RuntimeStatus::Failed => ("--x", took(&failure(event.failure.as_ref(), options), event)),
        other => {
            let words = other.name().to_ascii_lowercase().replace('_', " ");
            ("--x", took(&with_payload(&words, &event.result, options), event))
        }
    }
}

/// What a timer is, when it is made. Nothing for the limit of an attempt, which is worth a word only when it fires.
pub(super) fn timer(event: &HistoryEvent, options: &DiagramOptions) -> Option<String> {
    let name = escaped(event_name(event), options.max_text);
    let length = length(event).map(spoken);
    let text = match (event.timer_use, length) {
        (Some(TimerUse::ActivityTimeout), _) => return None,
        (Some(TimerUse::Retry), length) => join("tries again in", &length.unwrap_or_default()),
        (Some(TimerUse::EventTimeout), None) => join("waits for", &name),
        (Some(TimerUse::EventTimeout), Some(length)) => {
            format!("{}, at most {length}", join("waits for", &name))
        }
        (_, length) => join(&join("timer", &name), &length.unwrap_or_else(|| "without end".to_owned())),
    };
    Some(if event.given_up.is_some() && event.counterpart.is_none() {
        format!("{text}, disarmed")
    } else {
        text
    })
}

/// What it means that a timer fired.
pub(super) fn fired(timer: Option<&HistoryEvent>, options: &DiagramOptions) -> Option<String> {
    let name = timer.map(|timer| escaped(event_name(timer), options.max_text)).unwrap_or_default();
    match timer.and_then(|timer| timer.timer_use) {
        Some(TimerUse::Retry) => None,
        Some(TimerUse::EventTimeout) => Some(format!("{} timed out", join("the wait for", &name))),
        Some(TimerUse::ActivityTimeout) => Some("the attempt timed out".to_owned()),
        _ => Some(format!("{} fired", join("timer", &name))),
    }
}

fn event_name(timer: &HistoryEvent) -> &str {
    use crate::history::TimerOrigin;
    match &timer.origin {
        Some(TimerOrigin::ExternalEvent(name)) => name,
        _ => timer.name.as_deref().unwrap_or_default(),
    }
}

fn length(event: &HistoryEvent) -> Option<Duration> {
    let due = event.fire_at.filter(|due| due.0 < NEVER)?;
    let micros = due.0.saturating_sub(event.timestamp?.0).max(0);
    Some(Duration::from_micros(micros.unsigned_abs()))
}

/// Who answers an attempt.
pub(super) fn role(event: &HistoryEvent) -> Role {
    if event.kind.starts_with("Task") { Role::Activity } else { Role::Workflow }
}
