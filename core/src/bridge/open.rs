//! What a worker says of itself when it opens.

use serde::{Deserialize, Serialize};

use super::VERSION;
use super::payload::PayloadMode;
use crate::error::{Error, Result};

/// The most instances a worker may ask to keep cached, and the most tasks it may ask to have in flight.
const MOST: i64 = 10_000_000;

/// A workflow that a worker has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
pub struct WorkflowName {
    /// Its name.
    pub name: String,
    /// Its named version; absent for one without versions.
    #[serde(default)]
    pub version: Option<String>,
    /// Whether new runs use this version. Where none of several is marked, they use the last one.
    #[serde(default)]
    pub latest: bool,
}

/// How many tasks a worker takes at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slots {
    /// Workflow tasks.
    pub workflows: usize,
    /// Activity tasks.
    pub activities: usize,
}

/// What opens a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenRequest {
    /// The host's language and version, for example `python/3.11.9`.
    pub host: String,
    /// How it wants its payloads.
    pub payloads: PayloadMode,
    /// The workflows it has.
    pub workflows: Vec<WorkflowName>,
    /// The activities it has.
    pub activities: Vec<String>,
    /// How many instances it keeps between turns; 10,000 when not said.
    pub max_cached: usize,
    /// How many tasks it takes at a time; 200 and 64 when not said.
    pub slots: Slots,
}

/// What a worker gets back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OpenResponse {
    /// The worker's number.
    pub worker: String,
    /// What a message may hold.
    pub limits: Limits,
    /// What the runtime can do.
    pub capabilities: Vec<String>,
}

/// What a message may hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// The largest payload in bytes.
    pub max_payload: usize,
}

#[derive(Deserialize)]
struct Raw {
    v: u32,
    #[serde(default)]
    host: String,
    #[serde(default)]
    payloads: Option<String>,
    #[serde(default)]
    workflows: Vec<WorkflowName>,
    #[serde(default)]
    activities: Vec<String>,
    #[serde(default)]
    max_cached: Option<i64>,
    #[serde(default)]
    slots: RawSlots,
}

#[derive(Default, Deserialize)]
struct RawSlots {
    #[serde(default)]
    workflows: Option<i64>,
    #[serde(default)]
    activities: Option<i64>,
}

impl OpenRequest {
    /// Reads the text of `open`.
    ///
    /// # Errors
    /// `invalid_argument` when the text is not such an object, has another protocol version, an empty or doubled name,
    /// or a number out of its range; `failed_precondition` for another protocol version.
    pub fn read(text: &str) -> Result<OpenRequest> {
        let raw: Raw = serde_json::from_str(text)
            .map_err(|error| Error::invalid(format!("the worker's open request cannot be read: {error}")))?;
        if raw.v != VERSION {
            let message = format!(
                "the host speaks bridge protocol {}, the core {VERSION}; reinstall the package",
                raw.v
            );
            return Err(Error::new(crate::error::ErrorKind::FailedPrecondition, message));
        }
        let payloads = match raw.payloads.as_deref() {
            None | Some("inline") => PayloadMode::Inline,
            Some("text") => PayloadMode::Text,
            Some(_) => return Err(Error::invalid("payloads must be \"inline\" or \"text\"")),
        };
        check_names(&raw.workflows, &raw.activities)?;
        Ok(OpenRequest {
            host: raw.host,
            payloads,
            workflows: raw.workflows,
            activities: raw.activities,
            max_cached: number("max_cached", raw.max_cached, 10_000, 0)?,
            slots: Slots {
                workflows: number("slots.workflows", raw.slots.workflows, 200, 1)?,
                activities: number("slots.activities", raw.slots.activities, 64, 1)?,
            },
        })
    }
}

impl OpenResponse {
    /// The answer as text.
    pub fn write(&self) -> String {
        serde_json::to_string(self).expect("names and numbers always encode")
    }
}

fn number(name: &str, value: Option<i64>, default: usize, least: i64) -> Result<usize> {
    let Some(value) = value else { return Ok(default) };
    if !(least..=MOST).contains(&value) {
        return Err(Error::invalid(format!("{name} is {value}; it must be from {least} to {MOST}")));
    }
    usize::try_from(value)
        .map_err(|_| Error::invalid(format!("{name} is {value}; it is too large for this machine")))
}

fn check_names(workflows: &[WorkflowName], activities: &[String]) -> Result<()> {
    let mut seen = std::collections::HashSet::new();
    for workflow in workflows {
        if workflow.name.is_empty() || workflow.version.as_deref() == Some("") {
            return Err(Error::invalid("a workflow's name or version is empty"));
        }
        if !seen.insert((workflow.name.as_str(), workflow.version.as_deref())) {
            let version = workflow.version.as_ref().map(|version| format!(" version {version:?}"));
            return Err(Error::invalid(format!(
                "workflow {:?}{} is registered twice; give each definition a version of its own",
                workflow.name,
                version.unwrap_or_default()
            )));
        }
    }
    let mut latest = std::collections::HashSet::new();
    if let Some(twice) = workflows.iter().filter(|w| w.latest).find(|w| !latest.insert(w.name.as_str())) {
        return Err(Error::invalid(format!(
            "workflow {:?} has two latest versions; mark only the one that new runs are to use",
            twice.name
        )));
    }
    let mut seen = std::collections::HashSet::new();
    for activity in activities {
        if activity.is_empty() {
            return Err(Error::invalid("an activity's name is empty"));
        }
        if !seen.insert(activity.as_str()) {
            return Err(Error::invalid(format!("activity {activity:?} is registered twice")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn defaults_fill_what_is_not_said() {
        let open = OpenRequest::read(r#"{"v":1,"host":"rust","activities":["a"],"new":1}"#).unwrap();
        assert_eq!((open.max_cached, open.slots.workflows, open.slots.activities), (10_000, 200, 64));
        assert_eq!(open.payloads, PayloadMode::Inline);
    }

    #[test]
    fn absurd_requests_are_refused() {
        for bad in [
            r#"{"host":"x"}"#,
            r#"{"v":1,"max_cached":-1}"#,
            r#"{"v":1,"max_cached":1e30}"#,
            r#"{"v":1,"max_cached":99999999999}"#,
            r#"{"v":1,"slots":{"workflows":0}}"#,
            r#"{"v":1,"payloads":"xml"}"#,
            r#"{"v":1,"activities":["a","a"]}"#,
            r#"{"v":1,"workflows":[{"name":""}]}"#,
            r#"{"v":1,"workflows":[{"name":"a"},{"name":"a"}]}"#,
            r#"{"v":1,"workflows":[{"name":"a","version":"1","latest":true},{"name":"a","version":"2","latest":true}]}"#,
            "[]",
        ] {
            assert_eq!(OpenRequest::read(bad).unwrap_err().kind(), ErrorKind::InvalidArgument, "{bad}");
        }
        assert_eq!(OpenRequest::read(r#"{"v":2}"#).unwrap_err().kind(), ErrorKind::FailedPrecondition);
    }
}
