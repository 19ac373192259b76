//! Sidecars that come late, go and come again, and refuse.

use std::time::{Duration, Instant};

use everstep::component::{Pending, Registry};
use everstep::runtime::wait_on;
use everstep::testkit::sidecar::{Fault, Runtime, Sidecar, What};
use everstep::{Client, ClientOptions, Environment, ErrorKind};
use serde_json::json;
use tonic::Code;

use crate::bench::{Gate, PATIENCE, Serving, chain, check_history, held, output};

fn streams(sidecar: &Sidecar) -> usize {
    sidecar.calls_of("GetWorkItems").len()
}

#[test]
fn a_sidecar_may_start_after_its_worker() {
    let sidecar = Sidecar::reserve(Runtime::dapr_1_18());
    let client = sidecar.client();
    let serving = Serving::simple(&client, &chain());
    sidecar.begin("a", "chain", Some("1"));
    // The first attempt finds nobody.
    let end = Instant::now() + PATIENCE;
    while serving.worker.status().last_error.is_none() {
        assert!(Instant::now() < end, "no attempt was made");
        std::thread::yield_now();
    }
    assert_eq!(serving.worker.status().last_error.unwrap().0, ErrorKind::Unavailable);
    sidecar.start();
    assert_eq!(output(&sidecar, "a").as_deref(), Some("4"));
    assert!(serving.worker.status().connected);
}

#[test]
fn a_worker_comes_back_however_its_stream_ends() {
    let sidecar = Sidecar::open(Runtime::dapr_1_18());
    let client = sidecar.client();
    let _serving = Serving::simple(&client, &chain());
    let ends: [(&str, &dyn Fn()); 6] = [
        ("shutdown", &|| sidecar.end_streams(Code::Cancelled, "shutting down")),
        ("unavailable", &|| {
            sidecar.end_streams(Code::Unavailable, "unable to establish work item stream at this time");
        }),
        ("without an error", &|| sidecar.end_streams(Code::Ok, "")),
        ("internal", &|| sidecar.end_streams(Code::Internal, "boom")),
        ("cut", &|| sidecar.cut()),
        ("restart", &|| {
            sidecar.stop();
            sidecar.start();
        }),
    ];
    for (number, (label, end)) in ends.iter().enumerate() {
        sidecar.until("a stream", |sidecar| sidecar.streams() == 1);
        let before = streams(&sidecar);
        end();
        sidecar.until(label, |sidecar| streams(sidecar) > before && sidecar.streams() == 1);
        let id = format!("a{number}");
        sidecar.begin(&id, "chain", Some("1"));
        assert_eq!(output(&sidecar, &id).as_deref(), Some("4"), "{label}");
    }
}

#[test]
fn an_activity_that_runs_over_a_restart_answers_on_the_new_connection() {
    for stop in [false, true] {
        let sidecar = Sidecar::open(Runtime::dapr_1_18());
        let client = sidecar.client();
        let gate = Gate::default();
        let _serving = Serving::open(&client, &held(), &gate, 1000, 10);
        sidecar.begin("a", "held", Some("7"));
        gate.until(1);
        let first = sidecar.calls_of("GetWorkItems")[0].connection;
        if stop {
            sidecar.stop();
            sidecar.start();
        } else {
            sidecar.cut();
        }
        sidecar.until("the activity is delivered again", |sidecar| sidecar.sent().1 == 2);
        gate.open();
        assert_eq!(output(&sidecar, "a").as_deref(), Some("7"));
        assert_eq!(gate.ran(), (1, 1), "it was still running, so it is not run again");
        let results = sidecar.calls_of("CompleteActivityTask");
        assert!(!results.is_empty() && results.iter().all(|call| call.connection > first));
        check_history(&sidecar, "a");
    }
}

#[test]
fn a_token_that_is_wrong_is_no_end_and_no_storm() {
    let mut runtime = Runtime::dapr_1_18();
    runtime.api_token = Some("right".into());
    let sidecar = Sidecar::open(runtime);
    let mut options = ClientOptions::at(sidecar.endpoint());
    options.remote.api_token = Some("wrong".into());
    let client = Client::open_in(&Environment::new(|_| None, "/"), Registry::default(), options).unwrap();
    let serving = Serving::simple(&client, &chain());
    let began = Instant::now();
    let error = wait_on(serving.worker.ready(Some(PATIENCE)), None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "waiting is of no use");
    assert!(began.elapsed() < PATIENCE / 2);
    sidecar.until("it tries again", |sidecar| streams(sidecar) >= 3);
    assert!(began.elapsed() > Duration::from_millis(60), "there are pauses between the attempts");
    assert_eq!(sidecar.streams(), 0);
    let status = serving.worker.status();
    assert_eq!((status.connected, status.last_error.unwrap().0), (false, ErrorKind::Unauthenticated));
    sidecar.change(|runtime| runtime.api_token = Some("wrong".into()));
    // The next attempt may still meet the old token.
    while wait_on(serving.worker.ready(Some(PATIENCE)), None).is_err() {
        assert!(began.elapsed() < PATIENCE, "it never gets ready");
    }
    assert!(serving.worker.status().connected);
    sidecar.begin("a", "chain", Some("1"));
    assert_eq!(output(&sidecar, "a").as_deref(), Some("4"));
}

