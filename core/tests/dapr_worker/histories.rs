//! Runtimes that send a worker only what it has not got.

use everstep::testkit::sidecar::{Fault, Runtime, Sidecar, What};
use tonic::Code;

use crate::bench::{Gate, PATIENCE, Serving, check_history, events, output};

const HISTORY: &str = "GetInstanceHistory";

fn open(cached: usize) -> (Sidecar, everstep::Client, Serving) {
    let sidecar = Sidecar::open(Runtime::dapr_1_19());
    let client = sidecar.client();
    let serving = Serving::open(&client, &events(), &Gate::opened(), cached, 10);
    sidecar.begin("a", "events", None);
    sidecar.until("the first turn", |sidecar| !sidecar.history("a").is_empty());
    (sidecar, client, serving)
}

fn raise(client: &everstep::Client, sidecar: &Sidecar, name: &str) {
    let before = sidecar.history("a").len();
    let call = client.raise_event(None, "a", name, Some(format!("\"{name}\"")));
    everstep::runtime::wait_on(call, Some(PATIENCE)).unwrap();
    sidecar.until("its turn", |sidecar| sidecar.history("a").len() > before);
}

const EXPECTED: Option<&str> = Some(r#"["a","b","c",5]"#);

#[test]
fn a_warm_instance_needs_no_history() {
    let (sidecar, client, _serving) = open(1000);
    for name in ["a", "b", "c"] {
        raise(&client, &sidecar, name);
    }
    assert_eq!(output(&sidecar, "a").as_deref(), EXPECTED);
    assert_eq!(sidecar.calls_of(HISTORY).len(), 0);
    check_history(&sidecar, "a");
}

#[test]
fn a_cold_instance_asks_for_its_history() {
    let (sidecar, client, _serving) = open(0);
    for name in ["a", "b", "c"] {
        raise(&client, &sidecar, name);
    }
    assert_eq!(output(&sidecar, "a").as_deref(), EXPECTED);
    assert!(!sidecar.calls_of(HISTORY).is_empty(), "a suffix alone cannot be replayed");
    check_history(&sidecar, "a");
}

#[test]
fn a_count_that_does_not_fit_changes_nothing() {
    for cached in [1000, 0] {
        for by in [-1, 1, 1_000_000, -1_000_000] {
            let (sidecar, client, _serving) = open(cached);
            raise(&client, &sidecar, "a");
            sidecar.miscount("a", by);
            raise(&client, &sidecar, "b");
            sidecar.miscount("a", by);
            raise(&client, &sidecar, "c");
            assert_eq!(output(&sidecar, "a").as_deref(), EXPECTED, "{cached} cached, {by} more");
            check_history(&sidecar, "a");
        }
    }
}

#[test]
fn a_history_that_cannot_be_had_is_asked_for_again_or_delivered_whole() {
    for fault in [
        Fault::status(Code::Unavailable, "closing"),
        Fault::status(Code::Internal, "boom"),
        Fault::before(What::Reset),
        Fault::before(What::Cut),
    ] {
        let (sidecar, client, _serving) = open(0);
        raise(&client, &sidecar, "a");
        sidecar.fault(HISTORY, fault.clone());
        sidecar.fault(HISTORY, fault.clone());
        raise(&client, &sidecar, "b");
        raise(&client, &sidecar, "c");
        assert_eq!(output(&sidecar, "a").as_deref(), EXPECTED, "{fault:?}");
        check_history(&sidecar, "a");
    }
}
