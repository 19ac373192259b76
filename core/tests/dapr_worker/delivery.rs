//! What is delivered: many items, items again, and items that nobody understands.

use bytes::Bytes;
use everstep::model::RuntimeStatus;
use everstep::testkit::sidecar::{Runtime, Sidecar};
use serde_json::json;
use tonic::Code;

use crate::bench::{Gate, Serving, chain, check_history, events, held, lines, output};

#[test]
fn nothing_is_dropped_with_many_items_and_few_slots() {
    let programs = json!([{"name": "wide", "body": [
        {"each": {"$range": 10}, "item": "i", "do": {"activity": "held", "input": {"$": "i"}}, "as": "all"},
        {"return": {"$len": {"$": "all"}}}
    ]}]);
    let sidecar = Sidecar::open(Runtime::dapr_1_18());
    let client = sidecar.client();
    // A thousand turns and as many activities are there before the worker, which has two places for each.
    for number in 0..1000 {
        sidecar.begin(&format!("w{number}"), if number % 10 == 0 { "wide" } else { "held" }, Some("1"));
    }
    let gate = Gate::opened();
    let both = json!([programs[0], held()[0]]);
    let _serving = Serving::open(&client, &both, &gate, 20, 2);
    for number in 0..1000 {
        let expected = if number % 10 == 0 { "10" } else { "1" };
        assert_eq!(output(&sidecar, &format!("w{number}")).as_deref(), Some(expected));
    }
    assert_eq!(gate.ran(), (1900, 1), "each activity ran once");
    assert_eq!((sidecar.streams(), sidecar.stale()), (1, 0));
}

#[test]
fn what_is_delivered_again_has_no_second_effect() {
    for (line, runtime) in lines() {
        let sidecar = Sidecar::open(runtime);
        let client = sidecar.client();
        let gate = Gate::default();
        let _serving = Serving::open(&client, &held(), &gate, 1000, 1000);
        for number in 0..20 {
            sidecar.begin(&format!("a{number}"), "held", Some("7"));
        }
        sidecar.until("all activities are out", |sidecar| sidecar.sent().1 == 20);
        for round in 2..5 {
            sidecar.end_streams(Code::Unavailable, "closing");
            sidecar.until("they are delivered again", |sidecar| sidecar.sent().1 == 20 * round);
        }
        gate.open();
        for number in 0..20 {
            let id = format!("a{number}");
            assert_eq!(output(&sidecar, &id).as_deref(), Some("7"), "{line}");
            check_history(&sidecar, &id);
        }
        assert_eq!(gate.ran(), (20, 1), "{line}");
    }
}

#[test]
fn a_stream_may_break_at_any_time() {
    for (line, runtime) in lines() {
        for cached in [1000, 1, 0] {
            let sidecar = Sidecar::open(runtime.clone());
            let client = sidecar.client();
            let _serving = Serving::open(&client, &chain(), &Gate::opened(), cached, 5);
            for number in 0..30 {
                sidecar.begin(&format!("a{number}"), "chain", Some("1"));
                if number % 3 == 0 {
                    sidecar.cut();
                } else if number % 3 == 1 {
                    sidecar.end_streams(Code::Cancelled, "shutting down");
                }
            }
            for number in 0..30 {
                let id = format!("a{number}");
                assert_eq!(output(&sidecar, &id).as_deref(), Some("4"), "{line}, {cached} cached");
                check_history(&sidecar, &id);
            }
        }
    }
}

#[test]
fn fields_and_numbers_of_tomorrow_are_borne() {
    for (line, mut runtime) in lines() {
        runtime.of_tomorrow = true;
        for cached in [1000, 0] {
            let sidecar = Sidecar::open(runtime.clone());
            let client = sidecar.client();
            let both = json!([chain()[0], events()[0]]);
            let _serving = Serving::open(&client, &both, &Gate::opened(), cached, 10);
            sidecar.begin("a", "chain", Some("1"));
            sidecar.begin("b", "events", None);
            assert_eq!(output(&sidecar, "a").as_deref(), Some("4"), "{line}, {cached} cached");
            for event in [&b"\x8a\x01\x03\x0a\x01a"[..], b"\x8a\x01\x03\x0a\x01b", b"\x8a\x01\x03\x0a\x01c"] {
                // An event of a kind that nobody knows goes before each that is waited for.
                sidecar.deliver(
                    "b",
                    Bytes::from_static(b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\xc2\x02\x02\x08\x01"),
                );
                sidecar.deliver("b", Bytes::from_static(event));
            }
            assert_eq!(
                output(&sidecar, "b").as_deref(),
                Some("[null,null,null,5]"),
                "{line}, {cached} cached"
            );
        }
    }
}

#[test]
fn items_that_cannot_be_read_do_not_take_the_stream_along() {
    let sidecar = Sidecar::open(Runtime::dapr_1_18());
    let client = sidecar.client();
    let _serving = Serving::simple(&client, &chain());
    sidecar.until("the stream", |sidecar| sidecar.streams() == 1);
    for item in [
        &b""[..],
        // A turn that is cut, a turn of nothing, an activity of nobody, a kind of tomorrow.
        b"\x0a\x03\x1a\x7f\x00",
        b"\x0a\x00",
        b"\x12\x00",
        b"\x7a\x02\x08\x01",
        b"\x0a\x05\x0a\x03\xff\xfe\xfd",
        b"\x12\x04\x0a\x02\xff\xfe",
    ] {
        sidecar.send(&Bytes::from_static(item));
    }
    assert_eq!(sidecar.ping(), 1, "the worker says that it knows health pings");
    sidecar.begin("a", "chain", Some("1"));
    assert_eq!(output(&sidecar, "a").as_deref(), Some("4"));
    assert_eq!((sidecar.streams(), sidecar.calls_of("GetWorkItems").len()), (1, 1));
}

#[test]
fn an_unknown_workflow_fails_and_an_unknown_activity_fails_its_call() {
    let programs = json!([{"name": "asks", "body": [
        {"try": [{"activity": "nobody_has_it"}], "catch": [{"return": {"$": "error.code"}}], "as": "error"}
    ]}]);
    let sidecar = Sidecar::open(Runtime::dapr_1_18());
    let client = sidecar.client();
    let _serving = Serving::simple(&client, &programs);
    sidecar.begin("unknown", "nobody_has_it", None);
    sidecar.begin("asks", "asks", None);
    assert_eq!(output(&sidecar, "asks").as_deref(), Some("\"activity_not_registered\""));
    output(&sidecar, "unknown");
    let state = sidecar.state("unknown").unwrap();
    assert_eq!(state.workflow_status, RuntimeStatus::Failed.number());
    assert_eq!(state.failure_details.unwrap().error_type, "WorkflowNotRegistered");
}
