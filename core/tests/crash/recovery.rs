//! How soon an engine takes up what a killed process left.

use std::time::{Duration, Instant};

use everstep::Client;
use everstep::runtime::wait_on;
use everstep::testkit::host::{End, Host};
use everstep::testkit::scratch::Scratch;
use everstep::testkit::text::TextHost;
use everstep::worker::{Poll, Worker};

use crate::PATIENCE;
use crate::child::{Child, Files, lines};
use crate::orders;

const INSTANCES: usize = 2000;

/// The host of the life before has no `effect`: its worker takes turns only.
fn host_of_turns() -> TextHost {
    let mut host = Host::new();
    host.workflow("leaf", |ctx, _| async move { Ok(End::Return(ctx.activity("effect", None).await?)) });
    host.activity("effect", |_| panic!("nobody polls for activities"));
    TextHost::over(host)
}

/// Starts instances and runs their first turns, so that each has an activity that nobody has taken.
pub(crate) fn leave_behind(client: &Client) {
    let mut host = host_of_turns();
    let (worker, _) = Worker::open(client, None, &host.open(INSTANCES)).expect("the worker opens");
    std::thread::scope(|scope| {
        for caller in 0..8 {
            scope.spawn(move || {
                for number in (caller..INSTANCES).step_by(8) {
                    orders::start(client, "leaf", &format!("order-{number}-c"), None).expect("it starts");
                }
            });
        }
        let mut turns = 0;
        while turns < INSTANCES {
            let poll = worker.poll_workflows(100, 1 << 20, Some(PATIENCE)).expect("the engine lives");
            let Poll::Batch(batch) = poll else { panic!("{turns} turns, then {poll:?}") };
            let answer = host.turns(&batch);
            turns += answer.matches("\"activity\"").count();
            worker.complete(&answer).expect("the host's text can be read");
        }
    });
    for number in 0..INSTANCES {
        // Published after the flush of the turn.
        let started = client.wait_for_start(None, &format!("order-{number}-c"), Some(PATIENCE), false);
        wait_on(started, None).expect("its turn is written");
    }
    std::mem::forget(worker);
}

#[test]
fn thousands_of_instances_are_taken_up_after_a_kill() {
    let scratch = Scratch::new();
    let files = Files::begin(&scratch);
    let mut child = Child::begin("leave", &files, 0);
    child.await_ready();
    child.kill();
    let began = Instant::now();
    let client = orders::open(&files.endpoint()).unwrap();
    let workers = orders::workers(&client, Some(&files.ledger()));
    for number in 0..INSTANCES {
        assert_eq!(orders::result(&client, &format!("order-{number}-c")).unwrap().as_deref(), Some("1"));
    }
    let took = began.elapsed();
    drop(workers);
    let ledger = lines(&files.ledger());
    let distinct: std::collections::HashSet<_> = ledger.iter().collect();
    assert_eq!((ledger.len(), distinct.len()), (INSTANCES, INSTANCES), "each is handed out once");
    assert!(took < Duration::from_secs(30), "{took:?}");
    println!("{INSTANCES} instances were taken up and ended {took:?} after the kill");
}
