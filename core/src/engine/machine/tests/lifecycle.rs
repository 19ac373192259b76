//! Starts, pauses, terminations, stalls.

use super::super::*;
use super::bench::*;

#[test]
fn a_start_is_written_and_its_turn_does_not_wait_for_the_flush() {
    let (_, out) = Bench::new(new("a"));
    assert!(matches!(out.ops()[..], [Op::Insert(_), Op::PutInbox { .. }]));
    assert!(matches!(out.0.last(), Some(Effect::Task(_))));
    let task = out.task();
    assert_eq!((task.turn, task.has_past), (0, false));
    assert_eq!(kinds(&task.events), ["WorkflowStarted", "ExecutionStarted"]);
}

#[test]
fn a_delayed_start_waits_for_its_timer_and_keeps_events() {
    let at = BEGIN.plus(std::time::Duration::from_secs(60));
    let (mut bench, out) = Bench::new(NewInstance { start_at: Some(at), ..new("a") });
    assert!(out.maybe_task().is_none());
    assert!(out.has(|effect| matches!(effect, Effect::Timer(row) if row.timer_id == TimerRow::START)));
    assert!(bench.raise("early").maybe_task().is_none());
    assert!(!bench.machine.row().has_work, "it is found by its timer");
    assert!(bench.restart().maybe_task().is_none());
    bench.now = at;
    let out = bench.fire(TimerRow::START, at);
    assert!(out.ops().is_empty(), "nothing needs to be written before the turn");
    let task = out.task();
    assert_eq!(kinds(&task.events), ["WorkflowStarted", "ExecutionStarted", "EventRaised"]);
    assert!(bench.fire(TimerRow::START, at).is_empty());
    // Its turn is lost with the process, but not its timer.
    bench.machine.turn_withdrawn();
    assert!(bench.restart().maybe_task().is_some());
    let (mut bench, _) = Bench::new(NewInstance { start_at: Some(at), ..new("a") });
    bench.now = at;
    let task = bench.fire(TimerRow::START, at).task();
    let out = bench.turn(&task, vec![schedule(1)]);
    assert_eq!(out.count(|op| matches!(op, Op::DropTimer(_))), 1);
}

#[test]
fn a_delayed_start_that_is_terminated_leaves_no_timer() {
    let at = BEGIN.plus(std::time::Duration::from_secs(60));
    let (mut bench, _) = Bench::new(NewInstance { start_at: Some(at), ..new("a") });
    let out = bench.terminate(false);
    assert_eq!(out.count(|op| matches!(op, Op::DropTimer(_))), 1);
    assert!(bench.fire(TimerRow::START, at).is_empty());
}

#[test]
fn a_start_in_the_past_begins_at_once() {
    let (_, out) = Bench::new(NewInstance { start_at: Some(Micros(BEGIN.0 - 1)), ..new("a") });
    assert!(out.maybe_task().is_some());
}

#[test]
fn a_pause_of_an_idle_instance_is_written_at_once_and_events_wait() {
    let mut bench = Bench::after(vec![schedule(1)]);
    let out = bench.pause();
    assert_eq!(kinds(&out.written()), ["WorkflowStarted", "ExecutionSuspended"]);
    assert_eq!(bench.status(), RuntimeStatus::Suspended);
    assert!(bench.pause().is_empty(), "pausing twice is one pause");
    let out = bench.done(1);
    assert_eq!(out.count(|op| matches!(op, Op::PutInbox { .. })), 1, "nobody knows when it goes on");
    assert!(bench.raise("x").maybe_task().is_none());
    assert!(bench.restart().maybe_task().is_none());
    let out = bench.resume();
    assert_eq!(kinds(&out.written()), ["WorkflowStarted", "ExecutionResumed"]);
    assert_eq!(kinds(&out.task().events), ["WorkflowStarted", "TaskCompleted", "EventRaised"]);
    assert!(
        out.has(|effect| matches!(effect, Effect::TaskAfterFlush(_))),
        "it follows a turn not yet flushed"
    );
    assert!(bench.resume().is_empty());
}

#[test]
fn a_pause_waits_for_the_turn_in_flight() {
    let (mut bench, task) = Bench::begun();
    let out = bench.pause();
    assert!(out.written().is_empty());
    assert_eq!(out.count(|op| matches!(op, Op::PutInbox { .. })), 1);
    assert!(bench.pause().is_empty());
    assert_eq!(bench.status(), RuntimeStatus::Pending);
    let out = bench.turn(&task, vec![schedule(1)]);
    assert_eq!(out.count(|op| matches!(op, Op::Turn { .. })), 2);
    assert_eq!(
        kinds(&bench.history()),
        ["WorkflowStarted", "ExecutionStarted", "TaskScheduled", "WorkflowStarted", "ExecutionSuspended"]
    );
    assert_eq!(bench.status(), RuntimeStatus::Suspended);
}

#[test]
fn a_pause_whose_turn_died_with_the_process_is_applied_at_recovery() {
    let (mut bench, _) = Bench::begun();
    bench.pause();
    let out = bench.restart();
    assert_eq!(kinds(&out.written()), ["WorkflowStarted", "ExecutionSuspended"]);
    assert_eq!(bench.status(), RuntimeStatus::Suspended);
    assert!(bench.resume().maybe_task().is_some());
    assert_eq!(bench.status(), RuntimeStatus::Pending);
}