#[test]
fn a_worker_that_closes_waits_for_what_runs_and_has_it_answered() {
    let sidecar = Sidecar::open(Runtime::dapr_1_18());
    let client = sidecar.client();
    let gate = Gate::default();
    let serving = Serving::open(&client, &held(), &gate, 1000, 10);
    sidecar.begin("a", "held", Some("7"));
    gate.until(1);
    let worker = serving.worker.clone();
    let closing = std::thread::spawn(move || worker.shutdown(PATIENCE));
    while !serving.worker.is_closed() {
        std::thread::yield_now();
    }
    gate.open();
    closing.join().unwrap();
    assert_eq!(sidecar.calls_of("CompleteActivityTask").len(), 1, "the answer was sent before it closed");
    sidecar.until("the stream closes", |sidecar| sidecar.streams() == 0);
    drop(serving);
    let _serving = Serving::simple(&client, &held());
    assert_eq!(output(&sidecar, "a").as_deref(), Some("7"));
    assert_eq!(gate.ran(), (1, 1));
}

#[test]
fn a_deadline_ends_a_close_and_what_ran_goes_to_another_worker() {
    let sidecar = Sidecar::open(Runtime::dapr_1_18());
    let client = sidecar.client();
    let (first, second) = (Gate::default(), Gate::opened());
    let serving = Serving::open(&client, &held(), &first, 1000, 10);
    sidecar.begin("a", "held", Some("7"));
    first.until(1);
    let began = Instant::now();
    serving.worker.shutdown(Duration::from_millis(300));
    assert!(began.elapsed() < PATIENCE / 2, "{:?}", began.elapsed());
    sidecar.until("the stream closes", |sidecar| sidecar.streams() == 0);
    let other = Serving::open(&client, &held(), &second, 1000, 10);
    assert_eq!(output(&sidecar, "a").as_deref(), Some("7"));
    assert_eq!((first.ran(), second.ran()), ((1, 1), (1, 1)));
    first.open();
    drop((serving, other));
    check_history(&sidecar, "a");
}

#[test]
fn workers_of_one_process_share_one_stream() {
    let sidecar = Sidecar::open(Runtime::dapr_1_18());
    let client = sidecar.client();
    let (chains, holds) = (Serving::simple(&client, &chain()), Serving::simple(&client, &held()));
    for (id, name) in [("a", "chain"), ("b", "held"), ("c", "chain"), ("d", "held")] {
        sidecar.begin(id, name, Some("1"));
    }
    for (id, expected) in [("a", "4"), ("b", "1"), ("c", "4"), ("d", "1")] {
        assert_eq!(output(&sidecar, id).as_deref(), Some(expected));
    }
    assert_eq!((sidecar.streams(), streams(&sidecar)), (1, 1));
    drop(chains);
    sidecar.begin("e", "held", Some("1"));
    assert_eq!(output(&sidecar, "e").as_deref(), Some("1"));
    drop(holds);
    sidecar.until("the stream closes with the last worker", |sidecar| sidecar.streams() == 0);
}

#[test]
fn a_call_that_its_caller_gives_up_is_given_up_at_the_sidecar() {
    let sidecar = Sidecar::open(Runtime::dapr_1_18());
    let client = sidecar.client();
    let programs = json!([{"name": "waits", "body": [{"event": "go"}]}]);
    let _serving = Serving::simple(&client, &programs);
    sidecar.begin("a", "waits", None);
    let waiting: Pending<'static, _> = client.wait_for_completion(None, "a", None, false);
    let ended = everstep::runtime::wait_on(waiting, Some(Duration::from_millis(300)));
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::Timeout);
    sidecar.until("the wait is cancelled", |sidecar| {
        sidecar.calls_of("WaitForInstanceCompletion").iter().any(|call| call.ended && call.cancelled)
    });
    assert_eq!(sidecar.streams(), 1, "the connection lives on");
}

#[test]
fn an_answer_that_is_no_message_is_an_error_and_the_connection_lives_on() {
    let sidecar = Sidecar::open(Runtime::dapr_1_18());
    let client = sidecar.client();
    let _serving = Serving::simple(&client, &chain());
    sidecar.begin("a", "chain", Some("1"));
    assert_eq!(output(&sidecar, "a").as_deref(), Some("4"));
    let bombs: [&[u8]; 8] = [
        b"",
        b"\0",
        // Lengths without their bytes, compressed, two messages, no text, no message, and a page.
        b"\0\xff\xff\xff\xff\x08",
        b"\0\0\0\0\x05\x08",
        b"\x01\0\0\0\x02\x08\x01",
        b"\0\0\0\0\x02\x08\x01\0\0\0\0\x02\x08\x01",
        b"\0\0\0\0\x06\x08\x01\x12\x02\x0a\x7f",
        b"<html>502 Bad Gateway</html>",
    ];
    for bytes in bombs {
        sidecar.fault("GetInstance", Fault::before(What::Bytes(bytes.to_vec())));
        let answer = everstep::runtime::wait_on(client.get(None, "a", true), Some(PATIENCE));
        assert_eq!(answer.unwrap_err().kind(), ErrorKind::Internal, "{bytes:?}");
        let state = everstep::runtime::wait_on(client.get(None, "a", true), Some(PATIENCE)).unwrap();
        assert_eq!(state.output.as_deref(), Some("4"));
    }
    assert_eq!(streams(&sidecar), 1);
}
