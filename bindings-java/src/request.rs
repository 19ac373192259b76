//! What Java asks for: `{"operation":{…}}`. Absent keys are nothing, times are microseconds since 1970. Payloads stand
//! behind the JSON as they are, and in it where they begin and end there. A key that is not known is a fault of this
//! package's Java, and none of them is optional for compatibility.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use everstep::engine::store::Durability;
use everstep::model::{BulkAction, Filter, Micros, RerunRequest, Reuse, RuntimeStatus, StartRequest};
use everstep::{ClientOptions, Error, ErrorKind, Result};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Where a payload stands behind the JSON, counted in the units of Java's texts.
#[derive(Clone, Copy, Deserialize)]
pub(crate) struct Span(usize, usize);

/// What stands behind the JSON of a request.
pub(crate) struct Tail<'a>(&'a str);

impl Tail<'_> {
    /// The payload at a place, if there is one.
    pub(crate) fn payload(&self, span: Option<Span>) -> Result<Option<String>> {
        let Some(Span(begin, end)) = span else { return Ok(None) };
        let payload = self.place(begin).zip(self.place(end)).and_then(|(begin, end)| self.0.get(begin..end));
        payload
            .map(|payload| Some(payload.to_owned()))
            .ok_or_else(|| unreadable("a payload is not where it should be"))
    }

    /// The byte at which a unit of Java's begins.
    fn place(&self, unit: usize) -> Option<usize> {
        if self.0.is_ascii() {
            return Some(unit);
        }
        let mut units = 0;
        let mut places = self.0.char_indices().map(|(at, letter)| {
            let before = units;
            units += letter.len_utf16();
            (before, at)
        });
        places
            .find(|(before, _)| *before == unit)
            .map(|(_, at)| at)
            .or((units == unit).then_some(self.0.len()))
    }
}

/// An operation of a client, and what it is asked with.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub(crate) enum Request {
    /// Closes the client. Its queue stays, so that this call has an answer.
    Close {},
    /// `open` is the request of the bridge's protocol.
    OpenWorker {
        component: Option<String>,
        open: Box<RawValue>,
    },
    /// Opens a worker whose only task is the history of an instance.
    Rehearse {
        component: Option<String>,
        instance_id: String,
        open: Box<RawValue>,
    },
    /// Ends when tasks may come.
    Ready {
        worker: u64,
        timeout_ms: Option<u64>,
    },
    Start(Box<Start>),
    Rerun {
        component: Option<String>,
        instance_id: String,
        from_event: i32,
        new_instance_id: Option<String>,
        input: Option<Span>,
    },
    Get {
        component: Option<String>,
        instance_id: String,
        payloads: bool,
    },
    Pause {
        component: Option<String>,
        instance_id: String,
        reason: Option<String>,
    },
    Resume {
        component: Option<String>,
        instance_id: String,
        reason: Option<String>,
    },
    RaiseEvent {
        component: Option<String>,
        instance_id: String,
        event_name: String,
        data: Option<Span>,
    },
    Terminate {
        component: Option<String>,
        instance_id: String,
        output: Option<Span>,
        recursive: bool,
    },
    Purge {
        component: Option<String>,
        instance_id: String,
        recursive: bool,
    },
    Bulk(Box<Bulk>),
    WaitForStart {
        component: Option<String>,
        instance_id: String,
        timeout_ms: Option<u64>,
        payloads: bool,
    },
    WaitForCompletion {
        component: Option<String>,
        instance_id: String,
        timeout_ms: Option<u64>,
        payloads: bool,
    },
    NextChange {
        component: Option<String>,
        instance_id: String,
        execution_id: Option<String>,
        seen: Option<String>,
        payloads: bool,
    },
    Result {
        component: Option<String>,
        instance_id: String,
        execution_id: Option<String>,
        timeout_ms: Option<u64>,
    },
    List {
        component: Option<String>,
        filter: FilterText,
        cursor: Option<String>,
        page_size: usize,
        payloads: bool,
    },
    Count {
        component: Option<String>,
        filter: FilterText,
    },
    History {
        component: Option<String>,
        instance_id: String,
        depth: usize,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Start {
    pub(crate) component: Option<String>,
    name: String,
    input: Option<Span>,
    instance_id: Option<String>,
    #[serde(default)]
    options: BTreeMap<String, String>,
    start_at: Option<i64>,
    version: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    reuse: String,
}

impl Start {
    pub(crate) fn read(self, tail: &Tail<'_>) -> Result<StartRequest> {
        let reuse = match self.reuse.as_str() {
            "finished" => Reuse::Finished,
            "never" => Reuse::Never,
            other => {
                return Err(invalid(format!("reuse {other:?} is unknown; known are finished, never")));
            }
        };
        Ok(StartRequest {
            name: self.name,
            input: tail.payload(self.input)?,
            instance_id: self.instance_id,
            options: self.options,
            start_at: self.start_at.map(Micros),
            version: self.version,
            tags: self.tags,
            reuse,
        })
    }
}

/// A rerun without an argument keeps the input of its event; a program that wants none says null.
pub(crate) fn rerun(
    instance_id: String,
    from_event: i32,
    new_instance_id: Option<String>,
    input: Option<String>,
) -> RerunRequest {
    RerunRequest { instance_id, from_event, new_instance_id, input: input.map(Some) }
}

/// What is done to many instances.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Bulk {
    pub(crate) component: Option<String>,
    action: String,
    pub(crate) filter: FilterText,
    pub(crate) cursor: Option<String>,
    output: Option<Span>,
    recursive: bool,
    reason: Option<String>,
}

