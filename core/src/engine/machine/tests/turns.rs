//! Turns: tokens, times, rows, ends, generations.

use super::super::*;
use super::bench::*;
use wire::workflow_action::WorkflowActionType as Action;

#[test]
fn a_stale_token_is_ignored_and_a_lost_turn_is_handed_out_again() {
    let (mut bench, first) = Bench::begun();
    let lost = |token| {
        move |machine: &mut Machine, context: &mut Context<'_>, effects: &mut Vec<Effect>| {
            machine.turn_lost(token, context, effects);
        }
    };
    let second = bench.feed(lost(first.token)).task();
    assert_ne!(first.token, second.token);
    assert!(bench.turn(&first, vec![schedule(1)]).is_empty());
    assert!(bench.stall(&first, "late").is_empty());
    assert!(bench.feed(lost(first.token)).is_empty());
    assert_eq!(bench.turn(&second, vec![schedule(1)]).activities(), [1]);
    assert!(bench.turn(&second, vec![schedule(2)]).is_empty(), "one answer for a turn");
}

#[test]
fn the_row_is_written_once_for_each_round_with_the_turn_that_the_store_has() {
    let (mut bench, task) = Bench::begun();
    // Two turns in one round: the answer, and a pause behind it.
    let out = bench.feed(|machine, context, effects| {
        let result = TurnResult { actions: vec![schedule(1)], ..TurnResult::default() };
        machine.turn_done(task.token, result, context, effects);
        machine.suspend(None, context, effects);
    });
    let updates: Vec<(u32, u32)> = out
        .ops()
        .iter()
        .filter_map(|op| match op {
            Op::Update { row, expected_turn } => Some((row.next_turn, *expected_turn)),
            _ => None,
        })
        .collect();
    assert_eq!(updates, [(2, 0)]);
    assert_eq!(bench.feed(|_, _, _| {}).0.len(), 0, "nothing changed");
    let out = bench.resume();
    assert_eq!(out.count(|op| matches!(op, Op::Update { expected_turn: 2, .. })), 1);
}

#[test]
fn the_times_of_turns_rise_under_a_clock_that_stands_still() {
    let mut bench = Bench::after(vec![schedule(1)]);
    for round in 0..5 {
        bench.restart();
        let task = bench.raise(&round.to_string()).task();
        bench.turn(&task, vec![]);
        bench.pause();
        bench.resume();
    }
    assert_eq!(
        bench
            .history()
            .iter()
            .filter(|event| kinds(std::slice::from_ref(event)) == ["WorkflowStarted"])
            .count(),
        16
    );
}

#[test]
fn a_turn_records_what_a_rebuild_must_know() {
    let (mut bench, task) = Bench::begun();
    let version = wire::WorkflowVersion { name: Some("v2".to_owned()), patches: vec!["p".to_owned()] };
    let result = TurnResult {
        actions: vec![schedule(1)],
        custom_status: Some("\"half\"".to_owned()),
        version: Some(version),
        ..TurnResult::default()
    };
    bench.answer(&task, result);
    assert_eq!(bench.machine.row().version.as_deref(), Some("v2"));
    assert_eq!(bench.machine.row().custom_status.as_deref(), Some("\"half\""));
    bench.pause();
    bench.resume();
    assert_eq!(bench.machine.row().custom_status.as_deref(), Some("\"half\""), "only a turn changes it");
    let task = bench.done(1).task();
    bench.turn(&task, vec![]);
    assert_eq!(bench.machine.row().custom_status, None, "an absent one clears it");
    assert_eq!(bench.machine.row().version.as_deref(), Some("v2"));
}

#[test]
fn an_end_drops_everything_open_in_the_same_commit() {
    let at = BEGIN.plus(std::time::Duration::from_secs(1));
    let mut bench = Bench::after(vec![schedule(1), timer(2, at)]);
    let task = bench.raise("x").task();
    bench.raise("unread");
    let out = bench.turn(&task, vec![complete(3, RuntimeStatus::Completed), schedule(4)]);
    assert_eq!(kinds(&out.written()), ["WorkflowStarted", "EventRaised", "ExecutionCompleted"]);
    assert_eq!(out.stopped(), [1]);
    assert_eq!(out.count(|op| matches!(op, Op::DropInbox { .. })), 2);
    assert!(out.activities().is_empty() && out.maybe_task().is_none());
    let snapshot = bench.machine.snapshot();
    assert_eq!((snapshot.status, snapshot.output.as_deref()), (RuntimeStatus::Completed, Some("9")));
    assert!(snapshot.completed_at.is_some_and(|at| at >= bench.now));
    assert!(bench.machine.is_idle());
}

#[test]
fn continue_as_new_begins_a_new_history_with_carried_events_before_unread_ones() {
    let at = BEGIN.plus(std::time::Duration::from_secs(1));
    let mut bench = Bench::after(vec![schedule(1), timer(2, at)]);
    let first = bench.machine.execution_id().clone();
    let task = bench.raise("taken").task();
    bench.raise("unread");
    bench.done(1);
    let carried = Event::new(wire::HistoryEvent {
        event_id: -1,
        timestamp: Some(wire::timestamp(BEGIN)),
        event_type: Some(EventType::EventRaised(wire::EventRaisedEvent {
            name: "tick".to_owned(),
            input: Some("carried".to_owned()),
        })),
        ..Default::default()
    });
    let done = wire::CompleteWorkflowAction {
        workflow_status: RuntimeStatus::ContinuedAsNew.number(),
        result: Some("2".to_owned()),
        carryover_events: vec![carried.message().clone()],
        ..Default::default()
    };
    let status = Some("\"kept\"".to_owned());
    let actions = vec![action(3, Action::CompleteWorkflow(done))];
    let out =
        bench.answer(&task, TurnResult { actions, custom_status: status.clone(), ..TurnResult::default() });
    assert_eq!(out.count(|op| matches!(op, Op::DropTurns(_))), 1);
    assert_eq!(out.count(|op| matches!(op, Op::Turn { .. })), 0);
    assert_eq!(out.stopped(), [1], "tasks do not outlive their generation");
    assert!(out.has(|effect| matches!(effect, Effect::TaskAfterFlush(_))));
    let next = out.task();
    let data: Vec<&str> = next
        .events
        .iter()
        .filter_map(|event| match &event.message().event_type {
            Some(EventType::EventRaised(raised)) => raised.input.as_deref(),
            _ => None,
        })
        .collect();
    assert_eq!(data, ["carried", "unread"], "the result goes with its task");
    assert_eq!((next.run.generation, next.turn, next.has_past), (1, 2, false));
    assert_ne!(next.execution_id, first);
    let row = bench.machine.row();
    assert_eq!(row.execution_id, &*first, "callers see one run");
    assert_eq!((row.custom_status.as_ref(), row.started_at), (status.as_ref(), Some(Micros(BEGIN.0 + 1))));
    assert_eq!(bench.machine.snapshot().input.as_deref(), Some("2"));
    assert_eq!(bench.machine.snapshot().identity.tags.len(), 1);
    // A pause before its first turn, and a death, change nothing of that.
    bench.pause();
    bench.restart();
    let task = bench.resume().task();
    assert_eq!(task.events.len(), 4);
    assert!(bench.turn(&next, vec![]).is_empty());
    bench.turn(&task, vec![schedule(1)]);
    assert_eq!(bench.machine.row().next_turn, 5);
    assert!(bench.fire(2, at).is_empty(), "timers do not outlive their generation");
}
