//! What Dapr's errors mean. A sidecar answers most of them with one code, so their texts decide; the texts are those of
//! Dapr 1.18 and are matched by what they contain, since what stands around them differs from path to path.

use serde::Deserialize;

use crate::error::{Error, ErrorKind};

/// What a text says, whatever code it came with.
const TEXTS: [(&str, ErrorKind); 9] = [
    ("no such instance exists", ErrorKind::NotFound),
    ("unable to find workflow with the provided instance ID", ErrorKind::NotFound),
    ("an active workflow with ID", ErrorKind::AlreadyExists),
    ("is already awaiting an activity result", ErrorKind::FailedPrecondition),
    ("not yet completed", ErrorKind::FailedPrecondition),
    ("workflow is stalled", ErrorKind::WorkflowStalled),
    ("did not find address for actor", ErrorKind::Unavailable),
    ("the state store is not configured to use the actor runtime", ErrorKind::FailedPrecondition),
    ("context deadline exceeded", ErrorKind::Timeout),
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

fn message(kind: ErrorKind, status: u16, body: &Body) -> String {
    // Dapr 1.18 forgets to format some of its texts.
    let said = body.message.split("%!(EXTRA").next().unwrap_or_default().trim_end();
    match kind {
        ErrorKind::NotFound => "no such workflow instance".to_owned(),
        ErrorKind::AlreadyExists => "the instance ID is in use by a workflow that still runs".to_owned(),
        ErrorKind::Unauthenticated => {
            "the sidecar refuses the API token; set DAPR_API_TOKEN to the one that it was started with".to_owned()
        }
        ErrorKind::NotImplemented => {
            format!("the address answers {status} to Dapr's workflow API; is it a Dapr sidecar of 1.15 or later?")
        }
        ErrorKind::Unavailable if said.contains("did not find address for actor") => {
            "no worker is connected to the sidecar; start one".to_owned()
        }
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
            (404, "ERR_INSTANCE_ID_NOT_FOUND", "unable to find workflow with the provided instance ID: a", ErrorKind::NotFound),
            (500, "ERR_RAISE_EVENT_WORKFLOW", "error raising event on workflow 'a': no such instance exists", ErrorKind::NotFound),
            (500, "ERR_PAUSE_WORKFLOW", "error pausing workflow a: no such instance exists", ErrorKind::NotFound),
            (500, "ERR_START_WORKFLOW", active, ErrorKind::AlreadyExists),
            (500, "ERR_PURGE_WORKFLOW", "error purging workflow a: orchestration has not yet completed", ErrorKind::FailedPrecondition),
            (500, "ERR_RAISE_EVENT_WORKFLOW", "error raising event on workflow 'a': workflow is stalled", ErrorKind::WorkflowStalled),
            (400, "ERR_INSTANCE_ID_INVALID", "workflow instance ID 'a b' is invalid", ErrorKind::InvalidArgument),
            (500, "ERR_START_WORKFLOW", "error starting workflow 'f': context deadline exceeded", ErrorKind::Timeout),
            (400, "ERR_BODY_READ", "failed to read request body: http: request body too large", ErrorKind::PayloadTooLarge),
            (404, "ERR_DIRECT_INVOKE", "failed getting app id either from the URL path or the header dapr-app-id", ErrorKind::NotImplemented),
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
    }
}
