//! Reruns: what of the source is kept, what is done anew, and that the new record says all of it.

use super::super::*;
use super::bench::*;
use crate::bridge::random;
use crate::engine::store::Loaded;
use crate::error::{ErrorKind, Result};
use wire::workflow_action::WorkflowActionType as Action;

struct Again {
    machine: Machine,
    out: Out,
}

impl Again {
    fn records(&self) -> Vec<Event> {
        let turns = self.stored().turns;
        turns.iter().flat_map(|(_, data)| record::unframe(data).expect("readable")).collect()
    }

    fn again(&self, id: i32) -> Event {
        let events = self.records();
        events.into_iter().rfind(|event| event.message().event_id == id).expect("it is there")
    }

    fn stored(&self) -> Loaded {
        let mut row = None;
        let mut turns = Vec::new();
        for op in self.out.ops() {
            match op {
                Op::Insert(inserted) => row = Some(*inserted),
                Op::Turn { turn, data, .. } => turns.push((turn, data)),
                _ => {}
            }
        }
        Loaded { row: row.expect("it is inserted"), turns, inbox: Vec::new() }
    }
}

fn rerun_of(bench: &mut Bench, from: i32) -> Result<Again> {
    with_input(bench, from, None)
}

fn with_input(bench: &mut Bench, from: i32, input: Option<Payload>) -> Result<Again> {
    let source = bench.loaded();
    let mut effects = Vec::new();
    let mut context = Context { now: bench.now.plus(HOUR), ids: &mut bench.ids };
    let asked = Rerun { id: "again".to_owned(), from, input };
    let machine = super::super::rerun(&source, asked, &mut context, &mut effects)?;
    let again = Again { machine, out: Out(effects) };
    // Row and timers are what the record says.
    let loaded = again.stored();
    let (row, timers) = Machine::index(&loaded)?;
    assert_eq!(row, loaded.row);
    let armed: Vec<TimerRow> = again
        .out
        .ops()
        .iter()
        .filter_map(|op| if let Op::PutTimer(timer) = op { Some(*timer) } else { None })
        .collect();
    assert_eq!(timers, armed);
    Ok(again)
}

const HOUR: std::time::Duration = std::time::Duration::from_secs(3600);

fn call(id: i32, call: u32, attempt: i32, timeout_ms: i64) -> wire::WorkflowAction {
    let own = wire::OwnData { call, attempt, timeout_ms, ..Default::default() };
    wire::WorkflowAction { own: Some(Box::new(own)), ..schedule(id) }
}

/// Turns with these actions, each answered by the task before, and the end.
fn chain(length: i32) -> Bench {
    let mut bench = Bench::after(vec![call(1, 1, 1, 0)]);
    for id in 1..length {
        let task = bench.done(id).task();
        bench.turn(&task, vec![call(id + 1, u32::try_from(id + 1).expect("few"), 1, 0)]);
    }
    let task = bench.done(length).task();
    bench.turn(&task, vec![complete(length + 1, RuntimeStatus::Completed)]);
    bench
}

#[test]
fn what_was_done_is_kept_byte_for_byte_and_the_event_is_done_anew() {
    let mut bench = chain(3);
    let source = bench.history();
    let again = rerun_of(&mut bench, 2).unwrap();
    let events = again.records();
    let names = [
        "WorkflowStarted",
        "ExecutionStarted",
        "WorkflowStarted",
        "TaskScheduled",
        "TaskCompleted",
        "TaskScheduled",
    ];
    assert_eq!(kinds(&events), names);
    // In the order that Dapr gives them: what was answered stands directly before its answer.
    for (kept, from) in [(0, 0), (2, 3), (3, 2), (4, 4)] {
        assert_eq!(events[kept].bytes(), source[from].bytes(), "event {kept}");
    }
    assert!(events[1].bytes().starts_with(source[1].bytes()), "the start gets something at its end");
    assert_eq!(again.out.activities(), [2]);
    assert!(again.out.maybe_task().is_none(), "its first turn comes with a result");
    assert_eq!(events[5].timestamp(), bench.now.plus(HOUR));
}

