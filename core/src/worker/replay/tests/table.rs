//! Activities, timers, children, retries, limits, cancelling, ending: ids and actions, cached and rebuilt.

use serde_json::{Value, json};

use super::bench::{Bench, RUN, done, failed, fired, raised, short, started};
use crate::bridge::Job;
use crate::history::wire::history_event::EventType;
use crate::history::wire::workflow_action::WorkflowActionType as Type;
use crate::history::wire::{self, create_timer_action::Origin};

/// Plays the turns cached, then again with a rebuild before each; both must give these actions.
fn check(body: &Value, turns: &[(Vec<EventType>, &[&str])]) -> Bench {
    let mut cached = Bench::new(body.clone());
    let mut rebuilt = Bench::new(body.clone());
    for (news, expected) in turns {
        let result = cached.turn(news.clone());
        assert_eq!(short(&result), *expected);
        rebuilt.forget();
        assert_eq!(rebuilt.turn(news.clone()), result);
    }
    cached
}

fn start() -> Vec<EventType> {
    vec![started(Some("null"))]
}

#[test]
fn a_chain_counts_its_ids() {
    let body = json!([{"activity": "a", "as": "x"}, {"activity": "b", "input": {"$": "x"}, "as": "y"}, {"return": {"$": "y"}}]);
    check(
        &body,
        &[
            (start(), &["1 task a"]),
            (vec![done(1, "5")], &["2 task b"]),
            (vec![done(2, "6")], &["3 completed 6"]),
        ],
    );
}

#[test]
fn timers_are_due_from_the_turns_time_and_never_in_the_past() {
    let body = json!([{"timer": 5000}, {"timer": -7}, {"timer_at": 42}, {"return": 1}]);
    check(
        &body,
        &[
            (start(), &["1 timer 1006000"]),
            (vec![fired(1)], &["2 timer 1002000"]),
            (vec![fired(2)], &["3 timer 42"]),
            (vec![fired(3)], &["4 completed 1"]),
        ],
    );
}

