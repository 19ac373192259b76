//! Reruns: one commit, answered after it, wholly or not at all.

use super::*;
use crate::model::RerunRequest;

fn rerun(id: &str, event: i32) -> (Request, oneshot::Receiver<Result<Started>>) {
    let (reply, answer) = oneshot::channel();
    let request = RerunRequest {
        instance_id: id.to_owned(),
        from_event: event,
        new_instance_id: Some("again".to_owned()),
        input: None,
    };
    (Request::Rerun(Box::new(request), reply), answer)
}

/// An instance that asked for two activities and a child and was terminated.
fn ended(disk: &Disk) -> World {
    let mut world = World::open(disk);
    world.start("a");
    world.answer(vec![activity(), child("kid"), activity()]);
    world.run(vec![terminate("a").0]);
    world.settle();
    world.shared.dispatch.take_activities(world.worker, 10);
    world
}

fn activities(world: &World) -> Vec<i32> {
    world.shared.dispatch.take_activities(world.worker, 10).tasks.iter().map(|task| task.task_id).collect()
}

#[test]
fn a_rerun_is_one_commit_and_nothing_of_it_leaves_before() {
    let disk = Disk::default();
    let mut world = ended(&disk);
    let (before, shared, worker) = (disk.commits(), world.shared.clone(), world.worker);
    disk.at_commit(move |ops| {
        assert!(matches!(ops[0], Op::Insert(_)));
        assert_eq!(
            ops.iter().filter(|op| matches!(op, Op::Turn { .. })).count(),
            2,
            "the past and what is open"
        );
        assert!(shared.dispatch.take_activities(worker, 10).tasks.is_empty());
        assert!(shared.hub.get("again").is_none());
        Ok(())
    });
    let (request, mut answer) = rerun("a", 3);
    world.run(vec![request]);
    let started = heard(&mut answer).expect("answered").unwrap();
    assert_eq!((disk.commits(), started.instance_id.as_str()), (before + 1, "again"));
    assert_eq!(started.execution_id, disk.row("again").map(|row| row.execution_id));
    assert_eq!(activities(&world), [1, 3]);
    let kid = disk.row("kid").expect("the source's child");
    assert_eq!(kid.status, RuntimeStatus::Terminated);
}

#[test]
fn of_a_refused_rerun_nothing_is_there_and_it_can_be_asked_again() {
    let disk = Disk::default();
    let mut world = ended(&disk);
    disk.full();
    let (request, mut answer) = rerun("a", 1);
    world.run(vec![request]);
    assert_eq!(heard(&mut answer).expect("refused").unwrap_err().kind(), ErrorKind::ResourceExhausted);
    assert!(disk.row("again").is_none() && activities(&world).is_empty());
    disk.well();
    world.clock = world.clock.plus(BACKOFF);
    world.settle();
    assert!(disk.row("again").is_none());
    let (request, mut answer) = rerun("a", 1);
    world.run(vec![request]);
    assert!(heard(&mut answer).expect("answered").is_ok());
    assert_eq!(activities(&world), [1]);
}

#[test]
fn what_a_rerun_has_open_is_handed_out_again_after_a_crash() {
    let disk = Disk::default();
    let mut world = ended(&disk);
    world.run(vec![rerun("a", 3).0]);
    let mut world = world.restart();
    world.settle();
    assert_eq!(activities(&world), [1, 3]);
}

#[test]
fn a_rerun_sees_what_the_requests_before_it_did() {
    let disk = Disk::default();
    let mut world = World::open(&disk);
    world.start("a");
    let task = world.turn();
    let (request, mut answer) = rerun("a", 1);
    world.run(vec![answered(&task, vec![activity()]), terminate("a").0, request]);
    assert!(heard(&mut answer).expect("answered").is_ok());
    assert_eq!(activities(&world), [1]);
    assert_eq!(disk.row("again").expect("it is stored").next_turn, 2);
}