#[test]
fn the_start_says_what_it_came_from_and_the_row_is_its_own() {
    let mut bench = chain(2);
    let source = bench.loaded().row;
    let again = rerun_of(&mut bench, 1).unwrap();
    let row = again.machine.row();
    assert_eq!((row.status, row.started_at), (RuntimeStatus::Running, Some(bench.now.plus(HOUR))));
    assert_eq!((row.id.as_str(), row.created_at), ("again", bench.now.plus(HOUR)));
    assert_eq!((row.completed_at, &row.parent, row.generation), (None, &None, 0));
    assert!(row.has_work);
    assert_ne!(row.execution_id, source.execution_id);
    let start = again.records()[1].message().clone();
    let own = start.own.expect("own data");
    assert_eq!(
        (own.rerun_of.as_str(), own.run.expect("its run").execution_id),
        ("a", row.execution_id.clone())
    );
    let loaded = Machine::load(again.stored()).unwrap();
    assert_eq!(loaded.tags, BTreeMap::from([("team".to_owned(), "red".to_owned())]));
    assert_eq!(
        loaded.seed_run.as_deref(),
        Some(source.execution_id.as_str()),
        "it draws the source's values"
    );
}

#[test]
fn what_runs_again_has_a_key_of_the_new_run() {
    let mut bench = Bench::after(vec![call(1, 1, 1, 0)]);
    let task = bench.done(1).task();
    bench.turn(&task, vec![call(2, 1, 2, 0), call(3, 2, 1, 0)]);
    bench.terminate(false);
    let again = rerun_of(&mut bench, 3).unwrap();
    let space = random::namespace(again.machine.execution_id());
    let key = |id| match again.again(id).message().event_type.clone() {
        Some(EventType::TaskScheduled(task)) => task.task_execution_id,
        other => panic!("{other:?}"),
    };
    assert_eq!(again.out.activities(), [2, 3], "what was open runs again too");
    assert_eq!(key(2), random::task_key(&space, 1), "all attempts of a call share the key of the first");
    assert_eq!(key(3), random::task_key(&space, 3));
}

#[test]
fn only_the_event_names_its_source_and_takes_the_input() {
    let mut bench = Bench::after(vec![call(1, 1, 1, 0), call(2, 2, 1, 0), call(3, 3, 1, 0)]);
    bench.terminate(false);
    let again = with_input(&mut bench, 2, Some(Some("7".to_owned()))).unwrap();
    assert_eq!(again.out.activities(), [1, 2], "what was asked for after the event is asked for again");
    let task = |id| match again.again(id).message().event_type.clone() {
        Some(EventType::TaskScheduled(task)) => task,
        other => panic!("{other:?}"),
    };
    assert_eq!((task(1).rerun_parent_instance_info, task(1).input), (None, None));
    assert_eq!(task(2).rerun_parent_instance_info.expect("its source").instance_id, "a");
    assert_eq!(task(2).input.as_deref(), Some("7"));
    let again = with_input(&mut bench, 1, Some(None)).unwrap();
    assert!(
        matches!(&again.again(1).message().event_type, Some(EventType::TaskScheduled(task)) if task.input.is_none())
    );
}

#[test]
fn an_activity_has_its_whole_timeout_again_and_other_timers_keep_their_time() {
    let mut bench = Bench::begun().0;
    let task = bench.restart().task();
    let due = BEGIN.plus(HOUR * 9);
    let limit = |id, call| {
        let own = wire::OwnData { call, ..Default::default() };
        wire::WorkflowAction { own: Some(Box::new(own)), ..timer(id, BEGIN.plus(HOUR)) }
    };
    bench.turn(
        &task,
        vec![timer(1, due), call(2, 2, 1, 60_000), limit(3, 2), call(4, 3, 1, 60_000), limit(5, 3)],
    );
    bench.terminate(false);
    let again = rerun_of(&mut bench, 4).unwrap();
    let now = bench.now.plus(HOUR);
    let minute = now.plus(std::time::Duration::from_secs(60));
    let timers: BTreeMap<i32, Option<Micros>> =
        again.machine.timers.iter().map(|(id, timer)| (*id, timer.fire_at)).collect();
    assert_eq!(timers, BTreeMap::from([(1, Some(due)), (3, Some(minute)), (5, Some(minute))]));
    let activity = |id| again.machine.activity(id, &wire::TaskScheduledEvent::default(), &again.again(id));
    assert_eq!(activity(2).deadline, Some(minute));
    // The limit alone: the activity that it limits was open, and begins anew with it.
    let again = rerun_of(&mut bench, 5).unwrap();
    assert_eq!((again.out.activities(), again.machine.timers.len()), (vec![2, 4], 3));
}

