//! What went between Dapr and the workers, against the recorded order of it.

use everstep::history::{Event, wire};
use prost::Message;
use serde_json::Value;
use wire::work_item::Request;
use wire::workflow_action::WorkflowActionType;

use crate::expect;
use crate::vectors::{Case, base64, cases, items, text};

fn listed<'a>(case: &'a Case, list: &str, index: &Value) -> &'a Value {
    &items(&case.data[list])[usize::try_from(index.as_u64().unwrap()).unwrap()]
}

fn to_worker(case: &Case, row: &Value) {
    let bytes = base64(listed(case, "work_items_b64", &row["work_item"]));
    match wire::WorkItem::decode(bytes).unwrap().request.expect("a known request") {
        Request::WorkflowRequest(request) => {
            assert_eq!(text(&row["what"]), "workflow");
            assert_eq!(request.instance_id, text(&row["instance_id"]));
            assert_eq!(Some(request.past_events.len() as u64), row["pastEvents"].as_u64());
            let kinds = request.new_events.into_iter().map(|event| Event::new(event).kind());
            let expected: Vec<_> =
                items(&row["newEvents"]).iter().map(|kind| expect::name(text(kind))).collect();
            assert_eq!(kinds.collect::<Vec<_>>(), expected, "{}", case.name);
        }
        Request::ActivityRequest(request) => {
            assert_eq!(text(&row["what"]), "activity");
            assert_eq!(request.workflow_instance.unwrap().instance_id, text(&row["instance_id"]));
            assert_eq!(request.name, text(&row["name"]));
            assert_eq!(Some(i64::from(request.task_id)), row["taskId"].as_i64());
        }
        Request::HealthPing(_) => panic!("no ping was recorded"),
    }
}

fn from_worker(case: &Case, row: &Value) {
    let bytes = base64(listed(case, "completions_b64", &row["completion"]));
    if text(&row["what"]) == "activity" {
        let response = wire::ActivityResponse::decode(bytes.clone()).unwrap();
        assert_eq!(response.encoded_len(), bytes.len(), "{}: a field is unknown", case.name);
        assert_eq!(response.instance_id, text(&row["instance_id"]));
        assert_eq!(Some(i64::from(response.task_id)), row["taskId"].as_i64());
        assert_eq!(Some(response.failure_details.is_some()), row["failed"].as_bool());
        return;
    }
    let response = wire::WorkflowResponse::decode(bytes.clone()).unwrap();
    assert_eq!(response.encoded_len(), bytes.len(), "{}: a field is unknown", case.name);
    assert_eq!(response.instance_id, text(&row["instance_id"]));
    let actions =
        response.actions.iter().map(|action| Value::from(vec![action.id.into(), Value::from(kind(action))]));
    assert_eq!(actions.collect::<Vec<_>>(), items(&row["actions"]), "{}", case.name);
}

fn kind(action: &wire::WorkflowAction) -> &'static str {
    match action.workflow_action_type.as_ref().expect("a known action") {
        WorkflowActionType::ScheduleTask(_) => "scheduleTask",
        WorkflowActionType::CreateChildWorkflow(_) => "createChildWorkflow",
        WorkflowActionType::CreateTimer(_) => "createTimer",
        WorkflowActionType::SendEvent(_) => "sendEvent",
        WorkflowActionType::CompleteWorkflow(_) => "completeWorkflow",
        WorkflowActionType::TerminateWorkflow(_) => "terminateWorkflow",
        WorkflowActionType::WorkflowVersionNotAvailable(_) => "workflowVersionNotAvailable",
        WorkflowActionType::CreateDetachedWorkflow(_) => "createDetachedWorkflow",
    }
}

#[test]
fn every_message_reads_as_its_row() {
    let mut seen = [0, 0];
    for case in cases() {
        for row in items(&case.data["traffic"]) {
            if text(&row["dir"]) == "to_worker" {
                to_worker(&case, row);
                seen[0] += 1;
            } else {
                from_worker(&case, row);
                seen[1] += 1;
            }
        }
    }
    assert!(seen.iter().all(|count| *count > 500), "{seen:?}");
}

#[test]
fn a_worker_says_what_it_can() {
    let mut capabilities = Vec::new();
    for language in ["go", "java", "javascript", "python"] {
        let connect = crate::vectors::read(&format!("{language}/_connect.json"));
        let calls = items(&connect["calls"]).iter().filter(|call| text(&call["rpc"]) == "GetWorkItems");
        for call in calls {
            let request = wire::GetWorkItemsRequest::decode(base64(&call["request_b64"])).unwrap();
            capabilities.push((language, request.capabilities().collect::<Vec<_>>()));
        }
    }
    use wire::WorkerCapability::{HealthPing, StatefulHistory};
    let python = vec![HealthPing, StatefulHistory];
    assert_eq!(capabilities, [("go", vec![]), ("java", vec![]), ("javascript", vec![]), ("python", python)]);
}
