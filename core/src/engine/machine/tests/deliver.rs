//! Events, results, timers.

use super::super::*;
use super::bench::*;

#[test]
fn a_raised_event_is_written_with_the_batch_that_took_it_in() {
    let mut bench = Bench::after(vec![schedule(1)]);
    let out = bench.raise("x");
    assert_eq!(out.count(|op| matches!(op, Op::PutInbox { .. })), 1);
    assert_eq!(kinds(&out.task().events), ["WorkflowStarted", "EventRaised"]);
    assert!(out.has(|effect| matches!(effect, Effect::Task(_))));
}

#[test]
fn a_result_is_staged_and_written_with_the_turn_it_causes() {
    let mut bench = Bench::after(vec![schedule(1)]);
    let out = bench.done(1);
    assert!(out.ops().is_empty() && out.has(|effect| matches!(effect, Effect::Staged)));
    let out = bench.turn(&out.task(), vec![schedule(2)]);
    assert_eq!(kinds(&out.written()), ["WorkflowStarted", "TaskCompleted", "TaskScheduled"]);
    assert_eq!(out.count(|op| matches!(op, Op::PutInbox { .. } | Op::DropInbox { .. })), 0);
    assert_eq!(out.activities(), [2]);
}

#[test]
fn a_staged_result_whose_turn_takes_long_is_stored() {
    let mut bench = Bench::after(vec![schedule(1)]);
    let task = bench.done(1).task();
    let out = bench.feed(Machine::save_staged);
    assert_eq!(out.count(|op| matches!(op, Op::PutInbox { .. })), 1);
    assert!(bench.feed(Machine::save_staged).is_empty());
    let out = bench.turn(&task, vec![schedule(2)]);
    assert_eq!(out.count(|op| matches!(op, Op::DropInbox { .. })), 1);
}

#[test]
fn a_staged_result_dies_with_the_process_and_its_activity_runs_again() {
    let mut bench = Bench::after(vec![schedule(1)]);
    bench.done(1);
    assert_eq!(bench.restart().activities(), [1]);
    let out = bench.done(1);
    assert_eq!(out.stopped(), [1], "a second copy is called back");
    assert!(out.maybe_task().is_some());
}

#[test]
fn a_second_result_and_one_that_nobody_waits_for_are_dropped() {
    let mut bench = Bench::after(vec![schedule(1)]);
    let task = bench.done(1).task();
    assert!(bench.done(1).is_empty());
    bench.turn(&task, vec![schedule(2)]);
    assert!(bench.done(1).is_empty());
    assert!(bench.done(77).is_empty());
}

#[test]
fn what_comes_while_a_turn_is_out_goes_with_the_next() {
    let mut bench = Bench::after(vec![schedule(1), schedule(2)]);
    let task = bench.done(1).task();
    assert!(bench.done(2).maybe_task().is_none());
    assert!(bench.raise("x").maybe_task().is_none());
    let out = bench.turn(&task, vec![]);
    assert_eq!(kinds(&out.written()), ["WorkflowStarted", "TaskCompleted"]);
    assert_eq!(kinds(&out.task().events), ["WorkflowStarted", "TaskCompleted", "EventRaised"]);
}

#[test]
fn a_timer_fires_once_and_its_row_goes_with_the_turn_that_took_it() {
    let at = BEGIN.plus(std::time::Duration::from_secs(1));
    let mut bench = Bench::after(vec![timer(1, at)]);
    bench.now = at;
    let out = bench.fire(1, at);
    assert!(out.ops().is_empty(), "its row is still there");
    assert!(bench.fire(1, at).is_empty());
    let out = bench.turn(&out.task(), vec![]);
    assert_eq!(out.count(|op| matches!(op, Op::DropTimer(_))), 1);
    assert!(bench.fire(1, at).is_empty());
}

#[test]
fn a_fired_timer_that_no_turn_took_is_armed_again_after_a_restart() {
    let at = BEGIN.plus(std::time::Duration::from_secs(1));
    let mut bench = Bench::after(vec![timer(1, at)]);
    bench.now = at;
    bench.fire(1, at);
    let out = bench.restart();
    assert!(out.has(|effect| matches!(effect, Effect::Timer(row) if row.fire_at == at)));
    assert!(bench.fire(1, at).maybe_task().is_some());
}

#[test]
fn a_disarmed_timer_is_ignored() {
    let at = BEGIN.plus(std::time::Duration::from_secs(1));
    let mut bench = Bench::after(vec![timer(1, at)]);
    let task = bench.raise("x").task();
    let out = bench.answer(&task, TurnResult { cancelled_timers: vec![1], ..TurnResult::default() });
    assert_eq!(out.count(|op| matches!(op, Op::DropTimer(_))), 1);
    assert!(bench.fire(1, at).is_empty());
    // One of another time is not this one.
    let task = bench.raise("y").task();
    bench.turn(&task, vec![timer(2, at)]);
    assert!(bench.fire(2, Micros(at.0 - 1)).is_empty());
}

#[test]
fn the_year_9999_is_never_armed() {
    let mut bench = Bench::after(vec![timer(1, Micros(253_370_764_800_000_000))]);
    assert!(!bench.restart().has(|effect| matches!(effect, Effect::Timer(_))));
    let out = bench.terminate(false);
    assert_eq!(out.count(|op| matches!(op, Op::DropTimers(..) | Op::DropTimer(_))), 0);
}

#[test]
fn what_a_turn_gives_up_at_once_is_never_open() {
    let at = BEGIN.plus(std::time::Duration::from_secs(1));
    let (mut bench, task) = Bench::begun();
    let out = bench.answer(
        &task,
        TurnResult {
            actions: vec![schedule(1), timer(2, at), schedule(3)],
            cancelled_tasks: vec![1],
            cancelled_timers: vec![2],
            ..TurnResult::default()
        },
    );
    assert_eq!(out.stopped(), [1]);
    assert!(bench.done(1).is_empty() && bench.fire(2, at).is_empty());
    assert_eq!(bench.restart().activities(), [3]);
}
