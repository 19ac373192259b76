use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::engine::store::Key;

#[derive(Default)]
struct Count {
    workflows: AtomicUsize,
    activities: AtomicUsize,
}

impl Bell for Count {
    fn workflows(&self) {
        self.workflows.fetch_add(1, Ordering::Relaxed);
    }

    fn activities(&self) {
        self.activities.fetch_add(1, Ordering::Relaxed);
    }
}

fn join(dispatch: &Dispatch, workflows: &[&str], activities: &[&str]) -> (WorkerId, Arc<Count>) {
    let count = Arc::new(Count::default());
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let bell: Arc<dyn Bell> = count.clone();
    let id = dispatch.join(Abilities { workflows: set(workflows), activities: set(activities) }, &bell);
    count.workflows.store(0, Ordering::Relaxed);
    count.activities.store(0, Ordering::Relaxed);
    (id, count)
}

fn run(key: i64) -> RunKey {
    RunKey { key: Key(key), generation: 0 }
}

fn turn(key: i64, name: &str) -> WorkflowTask {
    WorkflowTask {
        run: run(key),
        token: u64::try_from(key).unwrap() + 100,
        instance_id: Arc::from("a"),
        execution_id: Arc::from("e"),
        name: Arc::from(name),
        turn: 0,
        has_past: false,
        events: Vec::new(),
    }
}

fn activity(key: i64, name: &str) -> ActivityTask {
    ActivityTask {
        run: run(key),
        task_id: 1,
        instance_id: Arc::from("a"),
        execution_id: Arc::from("e"),
        name: name.to_owned(),
        input: None,
        attempt: 1,
        execution_key: String::new(),
        deadline: None,
    }
}

fn key(of: i64) -> ActivityKey {
    ActivityKey { run: run(of), task_id: 1 }
}

fn taken(dispatch: &Dispatch, id: WorkerId, max: usize) -> Vec<i64> {
    dispatch.take_turns(id, max).tasks.iter().map(|task| task.run.key.0).collect()
}

fn took(dispatch: &Dispatch, id: WorkerId, max: usize) -> Vec<i64> {
    dispatch.take_activities(id, max).tasks.iter().map(|task| task.run.key.0).collect()
}

#[test]
fn turns_go_to_whoever_has_the_instance_cached_and_before_new_ones() {
    let dispatch = Dispatch::default();
    let (a, rung) = join(&dispatch, &["flow"], &[]);
    let (b, other) = join(&dispatch, &["flow"], &[]);
    dispatch.turns(vec![turn(1, "flow")]);
    assert_eq!(rung.workflows.load(Ordering::Relaxed) + other.workflows.load(Ordering::Relaxed), 2);
    assert_eq!(taken(&dispatch, a, 10), [1]);
    dispatch.turn_answered(a, run(1), true);
    dispatch.turns(vec![turn(2, "flow"), turn(1, "flow")]);
    assert_eq!(taken(&dispatch, a, 1), [1], "the cached one first");
    assert_eq!(taken(&dispatch, b, 10), [2]);
    dispatch.turn_answered(a, run(1), false);
    dispatch.turns(vec![turn(1, "flow")]);
    assert_eq!(taken(&dispatch, b, 10), [1], "nobody has it cached any more");
    let (c, _) = join(&dispatch, &["else"], &[]);
    dispatch.turns(vec![turn(3, "flow")]);
    assert!(taken(&dispatch, c, 10).is_empty(), "it does not know the name");
}

#[test]
fn what_a_worker_leaves_behind_goes_to_others() {
    let dispatch = Dispatch::default();
    let (a, _) = join(&dispatch, &["flow"], &["act"]);
    dispatch.turns(vec![turn(1, "flow"), turn(2, "flow")]);
    assert_eq!(taken(&dispatch, a, 2), [1, 2]);
    dispatch.turn_answered(a, run(2), true);
    dispatch.turns(vec![turn(2, "flow")]);
    dispatch.activities(vec![activity(1, "act")]);
    assert_eq!(took(&dispatch, a, 1), [1]);
    let (b, rung) = join(&dispatch, &["flow"], &["act"]);
    assert_eq!(dispatch.leave(a), [(run(1), 101)], "the engine hands it out again");
    assert!(dispatch.leave(a).is_empty());
    assert!(rung.workflows.load(Ordering::Relaxed) > 0 && rung.activities.load(Ordering::Relaxed) > 0);
    assert_eq!(taken(&dispatch, b, 9), [2], "it was only queued");
    assert_eq!(took(&dispatch, b, 9), [1], "it runs again");
    assert!(!dispatch.activity_answered(a, key(1)) && dispatch.activity_answered(b, key(1)));
    assert!(!dispatch.activity_answered(b, key(1)), "one answer counts");
}

