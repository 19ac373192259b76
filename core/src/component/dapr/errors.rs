//! What Dapr's errors mean. A sidecar answers most of them with one code, so their texts decide; the texts are those of
//! Dapr 1.18 and are matched by what they contain, since what stands around them differs from path to path.

use serde::Deserialize;
use tonic::{Code, Status};

use crate::error::{Error, ErrorKind};
use crate::model::StartRequest;

/// A state that was read from the store while a turn wrote it. With Redis behind it that is a daily matter, and over in a moment.
const HALF_WRITTEN: &str = "missing from state store (transient";
/// What a sidecar answers that has no worker, or for some milliseconds after the first one has connected.
const UNHOSTED: &str = "failed to create actor: actor type";

/// What a text says, whatever code it came with.
const TEXTS: [(&str, ErrorKind); 13] = [
    ("no such instance exists", ErrorKind::NotFound),
    ("unable to find workflow with the provided instance ID", ErrorKind::NotFound),
    ("an active workflow with ID", ErrorKind::AlreadyExists),
    ("is already awaiting an activity result", ErrorKind::FailedPrecondition),
    ("not yet completed", ErrorKind::FailedPrecondition),
    // "workflow is" from one call, "actor is" from another.
    ("is stalled", ErrorKind::WorkflowStalled),
    ("did not find address for actor", ErrorKind::Unavailable),
    (UNHOSTED, ErrorKind::Unavailable),
    // From a call that came further: an event is written before its reminder.
    ("only possible on hosted actor types", ErrorKind::Unavailable),
    // What waits at an instance while it leaves the sidecar's memory.
    ("actor is closed", ErrorKind::Unavailable),
    ("the state store is not configured to use the actor runtime", ErrorKind::FailedPrecondition),
    ("context deadline exceeded", ErrorKind::Timeout),
    (HALF_WRITTEN, ErrorKind::Unavailable),
];

/// The code of an answer whose route the sidecar does not know.
pub(super) const NO_ROUTE: &str = "ERR_DIRECT_INVOKE";

/// The body of an error over HTTP.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Body {
    #[serde(rename = "errorCode")]
    pub(super) code: String,
    pub(super) message: String,
}

impl Body {
    /// Reads a body; a proxy's page or a plain text becomes the message, shortened.
    pub(super) fn read(text: &[u8]) -> Body {
        serde_json::from_slice(text).unwrap_or_else(|_| Body {
            code: String::new(),
            message: String::from_utf8_lossy(text).chars().filter(|c| !c.is_control()).take(200).collect(),
        })
    }
}

/// The kind that a text of Dapr's means.
pub(super) fn kind_of_text(text: &str) -> Option<ErrorKind> {
    TEXTS.iter().find(|(part, _)| text.contains(part)).map(|(_, kind)| *kind)
}

/// Whether a state was read while it was written, so that the next question gets the answer.
pub(super) fn is_half_written(text: &str) -> bool {
    text.contains(HALF_WRITTEN)
}

/// Whether this refusal came before anything was done and may soon be over.
pub(super) fn is_unhosted(text: &str) -> bool {
    text.contains(UNHOSTED)
}

/// The error that an answer over HTTP means.
pub(super) fn of_answer(status: u16, body: &Body) -> Error {
    let kind = match (status, body.code.as_str()) {
        (401, _) => ErrorKind::Unauthenticated,
        (403, _) => ErrorKind::PermissionDenied,
        (413, _) => ErrorKind::PayloadTooLarge,
        (429, _) => ErrorKind::ResourceExhausted,
        (_, "ERR_INSTANCE_ID_NOT_FOUND") => ErrorKind::NotFound,
        (_, "ERR_BODY_READ") if body.message.contains("too large") => ErrorKind::PayloadTooLarge,
        (_, NO_ROUTE) => ErrorKind::NotImplemented,
        _ => kind_of_text(&body.message).unwrap_or(match status {
            400 => ErrorKind::InvalidArgument,
            408 | 504 => ErrorKind::Timeout,
            404 => ErrorKind::NotImplemented,
            502 | 503 => ErrorKind::Unavailable,
            _ if body.code == "ERR_HEALTH_NOT_READY" => ErrorKind::Unavailable,
            _ => ErrorKind::Internal,
        }),
    };
    Error::new(kind, message(kind, status, body))
}

/// The refusal of what a runtime would drop from a start without a word.
pub(super) fn dropped(request: &StartRequest) -> Option<Error> {
    let what = match request {
        StartRequest { version: Some(_), .. } => "the version",
        StartRequest { tags, .. } if !tags.is_empty() => "tags",
        _ => return None,
    };
    Some(Error::new(
        ErrorKind::NotImplemented,
        format!("no Dapr runtime keeps {what} of a start yet; leave it out"),
    ))
}

