//! A disk that stays full: what is lost is tried again, ever more rarely, and at once when there is room.

use super::*;

/// How long until the engine does something by itself, in milliseconds.
fn rests(world: &World) -> u128 {
    let now = Instant::now();
    let due = world.driver.next_round(now, world.clock).expect("something waits");
    due.duration_since(now).as_millis()
}

/// Rounds of the engine alone until it has tried once more.
fn try_again(world: &mut World) {
    world.clock = world.clock.plus(Duration::from_millis(u64::try_from(rests(world)).expect("some seconds")));
    world.run(Vec::new());
    // The instance is handed out again, and what its worker answers is refused.
    world.answer(vec![activity()]);
}

#[test]
fn the_tries_become_rare_and_end_when_something_was_written() {
    let disk = Disk::default();
    let mut world = World::open(&disk);
    world.start("a");
    disk.full();
    world.answer(vec![activity()]);
    let mut pauses = vec![rests(&world)];
    for _ in 0..6 {
        try_again(&mut world);
        pauses.push(rests(&world));
    }
    assert_eq!(pauses, [200, 400, 800, 1600, 3200, 5000, 5000]);
    assert!(world.start("b").expect("refused").is_err());
    assert!(rests(&world) < 5000, "who is refused meanwhile puts nobody off");
    disk.well();
    world.start("c");
    assert_eq!(rests(&world), 0, "there is room again");
    world.settle();
    assert_eq!(world.shared.dispatch.take_turns(world.worker, 10).tasks.len(), 2);
    disk.full();
    assert!(world.start("d").expect("refused").is_err());
    assert_eq!(rests(&world), 200);
}

#[test]
fn a_try_takes_a_slice_and_the_others_follow_when_it_went_well() {
    let disk = Disk::default();
    let mut world = World::open(&disk);
    let ids: Vec<String> = (0..450).map(|number| format!("i-{number}")).collect();
    world.run(ids.iter().map(|id| start(id).0).collect());
    disk.full();
    let events = ids.iter().map(|id| {
        let (reply, _) = oneshot::channel();
        Request::Control(id.clone(), Control::Raise { name: "x".to_owned(), data: None }, reply)
    });
    world.run(events.collect());
    assert_eq!(world.driver.reload.len(), 450);
    world.clock = world.clock.plus(BACKOFF);
    world.run(Vec::new());
    assert_eq!(world.driver.reload.len(), 250);
    disk.well();
    world.settle();
    assert!(world.driver.reload.is_empty());
}