#[test]
fn a_pause_can_be_taken_back_before_it_is_written() {
    let (mut bench, task) = Bench::begun();
    bench.pause();
    let out = bench.resume();
    assert_eq!(out.count(|op| matches!(op, Op::DropInbox { .. })), 1);
    bench.turn(&task, vec![schedule(1)]);
    assert_eq!(bench.status(), RuntimeStatus::Running);
}

#[test]
fn a_termination_needs_no_worker_and_drops_everything_open() {
    let later = BEGIN.plus(std::time::Duration::from_secs(9));
    let mut bench = Bench::after(vec![schedule(1), timer(2, later), child(3, "kid")]);
    let task = bench.raise("x").task();
    let run = bench.machine.run();
    let out = bench.terminate(false);
    assert_eq!(kinds(&out.written()), ["WorkflowStarted", "ExecutionTerminated", "ExecutionCompleted"]);
    assert_eq!(out.stopped(), [1]);
    assert_eq!(out.count(|op| matches!(op, Op::DropTimers(_, timers) if timers.len() == 1)), 1);
    assert!(out.has(|effect| matches!(effect, Effect::Evict(evicted, Evict::Ended) if *evicted == run)));
    assert!(!out.has(|effect| matches!(effect, Effect::Recurse)));
    assert_eq!(bench.status(), RuntimeStatus::Terminated);
    assert!(bench.turn(&task, vec![schedule(4)]).is_empty(), "a late answer is dropped");
    assert!(bench.done(1).is_empty());
    assert!(bench.fire(2, later).is_empty());
    assert!(bench.raise("y").is_empty());
    assert!(bench.terminate(true).is_empty());
    assert!(bench.pause().is_empty() && bench.resume().is_empty());
}

#[test]
fn a_recursive_termination_is_remembered_until_the_children_are_told() {
    let mut bench = Bench::after(vec![child(1, "kid")]);
    let out = bench.terminate(true);
    assert!(out.has(|effect| matches!(effect, Effect::Recurse)));
    assert!(bench.machine.row().has_work && bench.machine.is_recursing());
    let out = bench.restart();
    assert!(out.has(|effect| matches!(effect, Effect::Recurse)));
    assert_eq!(bench.machine.family(), ["kid"]);
    let now = bench.now;
    bench.feed(|machine, _, effects| machine.recursion_done(now, effects));
    assert!(!bench.machine.row().has_work && !bench.machine.is_recursing());
    assert!(!bench.restart().has(|effect| matches!(effect, Effect::Recurse)));
}

#[test]
fn a_termination_before_the_first_turn_keeps_the_input() {
    let (mut bench, _) = Bench::begun();
    let out = bench.terminate(true);
    let written = ["WorkflowStarted", "ExecutionStarted", "ExecutionTerminated", "ExecutionCompleted"];
    assert_eq!(kinds(&out.written()), written);
    assert_eq!(bench.machine.snapshot().input.as_deref(), Some("1"));
    assert_eq!(bench.machine.snapshot().output.as_deref(), Some("\"out\""));
}

#[test]
fn a_stall_writes_its_reason_once_and_keeps_the_inputs() {
    let (mut bench, task) = Bench::begun();
    let out = bench.stall(&task, "other code");
    assert_eq!(kinds(&out.written()), ["ExecutionStalled"]);
    assert_eq!(bench.status(), RuntimeStatus::Stalled);
    assert!(bench.machine.snapshot().reason.as_deref().is_some_and(|reason| reason.contains("other code")));
    assert!(bench.raise("x").maybe_task().is_none(), "events are buffered");
    let out = bench.feed(Machine::retry_stalled);
    let again = out.task();
    assert_eq!(kinds(&again.events), ["WorkflowStarted", "ExecutionStarted", "EventRaised"]);
    let out = bench.stall(&again, "other code");
    assert!(out.written().is_empty(), "the reason is known");
    assert!(bench.raise("y").maybe_task().is_none(), "one try, never a loop");
    let again = bench.resume().task();
    bench.turn(&again, vec![schedule(1)]);
    assert_eq!(bench.status(), RuntimeStatus::Running);
    assert_eq!(bench.machine.snapshot().reason, None);
}

#[test]
fn a_stall_saves_what_was_only_staged() {
    let mut bench = Bench::after(vec![schedule(1)]);
    let out = bench.done(1);
    assert!(out.ops().is_empty());
    let out = bench.stall(&out.task(), "other code");
    assert_eq!(out.count(|op| matches!(op, Op::PutInbox { .. })), 1);
    assert!(bench.restart().activities().is_empty(), "its result is stored");
}

#[test]
fn a_stall_outlives_a_pause() {
    let (mut bench, task) = Bench::begun();
    bench.stall(&task, "other code");
    bench.pause();
    assert_eq!(bench.status(), RuntimeStatus::Suspended);
    assert_eq!(bench.machine.snapshot().reason, None);
    bench.restart();
    let out = bench.resume();
    assert_eq!(bench.status(), RuntimeStatus::Stalled);
    assert!(out.maybe_task().is_some(), "a resumption is a try");
}

#[test]
fn a_try_that_was_lost_with_its_worker_is_had_again() {
    let (mut bench, task) = Bench::begun();
    bench.stall(&task, "other code");
    let again = bench.feed(Machine::retry_stalled).task();
    let out = bench.feed(|machine, context, effects| machine.turn_lost(again.token, context, effects));
    assert!(out.maybe_task().is_some());
}