/// The first runtime that has a method of the task hub service.
fn first_runtime(method: &str) -> &'static str {
    match method.rsplit('/').next().unwrap_or_default() {
        "ListInstanceIDs" | "GetInstanceHistory" | "RerunWorkflowFromEvent" => "1.17",
        _ => "1.15",
    }
}

/// The error that a status over gRPC means, of a call of this method.
pub(super) fn of_status(status: &Status, method: &str) -> Error {
    let text = status.message();
    let kind = match status.code() {
        Code::Unimplemented => ErrorKind::NotImplemented,
        // What a sidecar answers to a method that it does not have.
        _ if text.contains("failed to proxy request: required metadata") => ErrorKind::NotImplemented,
        Code::Unauthenticated => ErrorKind::Unauthenticated,
        Code::PermissionDenied => ErrorKind::PermissionDenied,
        Code::NotFound if text.contains("is not an event that can be rerun") => ErrorKind::InvalidArgument,
        Code::NotFound => ErrorKind::NotFound,
        Code::AlreadyExists => ErrorKind::AlreadyExists,
        Code::InvalidArgument if text.contains("is not in a terminal state") => ErrorKind::FailedPrecondition,
        Code::InvalidArgument => ErrorKind::InvalidArgument,
        Code::DeadlineExceeded => ErrorKind::Timeout,
        Code::ResourceExhausted if text.contains("larger than max") => ErrorKind::PayloadTooLarge,
        Code::ResourceExhausted => ErrorKind::ResourceExhausted,
        Code::OutOfRange => ErrorKind::PayloadTooLarge,
        code => kind_of_text(text).unwrap_or(match code {
            Code::Unavailable => ErrorKind::Unavailable,
            Code::Cancelled => ErrorKind::Unavailable,
            Code::FailedPrecondition => ErrorKind::FailedPrecondition,
            // The connection broke, and there is no answer at all.
            _ if std::error::Error::source(status).is_some() => ErrorKind::Unavailable,
            _ => ErrorKind::Internal,
        }),
    };
    let said: String = text.chars().take(300).collect();
    let message = match kind {
        ErrorKind::NotImplemented => format!(
            "this Dapr runtime does not have the operation; {} and later have it",
            first_runtime(method)
        ),
        ErrorKind::PayloadTooLarge => too_large(&said),
        ErrorKind::NotFound if !text.contains("history event") => "no such workflow instance".to_owned(),
        ErrorKind::Timeout => {
            "no answer in time; the operation may still happen, ask for its state before repeating it"
                .to_owned()
        }
        _ => fixed_message(kind, text)
            .unwrap_or_else(|| format!("the sidecar answers {:?}: {said}", status.code())),
    };
    Error::new(kind, message)
}

fn too_large(said: &str) -> String {
    format!(
        "{said}; pass a reference to the data, or raise the sidecar's --max-body-size (4 MiB unless it is set)"
    )
}

fn fixed_message(kind: ErrorKind, text: &str) -> Option<String> {
    let fixed = match kind {
        ErrorKind::AlreadyExists => "the instance ID is in use by a workflow that still runs",
        ErrorKind::Unauthenticated => {
            "the sidecar refuses the API token; set DAPR_API_TOKEN to the one that it was started with"
        }
        ErrorKind::Unavailable if is_unhosted(text) || text.contains("did not find address for actor") => {
            "no worker is connected to the sidecar; start one"
        }
        _ => return None,
    };
    Some(fixed.to_owned())
}

