//! What a sidecar says of itself, for decisions and for errors that say what is wrong.

use std::collections::BTreeMap;

use prost::Message;
use serde::Deserialize;

use crate::error::{Error, ErrorKind};

/// The part of a sidecar's metadata that matters here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Metadata {
    /// The runtime's version, for example `1.18.1`; a build of one's own may say `edge`.
    pub(super) version: String,
    /// How many streams of workers are open, if it says so.
    pub(super) workers: Option<i32>,
    /// The types of actors that it hosts, if it says so; workflows are one of them.
    types: Option<Vec<String>>,
}

impl Metadata {
    /// Whether the runtime says that it is this version or a later one.
    pub(super) fn is_at_least(&self, major: u32, minor: u32) -> bool {
        let version = self.version.trim_start_matches('v');
        let mut parts = version.split(['.', '-', '+']).map(|part| part.parse::<u32>().ok());
        match (parts.next().flatten(), parts.next().flatten()) {
            (Some(found), Some(part)) => (found, part) >= (major, minor),
            _ => false,
        }
    }

    /// Whether a worker is connected and workflows have a place to run. What the runtime does not say counts as well; of the
    /// places, which it says a moment after the worker, only if it stays `silent` about them.
    pub(crate) fn is_ready(&self, silent: bool) -> bool {
        let placed = |types: &Vec<String>| {
            types.iter().any(|name| name.ends_with(".workflow")) || (silent && types.is_empty())
        };
        self.workers.is_none_or(|workers| workers > 0) && self.types.as_ref().map_or(silent, placed)
    }

    /// Reads the answer of `GET /v1.0/metadata`.
    pub(super) fn of_json(text: &[u8]) -> Option<Metadata> {
        let found: Json = serde_json::from_slice(text).ok()?;
        let Json { runtime_version, extended, workflows } = found;
        let version = runtime_version.or_else(|| extended.get("daprRuntimeVersion").cloned());
        // JSON of protocol buffers leaves zeros out.
        let workers = workflows.map(|workflows| workflows.connected_workers);
        Some(Metadata { version: version.unwrap_or_default(), workers, types: None })
    }
}

/// Says why a start got no answer, if what the sidecar says of itself tells.
pub(super) fn late(metadata: Option<&Metadata>, error: Error) -> Error {
    let message = match metadata {
        Some(Metadata { workers: Some(0), .. }) => {
            "no worker is connected to the sidecar, which answers a start only while one is; start a worker"
                .to_owned()
        }
        _ => format!("{}; a sidecar answers a start only while a worker is connected", error.message()),
    };
    Error::new(ErrorKind::Timeout, message).with_source(error)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Json {
    runtime_version: Option<String>,
    #[serde(default)]
    extended: BTreeMap<String, String>,
    workflows: Option<JsonWorkflows>,
}

#[derive(Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[derive(Default)]
struct JsonWorkflows {
    connected_workers: i32,
}

/// The part of `dapr.proto.runtime.v1.GetMetadataResponse` that is read.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Answer {
    #[prost(map = "string, string", tag = "4")]
    extended: std::collections::HashMap<String, String>,
    #[prost(string, tag = "8")]
    runtime_version: String,
    #[prost(message, optional, tag = "10")]
    actors: Option<Actors>,
    #[prost(message, optional, tag = "12")]
    workflows: Option<Workflows>,
}

#[derive(Clone, PartialEq, Message)]
struct Actors {
    #[prost(message, repeated, tag = "2")]
    active: Vec<ActorType>,
}

#[derive(Clone, PartialEq, Message)]
struct ActorType {
    #[prost(string, tag = "1")]
    name: String,
}

#[derive(Clone, PartialEq, Message)]
struct Workflows {
    #[prost(int32, tag = "1")]
    connected_workers: i32,
}

impl From<Answer> for Metadata {
    fn from(mut answer: Answer) -> Metadata {
        let extended = answer.extended.remove("daprRuntimeVersion");
        let version = Some(answer.runtime_version).filter(|version| !version.is_empty()).or(extended);
        let workers = answer.workflows.map(|workflows| workflows.connected_workers);
        let types = answer.actors.map(|actors| actors.active.into_iter().map(|kind| kind.name).collect());
        Metadata { version: version.unwrap_or_default(), workers, types }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_is_none_is_old() {
        let metadata = |version: &str| Metadata { version: version.to_owned(), ..Metadata::default() };
        for version in ["1.19.0", "v1.19.2", "1.20.0-rc.1", "2.0.0"] {
            assert!(metadata(version).is_at_least(1, 19), "{version}");
        }
        for version in ["1.18.1", "edge", "", "1", "nightly-2026-01-01"] {
            assert!(!metadata(version).is_at_least(1, 19), "{version}");
        }
    }

    #[test]
    fn metadata_is_read_in_both_forms() {
        let json = br#"{"id":"a","runtimeVersion":"1.18.1","workflows":{"connectedWorkers":2}}"#;
        let expected = Metadata { version: "1.18.1".into(), workers: Some(2), ..Metadata::default() };
        assert_eq!(Metadata::of_json(json), Some(expected.clone()));
        let none = Metadata::of_json(br#"{"extended":{"daprRuntimeVersion":"1.17.0"},"workflows":{}}"#);
        assert_eq!(
            none,
            Some(Metadata { version: "1.17.0".into(), workers: Some(0), ..Metadata::default() })
        );
        assert_eq!(Metadata::of_json(b"<html>"), None);
        let workflows = Some(Workflows { connected_workers: 2 });
        let answer = Answer { runtime_version: "1.18.1".into(), workflows, ..Answer::default() };
        assert_eq!(Metadata::from(answer), expected);
    }
}
