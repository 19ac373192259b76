//! Stored histories through the code that wrote them, and through other code.

use std::time::Duration;

use everstep::bridge::StallCode;
use everstep::component::Registry;
use everstep::model::StartRequest;
use everstep::runtime::block_on;
use everstep::testkit::text::TextHost;
use everstep::testkit::workers::Workers;
use everstep::worker::{Poll, Worker};
use everstep::{Client, ClientOptions, Environment, Result};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(60);
const MIB: usize = 1 << 20;

/// A workflow of these steps that waits behind them if its input is true.
fn fixture(steps: &[Value]) -> Value {
    let end =
        [json!({"if": {"$": "input"}, "then": [{"status": "waits"}, {"event": "go"}]}), json!({"return": 1})];
    let body: Vec<Value> = steps.iter().cloned().chain(end).collect();
    json!({"name": "flow", "body": body})
}

fn wait<T>(pending: impl Future<Output = Result<T>>) -> T {
    block_on(pending, Some(PATIENCE), &mut || Ok(())).expect("it is answered in time")
}

/// A client with one ended run of these steps, `a`, and one that waits behind them, `b`.
fn stored(steps: &[Value]) -> Client {
    let fixture = fixture(steps);
    let environment = Environment::new(|_| None, "/");
    let client =
        Client::open_in(&environment, Registry::default(), ClientOptions::at("test:")).expect("it opens");
    let workers = Workers::open(&client, 1_000, || TextHost::new([&fixture])).expect("it opens");
    for (id, waits) in [("a", false), ("b", true)] {
        let (name, instance_id) = ("flow".to_owned(), Some(id.to_owned()));
        let input = Some(waits.to_string());
        wait(client.start(None, StartRequest { name, instance_id, input, ..StartRequest::default() }));
    }
    wait(client.wait_for_completion(None, "a", Some(PATIENCE), false));
    let mut seen = None;
    while let Some(change) = wait(client.next_change(None, "b", None, seen, true)) {
        if change.state.custom_status.is_some() {
            break;
        }
        seen = Some(change.seen);
    }
    drop(workers);
    client
}

/// Whether each of the two histories fits these steps.
fn fits(client: &Client, steps: &[Value]) -> [bool; 2] {
    let fixture = fixture(steps);
    ["a", "b"].map(|id| {
        let events = wait(client.history(None, id));
        let mut host = TextHost::new([&fixture]);
        let (worker, rehearsal) = Worker::rehearse(id, events, &host.open(0), MIB).expect("it opens");
        while let Poll::Batch(text) = worker.poll_workflows(100, MIB, Some(Duration::ZERO)).expect("a batch")
        {
            worker.complete(&host.turns(&text)).expect("the host's text can be read");
        }
        match rehearsal.outcome().expect("the host has answered") {
            Ok(()) => true,
            Err(stall) => {
                assert_eq!(stall.code, StallCode::NonDeterminism, "{stall}");
                false
            }
        }
    })
}

#[test]
fn code_fits_what_it_wrote_and_other_code_does_not() {
    let retry = json!({"max_attempts": 3, "first_interval_ms": 5});
    let echo = json!({"activity": "echo", "input": 1});
    let steps = [
        echo.clone(),
        json!({"activity": "flaky", "input": {"fails": 1}, "retry": retry}),
        json!({"timer": 1}),
        json!({"all": [{"activity": "echo"}, {"activity": "add", "input": [1, 2]}]}),
    ];
    let client = stored(&steps);
    assert_eq!(fits(&client, &steps), [true, true]);
    assert_eq!(fits(&client, &steps[..3]), [false, false]);
    assert_eq!(fits(&client, &steps[1..]), [false, false]);
    let more: Vec<Value> = steps.iter().cloned().chain([echo]).collect();
    assert_eq!(fits(&client, &more), [false, false]);
    let mut swapped = steps.clone();
    swapped.swap(0, 2);
    assert_eq!(fits(&client, &swapped), [false, false]);
    let patched: Vec<Value> =
        [json!({"patch": "new", "as": "p"}), json!({"if": {"$": "p"}, "then": [{"return": 2}]})]
            .into_iter()
            .chain(steps)
            .collect();
    assert_eq!(fits(&client, &patched), [true, true]);
}