fn message(kind: ErrorKind, status: u16, body: &Body) -> String {
    // Dapr 1.18 forgets to format some of its texts.
    let said = body.message.split("%!(EXTRA").next().unwrap_or_default().trim_end();
    let fixed = fixed_message(kind, said);
    let said: String = said.chars().take(300).collect();
    match kind {
        ErrorKind::NotFound => "no such workflow instance".to_owned(),
        ErrorKind::NotImplemented => {
            format!(
                "the address answers {status} to Dapr's workflow API; is it a Dapr sidecar of 1.15 or later?"
            )
        }
        _ if fixed.is_some() => fixed.unwrap_or_default(),
        ErrorKind::PayloadTooLarge => too_large(&said),
        _ if said.is_empty() => format!("the sidecar answers {status}"),
        _ => format!("the sidecar answers {status}: {said}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(status: u16, code: &str, message: &str) -> ErrorKind {
        let body = serde_json::json!({"errorCode": code, "message": message}).to_string();
        of_answer(status, &Body::read(body.as_bytes())).kind()
    }

    #[test]
    fn answers_of_a_sidecar_become_kinds() {
        let active = "error starting workflow 'flow': unable to start workflow: failed to start workflow: an active workflow with ID 'a' already exists";
        let table = [
            (
                404,
                "ERR_INSTANCE_ID_NOT_FOUND",
                "unable to find workflow with the provided instance ID: a",
                ErrorKind::NotFound,
            ),
            (
                500,
                "ERR_RAISE_EVENT_WORKFLOW",
                "error raising event on workflow 'a': no such instance exists",
                ErrorKind::NotFound,
            ),
            (
                500,
                "ERR_PAUSE_WORKFLOW",
                "error pausing workflow a: no such instance exists",
                ErrorKind::NotFound,
            ),
            (500, "ERR_START_WORKFLOW", active, ErrorKind::AlreadyExists),
            (
                500,
                "ERR_PURGE_WORKFLOW",
                "error purging workflow a: orchestration has not yet completed",
                ErrorKind::FailedPrecondition,
            ),
            (
                500,
                "ERR_RAISE_EVENT_WORKFLOW",
                "error raising event on workflow 'a': workflow is stalled",
                ErrorKind::WorkflowStalled,
            ),
            (
                400,
                "ERR_INSTANCE_ID_INVALID",
                "workflow instance ID 'a b' is invalid",
                ErrorKind::InvalidArgument,
            ),
            (
                500,
                "ERR_START_WORKFLOW",
                "error starting workflow 'f': context deadline exceeded",
                ErrorKind::Timeout,
            ),
            (
                400,
                "ERR_BODY_READ",
                "failed to read request body: http: request body too large",
                ErrorKind::PayloadTooLarge,
            ),
            (
                404,
                "ERR_DIRECT_INVOKE",
                "failed getting app id either from the URL path or the header dapr-app-id",
                ErrorKind::NotImplemented,
            ),
            (500, "ERR_START_WORKFLOW", "error starting workflow 'f': disk on fire", ErrorKind::Internal),
        ];
        for (status, code, message, expected) in table {
            assert_eq!(kind(status, code, message), expected, "{message}");
        }
    }

    #[test]
    fn what_is_no_answer_of_dapr_is_an_error_too() {
        let plain = |status, text: &[u8]| of_answer(status, &Body::read(text)).kind();
        assert_eq!(plain(401, b"invalid api token"), ErrorKind::Unauthenticated);
        assert_eq!(plain(503, b"<html>upstream</html>"), ErrorKind::Unavailable);
        assert_eq!(plain(404, b"404 page not found"), ErrorKind::NotImplemented);
        assert_eq!(plain(500, b"\xff\xfe"), ErrorKind::Internal);
        assert!(of_answer(500, &Body::read(&[b'x'; 100_000])).message().len() < 300);
        let long = format!(r#"{{"errorCode":"ERR","message":"{}"}}"#, "x".repeat(100_000));
        assert!(of_answer(500, &Body::read(long.as_bytes())).message().len() < 400);
    }

    #[test]
    fn statuses_of_a_sidecar_become_kinds() {
        let table = [
            (Code::Unknown, "actor is closed, cannot handle deactivated", ErrorKind::Unavailable),
            (
                Code::NotFound,
                "target event '*protos.HistoryEvent_ExecutionCompleted' with ID '3' is not an event that can be rerun",
                ErrorKind::InvalidArgument,
            ),
            (Code::Unknown, "no such instance exists", ErrorKind::NotFound),
            (
                Code::Unknown,
                "failed to purge workflow state: orchestration has not yet completed",
                ErrorKind::FailedPrecondition,
            ),
            (
                Code::Unknown,
                "failed to create workflow instance: an active workflow with ID 'w1' already exists",
                ErrorKind::AlreadyExists,
            ),
            (
                Code::Unknown,
                "failed to proxy request: required metadata dapr-callee-app-id or dapr-app-id not found",
                ErrorKind::NotImplemented,
            ),
            (Code::NotFound, "workflow instance 'nope' not found", ErrorKind::NotFound),
            (Code::InvalidArgument, "'a' is not in a terminal state", ErrorKind::FailedPrecondition),
            (Code::FailedPrecondition, "did not find address for actor 'a/b'", ErrorKind::Unavailable),
            (
                Code::Unknown,
                "failed to invoke reminder for workflow 'a': actor is stalled",
                ErrorKind::WorkflowStalled,
            ),
            (Code::Unauthenticated, "Unauthorized", ErrorKind::Unauthenticated),
            (Code::DeadlineExceeded, "", ErrorKind::Timeout),
            (
                Code::Unknown,
                "workflow 'a': inbox key 'inbox-000000' declared in metadata (inboxLength=1) but missing from state store (transient store read failure or partial save?)",
                ErrorKind::Unavailable,
            ),
            (Code::Unknown, "something else", ErrorKind::Internal),
        ];
        for (code, text, expected) in table {
            assert_eq!(of_status(&Status::new(code, text), "/S/M").kind(), expected, "{text}");
        }
    }
}