#[test]
fn activities_that_nobody_wants_are_taken_back_or_called_off() {
    let dispatch = Dispatch::default();
    let (a, rung) = join(&dispatch, &[], &["act"]);
    dispatch.activities(vec![activity(1, "act"), activity(2, "act"), activity(2, "act")]);
    assert_eq!(took(&dispatch, a, 1), [1]);
    dispatch.activities(vec![activity(1, "act")]);
    dispatch.stop(&[key(1), key(2), key(3)]);
    assert!(rung.activities.load(Ordering::Relaxed) > 0);
    let work = dispatch.take_activities(a, 0);
    assert_eq!((work.tasks.len(), work.cancels), (0, vec![key(1)]), "a worker without room hears it too");
    assert!(took(&dispatch, a, 9).is_empty());
    assert!(!dispatch.activity_answered(a, key(1)));
}

#[test]
fn an_ended_run_is_evicted_wherever_it_is() {
    let dispatch = Dispatch::default();
    let (a, _) = join(&dispatch, &["flow"], &[]);
    dispatch.turns(vec![turn(1, "flow"), turn(2, "flow")]);
    dispatch.evict(run(1), Evict::Ended);
    assert_eq!(taken(&dispatch, a, 9), [2]);
    dispatch.evict(run(2), Evict::Stalled);
    let work = dispatch.take_turns(a, 0);
    assert_eq!((work.tasks.len(), work.evictions), (0, vec![(run(2), Evict::Stalled)]));
    assert!(dispatch.leave(a).is_empty(), "the engine has forgotten it already");
}

#[test]
fn a_turn_is_withdrawn_only_while_it_waits() {
    let dispatch = Dispatch::default();
    let (a, _) = join(&dispatch, &["flow"], &[]);
    dispatch.turns(vec![turn(1, "flow")]);
    assert!(dispatch.withdraw(run(1)) && !dispatch.withdraw(run(1)));
    // The engine gives every turn a token of its own.
    dispatch.turns(vec![WorkflowTask { token: 7, ..turn(1, "flow") }]);
    assert_eq!(taken(&dispatch, a, 9), [1]);
    assert!(!dispatch.withdraw(run(1)));
    dispatch.turn_answered(a, run(1), true);
    dispatch.turns(vec![turn(1, "flow")]);
    assert!(dispatch.withdraw(run(1)), "from the queue of its worker, too");
}

#[test]
fn a_dropped_run_gives_its_waiting_turn_to_anybody() {
    let dispatch = Dispatch::default();
    let (a, _) = join(&dispatch, &["flow"], &[]);
    let (b, _) = join(&dispatch, &["flow"], &[]);
    dispatch.turns(vec![turn(1, "flow")]);
    assert_eq!(taken(&dispatch, a, 9), [1]);
    dispatch.dropped(a, run(1));
    dispatch.turn_answered(a, run(1), true);
    dispatch.turns(vec![turn(1, "flow")]);
    dispatch.dropped(b, run(1));
    assert!(taken(&dispatch, b, 9).is_empty(), "not its to drop");
    dispatch.dropped(a, run(1));
    assert_eq!(taken(&dispatch, b, 9), [1]);
}

#[test]
fn a_name_that_nobody_has_is_given_up_after_its_grace() {
    let dispatch = Dispatch::default();
    dispatch.activities(vec![activity(1, "rare")]);
    let now = Instant::now();
    assert_eq!(dispatch.unknown(now).1, None, "without any worker it waits");
    let (a, _) = join(&dispatch, &[], &["act"]);
    let (tasks, again) = dispatch.unknown(now);
    assert!(tasks.is_empty() && again.is_some_and(|at| at > now));
    let (b, _) = join(&dispatch, &[], &["rare"]);
    assert_eq!(dispatch.unknown(Instant::now() + GRACE).1, None, "somebody has it now");
    dispatch.leave(b);
    let (tasks, again) = dispatch.unknown(Instant::now() + GRACE);
    assert_eq!((tasks.len(), again), (1, None));
    assert!(took(&dispatch, a, 9).is_empty());
    // A name that was waited for in vain once has its whole grace again.
    dispatch.activities(vec![activity(2, "rare")]);
    dispatch.stop(&[key(2)]);
    dispatch.activities(vec![activity(3, "act")]);
    assert!(dispatch.unknown(Instant::now()).1.is_none());
}

#[test]
fn no_name_starves_another() {
    let dispatch = Dispatch::default();
    let (a, _) = join(&dispatch, &["x", "y", "z"], &["x", "y", "z"]);
    for number in 0..300 {
        let name = ["x", "y", "z"][if number < 280 { 0 } else { number % 2 + 1 }];
        let number = i64::try_from(number).unwrap();
        dispatch.turns(vec![turn(number, name)]);
        dispatch.activities(vec![activity(number, name)]);
    }
    let mut turns = Vec::new();
    let mut activities = Vec::new();
    for _ in 0..100 {
        turns.extend(taken(&dispatch, a, 1));
        activities.extend(took(&dispatch, a, 1));
    }
    assert_eq!((turns.len(), activities.len()), (100, 100));
    for taken in [turns, activities] {
        assert_eq!(taken.iter().filter(|number| **number >= 280).count(), 20, "the rare ones are through");
    }
}
