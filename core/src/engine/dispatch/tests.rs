use std::sync::atomic::{AtomicUsize, Ordering};

use super::absent::{GRACE, VERSION_GRACE};
use super::*;
use crate::bridge::WorkflowName;
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

/// A worker of workflows such as `flow`, `flow@v1`, or `flow@v2!` for the latest one.
fn join(dispatch: &Dispatch, workflows: &[&str], activities: &[&str]) -> (WorkerId, Arc<Count>) {
    let count = Arc::new(Count::default());
    let workflows: Vec<WorkflowName> = workflows.iter().map(|text| declared(text)).collect();
    let activities: Vec<String> = activities.iter().map(|name| (*name).to_owned()).collect();
    let bell: Arc<dyn Bell> = count.clone();
    let id = dispatch.join(Arc::new(Abilities::new(&workflows, &activities)), &bell);
    count.workflows.store(0, Ordering::Relaxed);
    count.activities.store(0, Ordering::Relaxed);
    (id, count)
}

fn declared(text: &str) -> WorkflowName {
    let (plain, latest) = (text.trim_end_matches('!'), text.ends_with('!'));
    let (name, version) = match plain.split_once('@') {
        Some((name, version)) => (name, Some(version.to_owned())),
        None => (plain, None),
    };
    WorkflowName { name: name.to_owned(), version, latest }
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
        version: Version::Latest,
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
    assert_eq!(dispatch.next_overdue(), None, "without any worker it waits");
    let (a, _) = join(&dispatch, &[], &["act"]);
    assert!(
        dispatch.overdue(now).activities.is_empty() && dispatch.next_overdue().is_some_and(|at| at > now)
    );
    let (b, _) = join(&dispatch, &[], &["rare"]);
    assert_eq!(dispatch.next_overdue(), None, "somebody has it now");
    dispatch.leave(b);
    let tasks = dispatch.overdue(Instant::now() + GRACE).activities;
    assert_eq!((tasks.len(), dispatch.next_overdue()), (1, None));
    assert!(took(&dispatch, a, 9).is_empty());
    // A name that was waited for in vain once has its whole grace again.
    dispatch.activities(vec![activity(2, "rare")]);
    dispatch.stop(&[key(2)]);
    dispatch.activities(vec![activity(3, "act")]);
    assert!(dispatch.next_overdue().is_none());
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

fn needing(key: i64, version: Version) -> WorkflowTask {
    WorkflowTask { version, ..turn(key, "flow") }
}

fn named(version: &str) -> Version {
    Version::Named(Arc::from(version))
}

#[test]
fn the_latest_is_the_marked_one_or_the_last() {
    let latest = |texts: &[&str]| {
        let workflows: Vec<WorkflowName> = texts.iter().map(|text| declared(text)).collect();
        Abilities::new(&workflows, []).latest("flow").map(str::to_owned)
    };
    assert_eq!(latest(&["flow"]), None);
    assert_eq!(latest(&["flow@1", "flow@2"]).as_deref(), Some("2"));
    assert_eq!(latest(&["flow@1!", "flow@2"]).as_deref(), Some("1"));
    assert_eq!(latest(&["flow@1", "flow"]), None);
    assert_eq!(latest(&["flow", "flow@1", "other@2"]).as_deref(), Some("1"));
}

#[test]
fn a_turn_goes_to_a_worker_that_has_its_version() {
    let dispatch = Dispatch::default();
    let (one, rung) = join(&dispatch, &["flow@v1", "flow"], &[]);
    let (two, other) = join(&dispatch, &["flow@v2"], &[]);
    dispatch.turns(vec![needing(1, named("v1")), needing(2, named("v2")), needing(3, Version::Unversioned)]);
    assert_eq!((rung.workflows.load(Ordering::Relaxed), other.workflows.load(Ordering::Relaxed)), (1, 1));
    assert_eq!(taken(&dispatch, two, 9), [2]);
    let mut others = taken(&dispatch, one, 9);
    others.sort_unstable();
    assert_eq!(others, [1, 3]);
    dispatch.turns(vec![needing(4, Version::Latest)]);
    assert_eq!(taken(&dispatch, two, 9), [4], "whoever has the name may begin it");
    assert_eq!(dispatch.next_overdue(), None);
}

#[test]
fn a_version_that_nobody_has_is_given_up_only_beside_another_one() {
    let dispatch = Dispatch::default();
    dispatch.turns(vec![needing(1, named("v2")), needing(2, Version::Unversioned), needing(3, named("v1"))]);
    let (_other, _) = join(&dispatch, &["else"], &[]);
    assert_eq!(dispatch.next_overdue(), None, "nobody has the workflow at all: it waits");
    assert!(dispatch.why_pending("flow", Some("v2")).is_some());
    let (a, _) = join(&dispatch, &["flow@v1", "flow@v3"], &[]);
    assert!(dispatch.overdue(Instant::now()).turns.is_empty(), "others may be about to join");
    let reason = dispatch.why_pending("flow", Some("v2")).unwrap();
    let mut given_up = dispatch.overdue(Instant::now() + VERSION_GRACE).turns;
    given_up.sort_by_key(|(run, ..)| run.key);
    assert_eq!(
        given_up.iter().map(|(run, token, _)| (run.key.0, *token)).collect::<Vec<_>>(),
        [(1, 101), (2, 102)]
    );
    assert_eq!(given_up[0].2.message, reason);
    for text in ["\"flow\"", "\"v1\"", "\"v2\"", "\"v3\""] {
        assert!(reason.contains(text), "{reason}");
    }
    assert_eq!(dispatch.next_overdue(), None);
    assert_eq!(taken(&dispatch, a, 9), [3]);
    assert!(!dispatch.withdraw(run(1)), "nobody waits for it here any more");

    // What only a worker that leaves had is missing from then on; one that was taken back is nobody's loss.
    let (b, _) = join(&dispatch, &["flow@v2"], &[]);
    dispatch.turns(vec![needing(4, named("v2")), needing(5, named("v2"))]);
    assert_eq!((dispatch.next_overdue(), dispatch.why_pending("flow", Some("v2"))), (None, None));
    assert!(dispatch.withdraw(run(5)));
    dispatch.leave(b);
    assert_eq!(dispatch.overdue(Instant::now() + VERSION_GRACE).turns.len(), 1);
}

#[test]
fn a_version_that_comes_in_time_is_not_missed() {
    let dispatch = Dispatch::default();
    let (_a, _) = join(&dispatch, &["flow@v1"], &[]);
    dispatch.turns(vec![needing(1, named("v2"))]);
    assert!(dispatch.next_overdue().is_some());
    let (b, _) = join(&dispatch, &["flow@v2"], &[]);
    assert_eq!(dispatch.next_overdue(), None);
    assert_eq!(taken(&dispatch, b, 9), [1]);
}