#[test]
fn what_was_given_up_stays_given_up_unless_it_is_the_event() {
    let mut bench = Bench::after(vec![schedule(1), schedule(2), timer(3, BEGIN.plus(HOUR))]);
    let task = bench.done(1).task();
    let result = TurnResult {
        actions: vec![schedule(4), schedule(5)],
        cancelled_tasks: vec![2, 5],
        cancelled_timers: vec![3],
        ..TurnResult::default()
    };
    bench.answer(&task, result);
    bench.terminate(false);
    let again = rerun_of(&mut bench, 4).unwrap();
    assert_eq!((again.out.activities(), again.machine.timers.len()), (vec![4], 0));
    assert!(Machine::load(again.stored()).unwrap().tasks.keys().eq(&[4]));
    let again = rerun_of(&mut bench, 5).unwrap();
    assert_eq!(again.out.activities(), [4, 5]);
    assert!(
        Machine::load(again.stored()).unwrap().tasks.keys().eq(&[4, 5]),
        "its answer brings the first turn"
    );
}

#[test]
fn children_that_run_again_are_the_new_instances_own() {
    let mut bench = Bench::after(vec![child(1, "chosen"), child(2, "other"), schedule(3)]);
    bench.terminate(false);
    let again = rerun_of(&mut bench, 2).unwrap();
    let started: Vec<(String, Option<ParentLink>)> = again
        .out
        .0
        .iter()
        .filter_map(|effect| match effect {
            Effect::Send(Message::Start(new)) => {
                Some((new.id.clone(), new.parent.as_ref().map(|parent| parent.link.clone())))
            }
            _ => None,
        })
        .collect();
    let run = &again.machine.row().execution_id;
    let ids: Vec<String> = [1, 2].map(|id| random::child_id("again", run, id)).into();
    assert_eq!(started.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>(), ids);
    let link = started[1].1.as_ref().expect("a parent");
    assert_eq!((link.key, link.task_id, link.instance_id.as_str()), (again.machine.key(), 2, "again"));
    assert_eq!(again.machine.family(), ids);
}

#[test]
fn a_later_generation_keeps_the_numbers_of_its_turns() {
    let mut bench = Bench::after(vec![schedule(1)]);
    let task = bench.done(1).task();
    let next = bench.turn(&task, vec![complete(2, RuntimeStatus::ContinuedAsNew)]).task();
    bench.turn(&next, vec![schedule(1)]);
    let source = bench.loaded();
    bench.terminate(false);
    let again = rerun_of(&mut bench, 1).unwrap();
    let turns: Vec<u32> = again.stored().turns.iter().map(|(number, _)| *number).collect();
    assert_eq!(turns, [source.turns[0].0, source.turns[0].0 + 1]);
    assert_eq!((again.machine.row().generation, again.machine.row().next_turn), (0, turns[1] + 1));
    assert_ne!(again.machine.seed_run, Some(Arc::from(again.machine.row().execution_id.as_str())));
}

#[test]
fn a_pause_and_a_stall_before_the_event_do_not_hold_the_rerun() {
    let mut bench = Bench::after(vec![schedule(1)]);
    bench.pause();
    bench.done(1);
    let task = bench.resume().task();
    bench.stall(&task, "other code");
    let task = bench.resume().task();
    bench.turn(&task, vec![schedule(2)]);
    bench.terminate(false);
    let again = rerun_of(&mut bench, 2).unwrap();
    assert_eq!(again.machine.row().status, RuntimeStatus::Running);
    assert_eq!(again.out.activities(), [2]);
}

#[test]
fn events_that_cannot_be_done_anew_are_refused_and_the_others_named() {
    let mut bench = chain(3);
    let code = |result: Result<Again>| result.err().expect("it is refused").kind();
    assert_eq!(code(rerun_of(&mut bench, 4)), ErrorKind::InvalidArgument);
    assert_eq!(code(rerun_of(&mut bench, -1)), ErrorKind::NotFound);
    let error = rerun_of(&mut bench, 9).err().expect("it is refused");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.message().contains("1, 2, 3"), "{}", error.message());
    let mut long = Bench::after((1..=50).map(schedule).collect());
    long.terminate(false);
    let error = rerun_of(&mut long, 51).err().expect("it is refused");
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "it is the end of the run");
    assert!(rerun_of(&mut long, 99).err().expect("refused").message().contains("20 and 30 more up to 50"));
    let mut waits = Bench::after(vec![timer(1, BEGIN.plus(HOUR))]);
    waits.terminate(false);
    assert_eq!(code(with_input(&mut waits, 1, Some(None))), ErrorKind::InvalidArgument);
    let sent = Action::SendEvent(wire::SendEventAction { name: "x".to_owned(), ..Default::default() });
    let mut sends = Bench::after(vec![action(1, sent)]);
    sends.terminate(false);
    assert_eq!(code(rerun_of(&mut sends, 1)), ErrorKind::InvalidArgument);
}