#[test]
fn a_retry_is_a_timer_and_a_new_action_with_the_same_key() {
    let body = json!([
        {"activity": "a", "retry": {"max_attempts": 3, "first_interval_ms": 300, "backoff": 2}, "as": "x"},
        {"return": {"$": "x"}}
    ]);
    let bench = check(
        &body,
        &[
            (start(), &["1 task a"]),
            (vec![failed(1, "E")], &["2 timer 1002300"]),
            (vec![fired(2)], &["3 task a"]),
            (vec![failed(3, "E")], &["4 timer 1004600"]),
            (vec![fired(4)], &["5 task a"]),
            (vec![done(5, "9")], &["6 completed 9"]),
        ],
    );
    let scheduled = bench.turns.iter().flatten().filter_map(|event| match &event.message().event_type {
        Some(EventType::TaskScheduled(task)) => {
            Some((task.task_execution_id.clone(), event.message().own.as_ref().unwrap().attempt))
        }
        _ => None,
    });
    let scheduled: Vec<_> = scheduled.collect();
    assert!(scheduled.iter().all(|(key, _)| *key == scheduled[0].0 && !key.is_empty()));
    assert_eq!(scheduled.iter().map(|(_, attempt)| *attempt).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn exhausted_and_non_retryable_failures_reach_the_function() {
    let policy = json!({"max_attempts": 2, "first_interval_ms": 1, "non_retryable": ["Final"]});
    let body = json!([
        {"try": [{"activity": "a", "retry": policy}], "catch": [{"set": "one", "to": {"$": "e.type"}}], "as": "e"},
        {"try": [{"activity": "b", "retry": policy}], "catch": [{"return": [{"$": "one"}, {"$": "e.code"}]}], "as": "e"}
    ]);
    check(
        &body,
        &[
            (start(), &["1 task a"]),
            (vec![failed(1, "Final")], &["2 task b"]),
            (vec![failed(2, "E")], &["3 timer 1003001"]),
            (vec![fired(3)], &["4 task b"]),
            (vec![failed(4, "E")], &["5 completed [\"Final\",\"activity_failed\"]"]),
        ],
    );
}

#[test]
fn a_limit_gives_the_attempt_up_and_an_answer_in_time_disarms_it() {
    let body = json!([
        {"try": [{"activity": "a", "timeout_ms": 40}], "catch": [{"set": "code", "to": {"$": "e.code"}}], "as": "e"},
        {"activity": "b", "timeout_ms": 40},
        {"return": {"$": "code"}}
    ]);
    let mut bench = Bench::new(body);
    assert_eq!(short(&bench.start()), ["1 task a", "2 timer 1001040"]);
    bench.forget();
    let late = bench.turn(vec![fired(2), done(1, "\"too late\"")]);
    assert_eq!(
        (short(&late), late.cancelled_tasks, late.cancelled_timers),
        (vec!["3 task b".to_owned(), "4 timer 1002040".to_owned()], vec![1], vec![])
    );
    bench.forget();
    let end = bench.turn(vec![done(3, "1")]);
    assert_eq!(
        (short(&end), end.cancelled_tasks, end.cancelled_timers),
        (vec!["5 completed \"timeout\"".to_owned()], vec![], vec![4])
    );
}

#[test]
fn a_timed_out_attempt_is_retried() {
    let body = json!([{"activity": "a", "timeout_ms": 40, "retry": {"max_attempts": 2, "first_interval_ms": 100}}, {"return": 1}]);
    check(
        &body,
        &[
            (start(), &["1 task a", "2 timer 1001040"]),
            (vec![fired(2)], &["3 timer 1002100"]),
            (vec![done(1, "0")], &[]),
            (vec![fired(3)], &["4 task a", "5 timer 1004040"]),
            (vec![done(4, "0")], &["6 completed 1"]),
        ],
    );
}

#[test]
fn children_have_default_ids_unique_across_runs() {
    let body = json!([{"child": "c"}, {"child": "c", "id": "mine"}, {"child": "d", "detached": true}, {"return": 1}]);
    let child = |id: i32| {
        EventType::ChildWorkflowInstanceCompleted(wire::ChildWorkflowInstanceCompletedEvent {
            task_scheduled_id: id,
            ..Default::default()
        })
    };
    check(
        &body,
        &[
            (start(), &["1 child c order-7:33140b850001"]),
            (vec![child(1)], &["2 child c mine"]),
            (vec![child(2)], &["3 detached d", "4 completed 1"]),
        ],
    );
}

#[test]
fn a_child_that_ended_without_a_word_was_terminated() {
    let body = json!([
        {"try": [{"child": "c"}], "catch": [{"return": [{"$": "e.code"}, {"$": "e.cause.code"}]}], "as": "e"}
    ]);
    let gone = EventType::ChildWorkflowInstanceFailed(wire::ChildWorkflowInstanceFailedEvent {
        task_scheduled_id: 1,
        ..Default::default()
    });
    let expected: &[&str] = &["2 completed [\"child_failed\",\"workflow_terminated\"]"];
    check(&body, &[(start(), &["1 child c order-7:33140b850001"]), (vec![gone], expected)]);
}

#[test]
fn a_failed_child_is_retried_under_a_new_default_id() {
    let body = json!([{"child": "c", "retry": {"max_attempts": 2, "first_interval_ms": 500}}, {"return": 1}]);
    let broken = EventType::ChildWorkflowInstanceFailed(wire::ChildWorkflowInstanceFailedEvent {
        task_scheduled_id: 1,
        failure_details: Some(wire::TaskFailureDetails { error_type: "E".into(), ..Default::default() }),
        ..Default::default()
    });
    let mut bench = Bench::new(body);
    bench.start();
    let pause = bench.turn(vec![broken]);
    let Some(Type::CreateTimer(timer)) = &pause.actions[0].workflow_action_type else { panic!("no timer") };
    let Some(Origin::ChildWorkflowRetry(origin)) = &timer.origin else { panic!("other origin") };
    assert_eq!(origin.instance_id, "order-7:33140b850001");
    assert_eq!(short(&bench.turn(vec![fired(2)])), ["3 child c order-7:33140b850003"]);
}

#[test]
fn cancelling_takes_back_tasks_timers_and_waits() {
    let body = json!([
        {"begin": {"activity": "a", "timeout_ms": 9}, "as": "a"},
        {"begin": {"timer": 10}, "as": "t"},
        {"begin": {"event": "e", "timeout_ms": 20}, "as": "e"},
        {"activity": "b"},
        {"cancel": {"$": "a"}}, {"cancel": {"$": "t"}}, {"cancel": {"$": "e"}},
        {"event": "E", "as": "x"},
        {"return": {"$": "x"}}
    ]);
    let mut bench = Bench::new(body);
    bench.start();
    bench.forget();
    let result = bench.turn(vec![done(5, "0"), done(1, "0"), fired(3), raised("e", "7")]);
    assert_eq!((result.cancelled_tasks.clone(), result.cancelled_timers.clone()), (vec![1], vec![2, 3, 4]));
    assert_eq!(short(&result), ["6 completed 7"]);
}

#[test]
fn what_is_given_up_in_its_own_turn_is_asked_for_and_taken_back() {
    let body = json!([
        {"begin": {"activity": "a", "timeout_ms": 9}, "as": "a"}, {"cancel": {"$": "a"}},
        {"begin": {"event": "e", "timeout_ms": 20}, "as": "e"}, {"cancel": {"$": "e"}},
        {"activity": "b"}
    ]);
    let result = Bench::new(body).start();
    assert_eq!(short(&result), ["1 task a", "2 timer 1001009", "3 timer 1001020", "4 task b"]);
    assert_eq!((result.cancelled_tasks, result.cancelled_timers), (vec![1], vec![2, 3]));
}

#[test]
fn the_last_command_is_the_last() {
    let mut bench = Bench::new(
        json!([{"any": [{"activity": "a"}, {"activity": "b"}], "keep": true}, {"raise": "Refused", "message": "m"}]),
    );
    bench.start();
    let result = bench.turn(vec![done(2, "0"), done(1, "0")]);
    assert_eq!(short(&result), ["3 failed Refused"]);
    assert!(result.finished && bench.replay.is_finished());
}

#[test]
fn a_fan_out_of_ten_thousand_is_one_batch() {
    let body = json!([{"each": {"$range": 10_000}, "item": "i", "do": {"activity": "a"}, "as": "x"}, {"return": {"$len": {"$": "x"}}}]);
    let mut bench = Bench::new(body);
    bench.max_bytes = usize::MAX;
    assert_eq!(bench.start().actions.len(), 10_000);
    bench.forget();
    let result = bench.turn((1..=10_000).map(|id| done(id, "1")).collect());
    assert_eq!(short(&result), ["10001 completed 10000"]);
    assert_eq!((bench.batches.len(), bench.answers()), (1, 10_000));
}

#[test]
fn a_rebuild_of_a_long_chain_needs_few_batches() {
    let body = json!([{"for": "i", "in": {"$range": 10_000}, "do": [{"activity": "a"}]}, {"event": "end"}]);
    let mut bench = Bench::new(body);
    bench.start();
    for id in 1..=10_000 {
        bench.turn(vec![done(id, "1")]);
    }
    bench.forget();
    let result = bench.turn(vec![raised("end", "0")]);
    assert_eq!(short(&result), ["10001 completed null"]);
    assert!(bench.batches.len() <= 4, "{} batches", bench.batches.len());
    assert_eq!(bench.answers(), 10_001);
}

#[test]
fn batches_respect_their_size() {
    let body = json!([{"each": {"$range": 100}, "item": "i", "do": {"activity": "a"}}, {"return": 1}]);
    let mut bench = Bench::new(body);
    bench.start();
    bench.max_bytes = 1000;
    let value = format!("{:?}", "x".repeat(300));
    bench.turn((1..=100).map(|id| done(id, &value)).collect());
    assert!(bench.batches.iter().all(|jobs| jobs.len() <= 4), "a batch is too large");
}

#[test]
fn the_start_job_tells_what_history_says() {
    let mut bench = Bench::new(json!([{"return": {"$uuid": {}}}]));
    let EventType::ExecutionStarted(mut start) = started(Some("")) else { panic!("not a start") };
    start.parent_instance = Some(wire::ParentInstanceInfo {
        workflow_instance: Some(wire::WorkflowInstance { instance_id: "p".into(), execution_id: None }),
        ..Default::default()
    });
    start.tags.insert("k".into(), "v".into());
    bench.turn(vec![EventType::ExecutionStarted(start)]);
    let Job::Start { input, parent, tags, seed, .. } = &bench.batches[0][1] else { panic!("not a start") };
    assert_eq!(
        (input.as_deref(), parent.as_ref().unwrap().id.as_str(), tags["k"].as_str()),
        (Some(""), "p", "v")
    );
    assert_eq!(*seed, crate::bridge::random::seed(RUN));
    assert!(matches!(bench.batches[0][0], Job::Turn { now: 1_001_000, replay: false, .. }));
}

#[test]
fn the_custom_status_stays_until_it_is_set_again() {
    let mut bench = Bench::new(json!([{"status": {"step": 1}}, {"activity": "a"}, {"activity": "b"}]));
    assert_eq!(bench.start().custom_status.as_deref(), Some("{\"step\":1}"));
    bench.forget();
    assert_eq!(bench.turn(vec![done(1, "0")]).custom_status.as_deref(), Some("{\"step\":1}"));
}

#[test]
fn patches_are_told_once_and_asked_again() {
    let body = json!([{"patch": "p", "as": "x"}, {"activity": "a"}, {"patch": "q", "as": "y"}, {"activity": "b"}, {"return": [{"$": "x"}, {"$": "y"}]}]);
    let mut bench = Bench::new(body.clone());
    assert_eq!(bench.start().version.unwrap().patches, ["p"]);
    assert_eq!(bench.turn(vec![done(1, "0")]).version.unwrap().patches, ["q"]);
    bench.forget();
    assert_eq!(short(&bench.turn(vec![done(2, "0")])), ["3 completed [true,true]"]);

    let old = json!([{"activity": "a"}, {"activity": "b"}]);
    let mut bench = Bench::new(old);
    bench.start();
    bench.turn(vec![done(1, "0")]);
    bench.code(body);
    bench.forget();
    assert_eq!(short(&bench.turn(vec![done(2, "0")])), ["3 completed [false,false]"]);
}

#[test]
fn a_second_completion_changes_nothing() {
    let body = json!([{"activity": "a", "as": "x"}, {"activity": "b"}, {"return": {"$": "x"}}]);
    check(
        &body,
        &[
            (start(), &["1 task a"]),
            (vec![done(1, "5"), done(1, "6"), failed(1, "E")], &["2 task b"]),
            (vec![done(1, "7"), done(2, "0")], &["3 completed 5"]),
        ],
    );
}

#[test]
fn a_completion_may_stand_before_its_schedule() {
    let body = json!([{"activity": "a", "as": "x"}, {"activity": "b", "as": "y"}, {"event": "end"}, {"return": [{"$": "x"}, {"$": "y"}]}]);
    let mut bench = Bench::new(body);
    bench.start();
    bench.turn(vec![done(1, "1")]);
    bench.turn(vec![done(2, "2")]);
    let done_2 = bench.turns[2].remove(1);
    bench.turns[0].insert(1, done_2);
    bench.forget();
    assert_eq!(short(&bench.turn(vec![raised("end", "0")])), ["3 completed [1,2]"]);
}

#[test]
fn a_terminated_run_of_a_foreign_engine_is_answered() {
    let mut bench = Bench::new(json!([{"activity": "a"}]));
    bench.start();
    let end = EventType::ExecutionTerminated(wire::ExecutionTerminatedEvent {
        input: Some("\"why\"".into()),
        recurse: true,
    });
    let result = bench.turn(vec![end, done(1, "0")]);
    assert_eq!(short(&result), ["2 terminated \"why\""]);
}
