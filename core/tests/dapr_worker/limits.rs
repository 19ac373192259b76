//! Messages that are larger than the runtime takes.

use everstep::model::RuntimeStatus;
use everstep::testkit::sidecar::{Fault, Runtime, Sidecar};
use serde_json::json;
use tonic::Code;

use crate::bench::{Serving, chain, check_history, output};

fn small() -> Runtime {
    let mut runtime = Runtime::dapr_1_18();
    runtime.max_message = 100_000;
    runtime
}

#[test]
fn a_result_that_is_too_large_fails_its_activity() {
    let programs = json!([{"name": "asks", "body": [
        {"try": [{"activity": "large"}], "catch": [{"return": {"$": "error.type"}}], "as": "error"}
    ]}]);
    let sidecar = Sidecar::open(small());
    let client = sidecar.client();
    let _serving = Serving::simple(&client, &programs);
    sidecar.begin("a", "asks", None);
    assert_eq!(output(&sidecar, "a").as_deref(), Some("\"payload_too_large\""));
}

#[test]
fn a_turn_that_asks_for_too_much_fails_its_instance() {
    let large = "x".repeat(200_000);
    let programs = json!([{"name": "asks", "body": [{"activity": "echo", "input": large}]}]);
    let sidecar = Sidecar::open(small());
    let client = sidecar.client();
    let _serving = Serving::simple(&client, &programs);
    sidecar.begin("a", "asks", None);
    assert_eq!(output(&sidecar, "a"), None);
    let state = sidecar.state("a").unwrap();
    assert_eq!(state.workflow_status, RuntimeStatus::Failed.number());
    assert_eq!(state.failure_details.unwrap().error_type, "payload_too_large");
    check_history(&sidecar, "a");
}

/// A proxy or a runtime under load may refuse what is not too large. That passes.
#[test]
fn being_refused_for_another_reason_is_no_failure() {
    for method in ["CompleteWorkflowTask", "CompleteActivityTask"] {
        let sidecar = Sidecar::open(Runtime::dapr_1_18());
        let client = sidecar.client();
        for _ in 0..5 {
            sidecar.fault(method, Fault::status(Code::ResourceExhausted, "too many requests"));
        }
        let _serving = Serving::simple(&client, &chain());
        sidecar.begin("a", "chain", Some("1"));
        assert_eq!(output(&sidecar, "a").as_deref(), Some("4"), "{method}");
        check_history(&sidecar, "a");
    }
}
