//! Watching an engine: what was seen stays what it is when the instance leaves memory, and no end is missed.

#![allow(clippy::unwrap_used, unreachable_pub)]

use std::time::Duration;

use everstep::component::{Pending, Registry};
use everstep::model::{RuntimeStatus, Seen, StartRequest, WorkflowState};
use everstep::testkit::text::TextHost;
use everstep::testkit::workers::Workers;
use everstep::{Client, ClientOptions, Environment, ErrorKind, Result};
use serde_json::Value;

fn open(endpoint: &str) -> Client {
    Client::open_in(&Environment::new(|_| None, "/"), Registry::default(), ClientOptions::at(endpoint))
        .unwrap()
}

fn work(client: &Client, names: &[&str]) -> Workers {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../conformance/fixtures.json");
    let table: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let named = |workflow: &&Value| {
        let variant = workflow["variant"].as_str().map(|variant| format!("@{variant}")).unwrap_or_default();
        names.contains(&format!("{}{variant}", workflow["name"].as_str().unwrap()).as_str())
    };
    let programs: Vec<&Value> = table["workflows"].as_array().unwrap().iter().filter(named).collect();
    assert_eq!(programs.len(), names.len());
    Workers::open(client, 1000, || TextHost::new(programs.iter().copied())).unwrap()
}

fn answer<T>(call: Pending<'static, T>) -> Result<T> {
    everstep::runtime::wait_on(call, Some(Duration::from_secs(60)))
}

fn start(client: &Client, name: &str, id: &str) {
    let request = StartRequest {
        name: name.to_owned(),
        instance_id: Some(id.to_owned()),
        input: Some("1".to_owned()),
        ..StartRequest::default()
    };
    answer(client.start(None, request)).unwrap();
}

/// Watches until a state is as wanted; gives what was seen then.
fn until(client: &Client, id: &str, wanted: impl Fn(&WorkflowState) -> bool) -> Seen {
    let mut seen = None;
    loop {
        let change = answer(client.next_change(None, id, None, seen, true)).unwrap().expect("it comes");
        seen = Some(change.seen);
        if wanted(&change.state) {
            return change.seen;
        }
    }
}

fn is(status: RuntimeStatus) -> impl Fn(&WorkflowState) -> bool {
    move |state| state.status == status
}

#[test]
fn what_was_seen_is_the_same_after_a_restart() {
    let folder = std::env::temp_dir().join(format!("everstep-watch-{}", uuid::Uuid::new_v4().simple()));
    std::fs::create_dir_all(&folder).unwrap();
    let endpoint = format!("sqlite:{}", folder.join("workflows.db").display());
    let client = open(&endpoint);
    let waiting = |state: &WorkflowState| state.custom_status.is_some();
    {
        let _workers = work(&client, &["waits", "echo_input", "activity_fails", "changing", "counts"]);
        for (name, id) in [
            ("waits", "running"),
            ("waits", "suspended"),
            ("waits", "terminated"),
            ("echo_input", "completed"),
            ("activity_fails", "failed"),
            ("changing", "stalled"),
            ("counts", "generations"),
        ] {
            start(&client, name, id);
        }
        for id in ["running", "suspended", "terminated", "stalled"] {
            until(&client, id, waiting);
        }
        answer(client.pause(None, "suspended", Some("closed".to_owned()))).unwrap();
        until(&client, "suspended", is(RuntimeStatus::Suspended));
        answer(client.terminate(None, "terminated", Some("\"over\"".to_owned()), true)).unwrap();
        for id in ["terminated", "completed", "failed", "generations"] {
            until(&client, id, |state| state.status.is_terminal());
        }
    }
    {
        let _workers = work(&client, &["changing@renamed"]);
        answer(client.raise_event(None, "stalled", "go", None)).unwrap();
        until(&client, "stalled", is(RuntimeStatus::Stalled));
    }
    start(&client, "waits", "pending");
    let seen = |client: &Client| {
        let ids = [
            "running",
            "suspended",
            "terminated",
            "completed",
            "failed",
            "stalled",
            "generations",
            "pending",
        ];
        ids.map(|id| {
            let change = answer(client.next_change(None, id, None, None, true)).unwrap().unwrap();
            (id, change.state.status, change.seen)
        })
    };
    let before = seen(&client);
    client.close();
    let client = open(&endpoint);
    assert_eq!(seen(&client), before);
    for (id, _, seen) in before {
        let next = everstep::runtime::wait_on(
            client.next_change(None, id, None, Some(seen), true),
            Some(Duration::from_millis(20)),
        );
        match next {
            Ok(None) => assert!(seen.is_last(), "{id}"),
            Err(error) => assert!(error.kind() == ErrorKind::Timeout && !seen.is_last(), "{id}: {error}"),
            Ok(Some(change)) => panic!("{id} has not changed: {:?}", change.state),
        }
    }
    client.close();
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn every_watch_of_many_instances_ends_once() {
    const INSTANCES: usize = 300;
    let client = open("memory:");
    let _workers = work(&client, &["counts", "echo_input"]);
    std::thread::scope(|scope| {
        let watchers: Vec<_> = (0..6)
            .map(|part| {
                let client = client.clone();
                scope.spawn(move || {
                    for number in (part..INSTANCES).step_by(6) {
                        let id = format!("i-{number}");
                        start(&client, if number % 2 == 0 { "counts" } else { "echo_input" }, &id);
                        let last = until(&client, &id, |state| state.status.is_terminal());
                        assert!(last.is_last());
                        let after = client.next_change(None, &id, None, Some(last), true);
                        assert_eq!(answer(after).unwrap(), None);
                    }
                })
            })
            .collect();
        watchers.into_iter().for_each(|watcher| watcher.join().unwrap());
    });
    client.close();
}

#[test]
fn a_close_and_a_purge_end_a_watch() {
    let client = open("memory:");
    let workers = work(&client, &["waits"]);
    for id in ["closed", "purged"] {
        start(&client, "waits", id);
    }
    let seen = ["closed", "purged"].map(|id| until(&client, id, |state| state.custom_status.is_some()));
    answer(client.terminate(None, "purged", None, true)).unwrap();
    until(&client, "purged", is(RuntimeStatus::Terminated));
    answer(client.purge(None, "purged", true)).unwrap();
    let purged = answer(client.next_change(None, "purged", None, Some(seen[1]), true));
    assert_eq!(purged.unwrap_err().kind(), ErrorKind::NotFound);
    let waits = client.next_change(None, "closed", None, Some(seen[0]), true);
    let thread = std::thread::spawn(move || answer(waits));
    drop(workers);
    client.close();
    assert_eq!(thread.join().unwrap().unwrap_err().kind(), ErrorKind::Closed);
}
