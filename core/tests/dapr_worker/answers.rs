//! Answers that fail: each turn is answered at most once, each activity until the runtime has it.

use everstep::history::wire;
use everstep::testkit::sidecar::{Fault, Runtime, Sidecar, What};
use tonic::Code;

use crate::bench::{Gate, Serving, chain, check_history, held, lines, output, turns_answered};

const TURN: &str = "CompleteWorkflowTask";
const ACTIVITY: &str = "CompleteActivityTask";

fn failures() -> Vec<Fault> {
    let unavailable = || What::Status(Code::Unavailable, "transport is closing".into());
    let deadline = || What::Status(Code::DeadlineExceeded, "context deadline exceeded".into());
    vec![
        Fault::before(What::Reset),
        Fault::after(What::Reset),
        Fault::before(What::Cut),
        Fault::after(What::Cut),
        Fault::before(unavailable()),
        Fault::after(unavailable()),
        Fault::before(deadline()),
        Fault::after(deadline()),
        Fault::before(What::Status(Code::Unknown, "workflow actor is closing".into())),
        Fault::after(What::Status(Code::Internal, "boom".into())),
    ]
}

#[test]
fn an_answer_that_may_have_landed_never_hits_the_next_turn() {
    for (line, runtime) in lines() {
        for cached in [1000, 0] {
            for fault in failures() {
                let label = format!("{line}, {cached} cached, {fault:?}");
                let sidecar = Sidecar::open(runtime.clone());
                let client = sidecar.client();
                sidecar.fault(TURN, fault.clone());
                let _serving = Serving::open(&client, &chain(), &Gate::opened(), cached, 10);
                sidecar.begin("a", "chain", Some("1"));
                assert_eq!(output(&sidecar, "a").as_deref(), Some("4"), "{label}");
                check_history(&sidecar, "a");
                if line == "1.18" {
                    let (sent, answered) = (sidecar.sent().0, turns_answered(&sidecar).len());
                    assert!(answered <= sent, "{label}: {answered} answers to {sent} turns");
                }
            }
        }
    }
}

#[test]
fn every_answer_may_fail_once() {
    for (line, runtime) in lines() {
        let sidecar = Sidecar::open(runtime);
        let client = sidecar.client();
        for fault in failures() {
            sidecar.fault(TURN, fault.clone());
            sidecar.fault(ACTIVITY, fault);
        }
        let gate = Gate::opened();
        let _serving = Serving::open(&client, &chain(), &gate, 1000, 10);
        for id in ["a", "b", "c"] {
            sidecar.begin(id, "chain", Some("1"));
        }
        for id in ["a", "b", "c"] {
            assert_eq!(output(&sidecar, id).as_deref(), Some("4"), "{line}");
            check_history(&sidecar, id);
        }
    }
}

#[test]
fn a_result_that_was_lost_is_sent_again_and_its_activity_not_run_again() {
    for fault in failures() {
        let label = format!("{fault:?}");
        let sidecar = Sidecar::open(Runtime::dapr_1_18());
        let client = sidecar.client();
        sidecar.fault(ACTIVITY, fault);
        let gate = Gate::opened();
        let _serving = Serving::open(&client, &held(), &gate, 1000, 10);
        sidecar.begin("a", "held", Some("7"));
        assert_eq!(output(&sidecar, "a").as_deref(), Some("7"), "{label}");
        check_history(&sidecar, "a");
        assert_eq!(gate.ran(), (1, 1), "{label}");
    }
}

#[test]
fn tokens_are_echoed() {
    let sidecar = Sidecar::open(Runtime::dapr_1_19());
    let client = sidecar.client();
    let _serving = Serving::simple(&client, &chain());
    sidecar.begin("a", "chain", Some("1"));
    assert_eq!(output(&sidecar, "a").as_deref(), Some("4"));
    check_history(&sidecar, "a");
    let turns = turns_answered(&sidecar);
    assert!(turns.len() == 4 && turns.iter().all(|turn| turn.completion_token.len() == 36), "{turns:?}");
    let activities: Vec<wire::ActivityResponse> =
        sidecar.calls_of(ACTIVITY).iter().map(Sidecar::read).collect();
    assert!(activities.len() == 3 && activities.iter().all(|done| done.completion_token.len() == 36));
    assert_eq!(sidecar.stale(), 0);
}

#[test]
fn a_runtime_that_knows_the_old_name_alone_is_asked_by_it_from_then_on() {
    for unknown in [
        Runtime::dapr_1_18().unknown_method,
        (Code::Unimplemented, "unknown method CompleteWorkflowTask for service TaskHubSidecarService"),
    ] {
        let mut runtime = Runtime::dapr_1_18();
        runtime.complete_workflow_task = false;
        runtime.unknown_method = unknown;
        let sidecar = Sidecar::open(runtime);
        let client = sidecar.client();
        let _serving = Serving::simple(&client, &chain());
        for id in ["a", "b"] {
            sidecar.begin(id, "chain", Some("1"));
            assert_eq!(output(&sidecar, id).as_deref(), Some("4"));
        }
        assert_eq!(sidecar.calls_of("CompleteOrchestratorTask").len(), 8);
        assert_eq!((sidecar.calls_of(TURN).len(), sidecar.sent().0), (1, 8));
    }
}
