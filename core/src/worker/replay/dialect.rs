//! What actions look like for whom they are.
//!
//! A Dapr runtime drops fields that it does not know, and Dapr 1.18 ends the turn of a workflow that sends an event or starts a
//! workflow that is no child. So the attempt and the deadline of an activity ride in its version, which nothing reads there,
//! and the two become activities that the worker answers by itself.

use serde::{Deserialize, Serialize};

use crate::model::{Micros, Payload};

/// Whom the actions of a turn are for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// The embedded engine, which keeps what everstep adds to Dapr's messages.
    #[default]
    Own,
    /// A Dapr runtime. It wants to hear of all patches with each turn.
    Dapr,
}

/// The activity that raises an event to another instance.
pub(in crate::worker) const SEND_EVENT: &str = "everstep.send_event";
/// The activity that starts a workflow that is no child.
pub(in crate::worker) const START_WORKFLOW: &str = "everstep.start_workflow";

/// The input of [`SEND_EVENT`].
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::worker) struct SendEvent {
    pub(in crate::worker) instance_id: String,
    pub(in crate::worker) event_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::worker) data: Payload,
}

/// The input of [`START_WORKFLOW`].
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::worker) struct StartWorkflow {
    pub(in crate::worker) instance_id: String,
    pub(in crate::worker) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::worker) version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::worker) input: Payload,
}

/// The text of one of the two.
pub(super) fn errand(input: &impl Serialize) -> Payload {
    Some(serde_json::to_string(input).expect("texts always encode"))
}

const PREFIX: &str = "everstep;";

/// The version of an activity's call; absent for a first attempt without a timeout.
pub(super) fn call_version(attempt: i32, deadline: Option<Micros>) -> Option<String> {
    if attempt <= 1 && deadline.is_none() {
        return None;
    }
    let mut text = format!("{PREFIX}attempt={attempt}");
    if let Some(deadline) = deadline {
        text += &format!(";deadline={}", deadline.as_millis());
    }
    Some(text)
}

/// The attempt and the deadline of a call; a version that somebody else wrote says nothing.
pub(in crate::worker) fn read_call_version(version: Option<&str>) -> (i32, Option<Micros>) {
    let (mut attempt, mut deadline) = (1, None);
    let fields = version.and_then(|version| version.strip_prefix(PREFIX)).unwrap_or_default();
    for (key, value) in fields.split(';').filter_map(|field| field.split_once('=')) {
        match key {
            "attempt" => attempt = value.parse().unwrap_or(1).max(1),
            "deadline" => deadline = value.parse().ok().map(Micros::from_millis),
            _ => {}
        }
    }
    (attempt, deadline)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_survives_its_version() {
        for (attempt, deadline) in
            [(1, None), (2, None), (1, Some(Micros(5_000))), (7, Some(Micros(9_000_000)))]
        {
            let version = call_version(attempt, deadline);
            assert_eq!(version.is_none(), attempt == 1 && deadline.is_none());
            assert_eq!(read_call_version(version.as_deref()), (attempt, deadline));
        }
    }

    #[test]
    fn what_others_write_says_nothing() {
        for version in ["", "1.0", "everstep;", "everstep;attempt=x;deadline=y;=", "everstep;attempt=-3"] {
            assert_eq!(read_call_version(Some(version)), (1, None), "{version}");
        }
    }

    #[test]
    fn an_errand_tells_nothing_from_the_empty_text() {
        for data in [None, Some(String::new()), Some("null".to_owned())] {
            let sent = SendEvent { instance_id: "a".into(), event_name: "go".into(), data };
            let text = errand(&sent).unwrap();
            assert_eq!(serde_json::from_str::<SendEvent>(&text).unwrap(), sent);
        }
    }
}
