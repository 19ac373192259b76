//! The state that Dapr's HTTP API answers.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::client::time::parse_rfc3339;
use crate::error::{Error, Result};
use crate::model::{Failure, Micros, RuntimeStatus, WorkflowState};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Answer {
    #[serde(rename = "instanceID")]
    instance_id: String,
    workflow_name: String,
    created_at: String,
    last_updated_at: String,
    runtime_status: String,
    properties: BTreeMap<String, String>,
}

/// Reads a state.
///
/// # Errors
/// `internal` for an answer that is none of Dapr's.
pub(in super::super) fn read(body: &[u8]) -> Result<WorkflowState> {
    let foreign = || Error::internal("the answer is no workflow state of Dapr's");
    let answer: Answer = serde_json::from_slice(body).map_err(|error| foreign().with_source(error))?;
    if answer.instance_id.is_empty() {
        return Err(foreign());
    }
    let Answer { instance_id, workflow_name, created_at, last_updated_at, runtime_status, mut properties } =
        answer;
    let status = status(&runtime_status);
    let mut take = |key: &str| properties.remove(&format!("dapr.workflow.{key}"));
    let failure = take("failure.error_type").map(|error_type| Failure {
        error_type,
        message: take("failure.error_message").unwrap_or_default(),
        stack: take("failure.stack_trace").filter(|stack| !stack.is_empty()),
        ..Failure::default()
    });
    let reason = (status == RuntimeStatus::Stalled).then(|| {
        "the runtime answers UNKNOWN, which is how its HTTP API shows a stalled workflow; its gRPC API tells why".to_owned()
    });
    Ok(WorkflowState {
        instance_id,
        name: workflow_name,
        status,
        created_at: time(&created_at),
        last_updated_at: time(&last_updated_at),
        input: take("input"),
        output: take("output"),
        custom_status: take("custom_status"),
        failure,
        reason,
        ..WorkflowState::default()
    })
}

/// A status by name. The API has no word for a stalled workflow, the only one that it shows as unknown.
fn status(name: &str) -> RuntimeStatus {
    RuntimeStatus::from_name(name).unwrap_or(RuntimeStatus::Stalled)
}

fn time(text: &str) -> Micros {
    parse_rfc3339(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn a_failed_workflow_is_read() {
        let state = read(
            br#"{"instanceID": "a",  "workflowName":"flow", "createdAt":"2026-11-21T10:00:00.5Z", "lastUpdatedAt":"2026-11-21T10:00:01Z",
            "runtimeStatus":"FAILED", "properties":{"dapr.workflow.input":"1","dapr.workflow.failure.error_type":"ValueError",
            "dapr.workflow.failure.error_message":"bad"}}"#,
        )
        .unwrap();
        assert_eq!((state.status, state.name.as_str()), (RuntimeStatus::Failed, "flow"));
        assert_eq!(state.last_updated_at.0 - state.created_at.0, 500_000);
        assert_eq!(state.input.as_deref(), Some("1"));
        let failure = state.failure.unwrap();
        assert_eq!(
            (failure.error_type.as_str(), failure.message.as_str(), failure.stack),
            ("ValueError", "bad", None)
        );
    }

    #[test]
    fn unknown_is_stalled_and_says_why_it_is_not_known() {
        let state = read(br#"{"instanceID":"a","runtimeStatus":"UNKNOWN"}"#).unwrap();
        assert_eq!(state.status, RuntimeStatus::Stalled);
        assert!(state.reason.unwrap().contains("gRPC"));
    }

    #[test]
    fn anything_else_is_an_error() {
        for text in ["", "[]", "{\"properties\":3}", "<html>"] {
            assert_eq!(read(text.as_bytes()).unwrap_err().kind(), ErrorKind::Internal);
        }
    }
}
