//! A disk that fills up or fails beneath a live engine: callers get a typed error, and nothing is lost.

use std::time::{Duration, Instant};

use everstep::runtime::wait_on;
use everstep::testkit::disk::Disk;
use everstep::{Client, Error, ErrorKind, Result};

use crate::PATIENCE;
use crate::disk::{Machine, read};
use crate::load;
use crate::orders;
use crate::register::{InMemory, Register};

/// Longer than an engine waits before it tries lost work again, several times.
const FULL: Duration = Duration::from_millis(900);

fn kind<T>(result: Result<T>) -> ErrorKind {
    result.map(drop).expect_err("the disk does not take it").kind()
}

#[test]
fn an_engine_whose_disk_is_full_goes_on_when_there_is_room() {
    let disk = Disk::new(7);
    let machine = Machine::start(&disk).unwrap();
    let client = &machine.client;
    let workers = orders::workers(client, None);
    let register = InMemory::default();
    assert!(load::run(client, &register, 0, 4, 12).is_empty());
    // Half of these are still on their way when the room ends: with results, timers, children and events.
    let on_their_way: Vec<String> = (0..40).map(|number| format!("order-1-0-{number}")).collect();
    for id in &on_their_way {
        register.note(&format!("start? {id}"));
        orders::start_order(client, id, "box-0-0", 10).unwrap();
        register.note(&format!("start! {id}"));
    }
    disk.limit(Some(disk.used()));
    let refused = std::thread::scope(|scope| {
        // Who waits is not told of a disk that is full: the answer comes once there is room.
        let waiter = scope.spawn(|| on_their_way.iter().map(|id| orders::result(client, id)).collect());
        let room = Room(&disk);
        let refused = fill_up(client, &register);
        wait_on(client.get(None, "order-0-0-1", true), None).expect("reading needs no room");
        drop(room);
        let results: Vec<Result<_>> = waiter.join().unwrap();
        results.into_iter().for_each(|result| assert_eq!(result.unwrap().as_deref(), Some("5")));
        refused
    });
    for id in &refused.starts {
        assert_eq!(kind(wait_on(client.get(None, id, false), None)), ErrorKind::NotFound);
    }
    assert!(load::run(client, &register, 2, 4, 4).is_empty());
    load::finish(client, &workers).unwrap();
    drop((workers, machine));
    let found = read(&disk).unwrap();
    found.hold_against(&register.read()).and_then(|()| found.hold_end()).unwrap();
    assert!(refused.items.iter().all(|item| !found.items["box-0-1"].contains(item)));
}

/// Makes room when it is dropped, so that a test that fails does not wait for it.
struct Room<'d>(&'d Disk);

impl Drop for Room<'_> {
    fn drop(&mut self) {
        self.0.limit(None);
    }
}

/// What a full disk did not take.
#[derive(Default)]
struct Refused {
    starts: Vec<String>,
    items: Vec<String>,
}

/// Calls an engine whose disk is full until it has refused for a while. A small change may find room where a large one
/// did not.
fn fill_up(client: &Client, register: &dyn Register) -> Refused {
    let (mut refused, mut first) = (Refused::default(), None);
    let until = Instant::now() + PATIENCE;
    for number in 0.. {
        let (id, item) = (format!("order-9-0-{number}"), format!("e-9-0-{number}"));
        register.note(&format!("start? {id}"));
        match orders::start_order(client, &id, "box-0-0", 10) {
            Ok(()) => register.note(&format!("start! {id}")),
            Err(error) => refused.starts.push(told(&error, id)),
        }
        register.note(&format!("item? box-0-1 {item}"));
        match orders::raise(client, "box-0-1", &item) {
            Ok(()) => register.note(&format!("item! box-0-1 {item}")),
            Err(error) => refused.items.push(told(&error, item)),
        }
        if !refused.starts.is_empty() && !refused.items.is_empty() {
            let first = first.get_or_insert_with(Instant::now);
            if first.elapsed() > FULL {
                break;
            }
        }
        assert!(Instant::now() < until, "the disk never fills");
    }
    refused
}

fn told(error: &Error, what: String) -> String {
    assert_eq!(error.kind(), ErrorKind::ResourceExhausted, "{error}");
    assert!(error.message().contains("free space"), "{error}");
    what
}

#[test]
fn an_engine_whose_flush_fails_stops_and_has_told_no_lies() {
    let disk = Disk::new(11);
    let machine = Machine::start(&disk).unwrap();
    let client = &machine.client;
    let workers = orders::workers(client, None);
    let register = InMemory::default();
    assert!(load::run(client, &register, 0, 2, 4).is_empty());
    orders::start(client, "box", "box-1-9", Some("[]".to_owned())).unwrap();
    register.note("start? box-1-9");
    register.note("start! box-1-9");
    let errors = std::thread::scope(|scope| {
        let waiter = scope.spawn(|| orders::result(client, "box-1-9"));
        let load = scope.spawn(|| load::run(client, &register, 1, 4, 1000));
        let until = Instant::now() + PATIENCE;
        while register.read().acknowledged() < 60 {
            assert!(Instant::now() < until, "the load does not begin");
            std::thread::yield_now();
        }
        disk.fail_syncs(1);
        assert_eq!(kind(waiter.join().unwrap()), ErrorKind::Unavailable);
        load.join().unwrap()
    });
    assert_eq!(errors.len(), 4, "every caller is told");
    for error in &errors {
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    }
    // For good: a later flush that succeeds proves nothing about the one that failed.
    assert_eq!(kind(orders::start(client, "leaf", "order-2-0-0", None)), ErrorKind::Unavailable);
    assert_eq!(kind(orders::raise(client, "box-1-9", "late")), ErrorKind::Unavailable);
    assert_eq!(kind(orders::result(client, "box-1-9")), ErrorKind::Unavailable);
    drop((workers, machine));
    read(&disk.after_power_loss()).and_then(|found| found.hold_against(&register.read())).unwrap();
    let machine = Machine::start(&disk).unwrap();
    let workers = orders::workers(&machine.client, None);
    load::finish(&machine.client, &workers).unwrap();
    drop((workers, machine));
    let found = read(&disk).unwrap();
    found.hold_against(&register.read()).and_then(|()| found.hold_end()).unwrap();
}
