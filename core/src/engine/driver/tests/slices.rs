//! Slices of bulk operations beside what others ask.

use super::bulk::BulkSlice;
use super::*;
use crate::model::{BulkAction, BulkStep};

fn pause(name: &str) -> (Request, oneshot::Receiver<Result<BulkStep>>) {
    let (reply, answer) = oneshot::channel();
    let filter = Filter {
        name: Some(name.to_owned()),
        statuses: vec![RuntimeStatus::Pending, RuntimeStatus::Running],
        ..Filter::default()
    };
    let action = BulkAction::Pause { reason: None };
    let slice = BulkSlice { action, filter, before: None, done: 0 };
    (Request::Bulk(Box::new(slice), reply), answer)
}

fn step(answer: &mut oneshot::Receiver<Result<BulkStep>>) -> Option<BulkStep> {
    heard(answer).map(|answer| answer.expect("the slice is taken"))
}

#[test]
fn a_slice_lets_others_go_first_and_comes_at_once_when_there_are_none() {
    let mut world = World::open(&Disk::default());
    for number in 0..80 {
        world.start(&format!("flow-{number}"));
    }
    world.run(Vec::new());
    let (request, mut first) = pause("flow");
    world.run(vec![request, start("a").0]);
    assert_eq!(step(&mut first), None);
    world.settle();
    let first = step(&mut first).expect("taken as soon as nobody else asks");
    assert!((1..81).contains(&first.done) && first.cursor.is_some(), "{first:?}");

    let (request, mut second) = pause("flow");
    world.run(vec![request]);
    assert!(step(&mut second).is_some(), "nobody else has asked since");

    let (request, mut third) = pause("flow");
    let mut rounds = 0;
    world.run(vec![request, start("b").0]);
    while step(&mut third).is_none() {
        rounds += 1;
        assert!(rounds < 20, "others do not keep it waiting for ever");
        assert!(world.driver.next_round(Instant::now(), world.clock).is_some(), "it is not forgotten");
        world.clock = world.clock.plus(Duration::from_millis(40));
        world.run(vec![start(&format!("c-{rounds}")).0]);
    }
    assert!(rounds > 1, "others go first");
}

#[test]
fn a_bulk_operation_on_a_broken_engine_is_refused() {
    let disk = Disk::default();
    let mut world = World::open(&disk);
    world.start("a");
    disk.at_commit(|_| Err(Error::new(ErrorKind::Unavailable, "the disk is gone")));
    let (waiting, mut early) = pause("flow");
    world.run(vec![waiting, start("b").0]);
    assert_eq!(heard(&mut early).expect("answered").unwrap_err().kind(), ErrorKind::Unavailable);
    let (request, mut late) = pause("flow");
    world.run(vec![request]);
    assert_eq!(heard(&mut late).expect("answered").unwrap_err().kind(), ErrorKind::Unavailable);
}