impl Bulk {
    pub(crate) fn action(&mut self, tail: &Tail<'_>) -> Result<BulkAction> {
        match self.action.as_str() {
            "purge" => Ok(BulkAction::Purge),
            "terminate" => {
                Ok(BulkAction::Terminate { output: tail.payload(self.output)?, recursive: self.recursive })
            }
            "pause" => Ok(BulkAction::Pause { reason: self.reason.take() }),
            "resume" => Ok(BulkAction::Resume { reason: self.reason.take() }),
            other => Err(invalid(format!("the action {other:?} is unknown"))),
        }
    }
}

/// Which instances are meant.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct FilterText {
    name: Option<String>,
    statuses: Vec<String>,
    created_from: Option<i64>,
    created_to: Option<i64>,
    parent: Option<String>,
}

impl FilterText {
    pub(crate) fn read(self) -> Result<Filter> {
        let statuses = self.statuses.into_iter().map(|name| {
            RuntimeStatus::from_name(&name).ok_or_else(|| invalid(format!("status {name:?} is unknown")))
        });
        Ok(Filter {
            name: self.name,
            statuses: statuses.collect::<Result<_>>()?,
            created_from: self.created_from.map(Micros),
            created_to: self.created_to.map(Micros),
            parent: self.parent,
        })
    }
}

/// What a client is opened with.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Options {
    endpoint: Option<String>,
    #[serde(default)]
    components: BTreeMap<String, String>,
    durability: Option<String>,
    call_timeout_ms: Option<u64>,
    max_payload_bytes: Option<i64>,
    api_token: Option<String>,
    tls_roots: Option<PathBuf>,
    tls_certificate: Option<PathBuf>,
    tls_key: Option<PathBuf>,
}

impl Options {
    pub(crate) fn read(self) -> Result<ClientOptions> {
        let mut options = ClientOptions::default();
        options.endpoint = self.endpoint;
        options.components = self.components;
        options.durability = match self.durability.as_deref() {
            None | Some("full") => Durability::Full,
            Some("process") => Durability::Process,
            Some(other) => {
                return Err(invalid(format!("durability {other:?} is unknown; known are full, process")));
            }
        };
        options.call_timeout = self.call_timeout_ms.map_or(options.call_timeout, Duration::from_millis);
        options.max_payload_bytes =
            self.max_payload_bytes.map_or(options.max_payload_bytes, |bytes| bytes as usize);
        options.remote.api_token = self.api_token;
        options.remote.tls_roots = self.tls_roots;
        options.remote.tls_certificate = self.tls_certificate;
        options.remote.tls_key = self.tls_key;
        Ok(options)
    }
}

/// How a history's diagram is drawn.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Diagram {
    /// The children that lead to the history that is meant, the root's first.
    pub(crate) path: Vec<String>,
    pub(crate) depth: usize,
    pub(crate) max_lines: usize,
    pub(crate) max_text: usize,
    pub(crate) payloads: bool,
}

/// Reads what Java has written.
pub(crate) fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<(T, Tail<'a>)> {
    let mut parts = serde_json::Deserializer::from_str(text).into_iter();
    match parts.next() {
        Some(Ok(request)) => Ok((request, Tail(&text[parts.byte_offset()..]))),
        Some(Err(error)) => Err(unreadable(&error.to_string())),
        None => Err(unreadable("it is empty")),
    }
}

fn unreadable(why: &str) -> Error {
    Error::new(ErrorKind::Internal, format!("the request cannot be read: {why}"))
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}
