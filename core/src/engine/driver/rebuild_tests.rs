//! A file that has lost all that is beside its turns and its inbox.

use futures_channel::oneshot;
use serde_json::{Value, json};

use super::*;
use crate::engine::Shared;
use crate::engine::store::Durability;
use crate::engine::store::sqlite::SqliteStore;
use crate::model::{Filter, StartRequest};
use crate::testkit::scratch::Scratch;
use crate::testkit::text::TextHost;
use crate::worker::source::EmbeddedSource;
use crate::worker::{Poll, Worker};

const LOSE: &str = "UPDATE instances SET status = 0, name = '', version = NULL, updated_at = 0, started_at = NULL, \
                    completed_at = NULL, next_turn = 0, custom_status = NULL, execution_id = '', has_work = 0; \
                    DELETE FROM timers;";

fn programs() -> Value {
    json!([
        {"name": "ends", "body": [{"activity": "echo", "input": 1}, {"status": "half"}, {"return": 2}]},
        {"name": "sleeps", "body": [{"activity": "echo", "input": 1}, {"timer": 3_600_000}, {"return": 2}]},
        {"name": "waits", "body": [{"status": "waiting"}, {"event": "never", "as": "x"}, {"return": 2}]},
        {"name": "again", "body": [
            {"status": "kept"},
            {"if": {"$lt": [{"$": "input"}, 3]}, "then": [{"continue_as_new": {"$add": [{"$": "input"}, 1]}}]},
            {"event": "never", "as": "x"}
        ]},
        {"name": "parent", "body": [{"child": "sleeps", "input": 1, "as": "x"}, {"return": 1}]}
    ])
}

fn start(name: &str, start_at: Option<Micros>) -> Request {
    let request = StartRequest {
        name: name.to_owned(),
        instance_id: Some(format!("{name}{}", if start_at.is_some() { " later" } else { "" })),
        input: Some("1".to_owned()),
        start_at,
        ..StartRequest::default()
    };
    Request::Start(Box::new(request), oneshot::channel().0)
}

#[test]
fn rows_and_timers_of_a_file_are_rebuilt_from_turns_and_inbox() {
    let scratch = Scratch::new();
    let path = scratch.path("a.db");
    let open = || SqliteStore::open(&path, Durability::Process).unwrap();
    let (shared, mut driver) = Shared::over(Box::new(open()), Some(1)).unwrap();
    let programs = programs();
    let mut host = TextHost::new(programs.as_array().unwrap());
    let source = EmbeddedSource::by_hand(shared.clone());
    let (worker, _) = Worker::join(&source, &host.open(100), 1 << 20).unwrap();
    let mut clock = Micros(1_700_000_000_000_000);
    let mut requests: Vec<Request> =
        ["ends", "sleeps", "waits", "again", "parent", "unknown"].map(|name| start(name, None)).into();
    requests.push(start("ends", Some(clock.plus(Duration::from_secs(3_600)))));
    shared.inbox.push_all(requests);
    for step in 0..60 {
        clock.0 += 1_000;
        driver.run(shared.inbox.take(), clock);
        if let Poll::Batch(text) = worker.poll_workflows(10, 1 << 20, Some(Duration::ZERO)).unwrap() {
            worker.complete(&host.turns(&text)).unwrap();
        } else if let Poll::Batch(text) = worker.poll_activities(10, 1 << 20, Some(Duration::ZERO)).unwrap() {
            worker.complete(&host.activities(&text)).unwrap();
        }
        if step == 40 {
            let control = |id: &str, control| Request::Control(id.to_owned(), control, oneshot::channel().0);
            let raise = Control::Raise { name: "other".to_owned(), data: None };
            shared.inbox.push_all(vec![
                control("waits", raise),
                control("sleeps", Control::Pause(None)),
                control("parent", Control::Terminate { output: None, recursive: true }),
            ]);
        }
    }
    drop((worker, driver, source, shared));
    let mut store = open();
    let rows = store.reader().list(&Filter::default(), None, 100).unwrap();
    let timers = store.timers(None, 100).unwrap();
    assert!(rows.len() == 8 && timers.len() >= 2, "{rows:?} {timers:?}");
    let generations = rows.iter().any(|row| row.generation == 2 && row.custom_status.is_some());
    let statuses: HashSet<RuntimeStatus> = rows.iter().map(|row| row.status).collect();
    assert!(generations && statuses.len() == 5, "{rows:?}");
    drop(store);
    rusqlite::Connection::open(&path).unwrap().execute_batch(LOSE).unwrap();
    let mut store = open();
    let mut rebuilt_timers = Vec::new();
    for row in rows {
        let loaded = store.load(row.key).unwrap().unwrap();
        assert_ne!(loaded.row, row, "it was lost");
        let (mut rebuilt, timers) = Machine::index(&loaded).unwrap();
        assert!(rebuilt.updated_at <= row.updated_at);
        rebuilt.updated_at = row.updated_at;
        assert_eq!(rebuilt, row);
        rebuilt_timers.extend(timers);
    }
    rebuilt_timers.sort_unstable();
    assert_eq!(rebuilt_timers, timers);
}
