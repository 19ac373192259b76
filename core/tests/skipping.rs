//! An engine whose time skips: workflows that sleep for days end at once, and nothing that could still happen is skipped.

use std::time::Duration;

use everstep::component::Registry;
use everstep::model::{RuntimeStatus, StartRequest};
use everstep::runtime::block_on;
use everstep::testkit::text::TextHost;
use everstep::testkit::workers::Workers;
use everstep::{Client, ClientOptions, Environment};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(60);
const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;

struct Bench {
    client: Client,
    _workers: Workers,
}

impl Bench {
    /// A client and a worker of one fixture, `flow`, that keeps so many instances.
    fn new(max_cached: usize, body: &Value) -> Bench {
        let fixture = json!({"name": "flow", "body": body});
        let environment = Environment::new(|_| None, "/");
        let client =
            Client::open_in(&environment, Registry::default(), ClientOptions::at("test:")).expect("it opens");
        let workers = Workers::open(&client, max_cached, || TextHost::new([&fixture])).expect("it opens");
        Bench { client, _workers: workers }
    }

    fn start(&self, id: &str, input: &Value) {
        self.start_named("flow", id, input);
    }

    fn start_named(&self, name: &str, id: &str, input: &Value) {
        let (name, instance_id) = (name.to_owned(), Some(id.to_owned()));
        let request =
            StartRequest { name, instance_id, input: Some(input.to_string()), ..StartRequest::default() };
        block_on(self.client.start(None, request), Some(PATIENCE), &mut || Ok(()))
            .expect("it is answered in time");
    }

    fn result(&self, id: &str) -> Value {
        let wait = self.client.result(None, id, None, Some(PATIENCE));
        let output = block_on(wait, None, &mut || Ok(())).expect("it is answered in time");
        serde_json::from_str(&output.expect("an output")).expect("JSON")
    }

    fn status(&self, id: &str) -> RuntimeStatus {
        block_on(self.client.get(None, id, false), Some(PATIENCE), &mut || Ok(()))
            .expect("it is answered in time")
            .status
    }
}

/// Runs with every turn from the cache, and with every turn a replay.
fn both(body: &Value, check: impl Fn(&Bench)) {
    for max_cached in [1_000, 0] {
        check(&Bench::new(max_cached, body));
    }
}

#[test]
fn sleeping_for_months_takes_no_time() {
    let body = json!([
        {"set": "began", "to": {"$now": {}}},
        {"timer": 30 * DAY}, {"timer": 1}, {"timer": 30 * DAY},
        {"return": {"$lt": [{"$add": [{"$": "began"}, 60 * DAY]}, {"$now": {}}]}},
    ]);
    both(&body, |bench| {
        bench.start("a", &json!(null));
        assert_eq!(bench.result("a"), json!(true));
    });
}

#[test]
fn time_stands_while_nobody_waits() {
    let body = json!([
        {"try": [{"event": "go", "timeout_ms": 3 * DAY, "as": "data"}, {"return": {"$": "data"}}], "catch": [{"return": "late"}]},
    ]);
    both(&body, |bench| {
        for round in 0..50 {
            let (early, late) = (format!("early-{round}"), format!("late-{round}"));
            bench.start(&early, &json!(null));
            bench.start(&late, &json!(null));
            assert!(!bench.status(&early).is_terminal());
            let event = bench.client.raise_event(None, &early, "go", Some("1".to_owned()));
            block_on(event, Some(PATIENCE), &mut || Ok(())).unwrap();
            assert_eq!(bench.result(&early), json!(1));
            assert_eq!(bench.result(&late), json!("late"));
        }
    });
}

#[test]
fn nothing_that_is_under_way_is_skipped() {
    // Wherever a turn or an activity is for a moment nowhere, the hour would win.
    let body = json!([
        {"set": "lost", "to": 0},
        {"for": "step", "in": {"$range": 100}, "do": [
            {"any": [{"activity": "echo", "input": 1}, {"timer": HOUR}], "as": "first"},
            {"set": "lost", "to": {"$add": [{"$": "lost"}, {"$": "first.index"}]}},
        ]},
        {"return": {"$": "lost"}},
    ]);
    both(&body, |bench| {
        let ids: Vec<String> = (0..4).map(|number| format!("flow-{number}")).collect();
        ids.iter().for_each(|id| bench.start(id, &json!(null)));
        ids.iter().for_each(|id| assert_eq!(bench.result(id), json!(0)));
    });
}

#[test]
fn timers_fire_in_their_order() {
    let body = json!([{"timer": {"$": "input"}}, {"return": {"$now": {}}}]);
    both(&body, |bench| {
        for hours in [3, 1, 2] {
            bench.start(&format!("h{hours}"), &json!(hours * HOUR));
        }
        let last = bench.result("h3").as_u64().unwrap();
        assert_eq!(bench.status("h1"), RuntimeStatus::Completed);
        assert_eq!(bench.status("h2"), RuntimeStatus::Completed);
        let (first, second) = (bench.result("h1").as_u64().unwrap(), bench.result("h2").as_u64().unwrap());
        // The starts were moments apart, the timers an hour.
        assert!(second - first > HOUR / 2 && last - second > HOUR / 2);
    });
}

#[test]
fn retries_with_long_pauses_take_no_time() {
    let retry =
        json!({"max_attempts": 4, "first_interval_ms": DAY, "backoff": 10.0, "max_interval_ms": 100 * DAY});
    let body = json!([
        {"activity": "flaky", "input": {"fails": 3}, "retry": retry, "as": "done"},
        {"return": {"$": "done.attempt"}},
    ]);
    both(&body, |bench| {
        bench.start("a", &json!(null));
        assert_eq!(bench.result("a"), json!(4));
    });
}

#[test]
fn what_no_worker_can_run_does_not_hold_time() {
    both(&json!([{"timer": DAY}, {"return": 1}]), |bench| {
        bench.start_named("unknown", "waits", &json!(null));
        bench.start("sleeps", &json!(null));
        assert_eq!(bench.result("sleeps"), json!(1));
        assert_eq!(bench.status("waits"), RuntimeStatus::Pending);
    });
}
