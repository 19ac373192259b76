//! Order is the contract: generated programs under generated histories.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::bench::{Bench, done, event, failed, fired, raised, short_action, started, turn_started};
use crate::bridge::random::Random;
use crate::history::Event;
use crate::history::wire::history_event::EventType;
use crate::history::wire::workflow_action::WorkflowActionType as Type;
use crate::history::wire::{self, WorkflowAction};
use crate::worker::replay::TurnResult;

/// Choices from a seed.
struct Dice(Random);

impl Dice {
    fn new(seed: u64) -> Dice {
        Dice(Random::new(seed))
    }

    fn below(&mut self, sides: usize) -> usize {
        usize::try_from(self.0.next_u64() % sides as u64).unwrap()
    }

    fn once_in(&mut self, sides: usize) -> bool {
        self.below(sides) == 0
    }
}

fn asking(dice: &mut Dice) -> Value {
    let name = ["a", "b", "c"][dice.below(3)];
    match dice.below(10) {
        0..4 => json!({"activity": name}),
        4 => json!({"activity": name, "retry": {"max_attempts": 3, "first_interval_ms": 10}}),
        5 => json!({"activity": name, "timeout_ms": 100}),
        6 => json!({"timer": dice.below(50)}),
        7 => json!({"event": name}),
        8 => json!({"event": name, "timeout_ms": 50}),
        _ => json!({"child": name}),
    }
}

/// A program without loops; whatever fails is caught.
fn program(dice: &mut Dice) -> Value {
    let mut body = vec![json!({"set": "x", "to": 0})];
    let mut begun: Vec<Value> = Vec::new();
    for index in 0..3 + dice.below(6) {
        let op = match dice.below(8) {
            0..3 => asking(dice),
            3 => {
                let task = format!("t{index}");
                begun.push(json!({"$": task}));
                json!({"begin": asking(dice), "as": task})
            }
            4 if !begun.is_empty() => json!({"cancel": begun.swap_remove(dice.below(begun.len()))}),
            5 if !begun.is_empty() => json!({"await": begun.swap_remove(dice.below(begun.len()))}),
            6 => {
                json!({"any": [asking(dice), asking(dice), asking(dice)], "keep": dice.once_in(3), "as": "x"})
            }
            _ => json!({"all": [asking(dice), asking(dice)], "as": "x"}),
        };
        body.push(json!({"try": [op, {"status": {"$": "x"}}], "catch": [{"activity": "after"}], "as": "e"}));
    }
    body.push(json!({"return": [{"$": "x"}, {"$uuid": {}}]}));
    body.into()
}

/// What may still come: the open actions of a run, as an engine sees them.
#[derive(Default)]
struct Open(BTreeMap<i32, Type>);

impl Open {
    fn note(&mut self, result: &TurnResult) {
        for action in &result.actions {
            if let Some(
                kind @ (Type::ScheduleTask(_) | Type::CreateChildWorkflow(_) | Type::CreateTimer(_)),
            ) = action.workflow_action_type.clone()
            {
                self.0.insert(action.id, kind);
            }
        }
        for id in result.cancelled_timers.iter().chain(&result.cancelled_tasks) {
            self.0.remove(id);
        }
    }

    /// Something that happens next.
    fn news(&mut self, dice: &mut Dice) -> EventType {
        if self.0.is_empty() || dice.once_in(5) {
            return raised(["A", "b", "c"][dice.below(3)], "\"raised\"");
        }
        let id = *self.0.keys().nth(dice.below(self.0.len())).unwrap();
        match self.0.remove(&id) {
            Some(Type::CreateTimer(_)) => fired(id),
            Some(Type::CreateChildWorkflow(_)) => {
                EventType::ChildWorkflowInstanceCompleted(wire::ChildWorkflowInstanceCompletedEvent {
                    task_scheduled_id: id,
                    result: Some(format!("\"child {id}\"")),
                    ..Default::default()
                })
            }
            _ if dice.once_in(4) => failed(id, "E"),
            _ => done(id, &format!("\"task {id}\"")),
        }
    }
}

fn id_of(news: &EventType) -> Option<i32> {
    match news {
        EventType::TaskCompleted(done) => Some(done.task_scheduled_id),
        EventType::TaskFailed(failed) => Some(failed.task_scheduled_id),
        EventType::ChildWorkflowInstanceCompleted(done) => Some(done.task_scheduled_id),
        EventType::TimerFired(fired) => Some(fired.timer_id),
        _ => None,
    }
}

/// Without times, which depend on the cut.
fn timeless(action: &WorkflowAction) -> String {
    match &action.workflow_action_type {
        Some(Type::CreateTimer(timer)) => format!("{} timer {:?}", action.id, timer.origin),
        _ => short_action(action),
    }
}

/// One thing per turn until the run ends; gives what happened and all actions.
fn live(body: &Value, dice: &mut Dice) -> (Vec<EventType>, Vec<String>) {
    let mut bench = Bench::new(body.clone());
    let (mut open, mut happened, mut actions) = (Open::default(), Vec::new(), Vec::new());
    let mut result = bench.start();
    for _ in 0..200 {
        open.note(&result);
        actions.extend(result.actions.iter().map(timeless));
        if result.finished {
            break;
        }
        let news = open.news(dice);
        happened.push(news.clone());
        result = bench.turn(vec![news]);
    }
    (happened, actions)
}

/// Anything, whether it makes sense or not.
fn garbage(dice: &mut Dice) -> EventType {
    let id = i32::try_from(dice.below(9)).unwrap() - 1;
    match dice.below(14) {
        0 => turn_started(),
        1 => started(Some("0")),
        2 => failed(id, ""),
        3 => fired(id),
        4 => raised("a", "1"),
        5 => EventType::ExecutionSuspended(wire::ExecutionSuspendedEvent::default()),
        6 => EventType::ExecutionResumed(wire::ExecutionResumedEvent::default()),
        7 if dice.once_in(4) => EventType::ExecutionTerminated(wire::ExecutionTerminatedEvent::default()),
        8 => EventType::TaskScheduled(wire::TaskScheduledEvent { name: "a".into(), ..Default::default() }),
        9 => EventType::TimerCreated(wire::TimerCreatedEvent::default()),
        10 => EventType::ChildWorkflowInstanceFailed(wire::ChildWorkflowInstanceFailedEvent {
            task_scheduled_id: id,
            ..Default::default()
        }),
        11 => EventType::ExecutionCompleted(wire::ExecutionCompletedEvent::default()),
        _ => done(id, "2"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_cut_into_turns_asks_for_the_same(seed in any::<u64>()) {
        let mut dice = Dice::new(seed);
        let body = program(&mut dice);
        let (happened, expected) = live(&body, &mut dice);
        let mut bench = Bench::new(body);
        bench.max_bytes = [1, 200, 1 << 20][dice.below(3)];
        let mut result = bench.start();
        let mut actions: Vec<_> = result.actions.iter().map(timeless).collect();
        let mut last = result.actions.last().map_or(0, |action| action.id);
        let mut news = happened.into_iter().peekable();
        while !result.finished && news.peek().is_some() {
            let mut turn = Vec::new();
            while let Some(next) = news.next_if(|next| id_of(next).is_none_or(|id| id <= last)) {
                turn.push(next);
                if dice.once_in(3) {
                    break;
                }
            }
            prop_assert!(!turn.is_empty(), "the next thing was never asked for");
            result = bench.turn(turn);
            actions.extend(result.actions.iter().map(timeless));
            last = result.actions.last().map_or(last, |action| action.id);
        }
        prop_assert_eq!(actions, expected);
    }

    #[test]
    fn a_rebuild_is_the_run_itself(seed in any::<u64>()) {
        let mut dice = Dice::new(seed);
        let body = program(&mut dice);
        let mut cached = Bench::new(body.clone());
        let mut rebuilt = Bench::new(body);
        let mut open = Open::default();
        let mut result = cached.start();
        prop_assert_eq!(&rebuilt.start(), &result);
        for _ in 0..100 {
            open.note(&result);
            if result.finished {
                break;
            }
            let news: Vec<_> = (0..1 + dice.below(4)).map(|_| open.news(&mut dice)).collect();
            if dice.once_in(2) {
                rebuilt.forget();
                rebuilt.max_bytes = [1, 300, 1 << 20][dice.below(3)];
            }
            result = cached.turn(news.clone());
            prop_assert_eq!(&rebuilt.turn(news), &result);
        }
        prop_assert_eq!(&cached.turns, &rebuilt.turns);
    }

    #[test]
    fn no_history_breaks_the_machine(seed in any::<u64>()) {
        let mut dice = Dice::new(seed);
        let mut bench = Bench::new(program(&mut dice));
        let mut history: Vec<Event> = Vec::new();
        for _ in 0..dice.below(5) {
            let news = (0..dice.below(5)).map(|_| garbage(&mut dice)).collect();
            if dice.once_in(2) && bench.try_turn(news).is_err() {
                break;
            }
            history = bench.turns.concat();
        }
        for _ in 0..dice.below(20) {
            let at = dice.below(history.len() + 1);
            match dice.below(3) {
                0 if at < history.len() => drop(history.remove(at)),
                1 if at < history.len() => history.push(history[at].clone()),
                _ => history.insert(at, Event::new(event(i32::try_from(dice.below(9)).unwrap() - 1, bench.now, garbage(&mut dice)))),
            }
        }
        bench.turns = vec![history];
        bench.forget();
        bench.max_bytes = [1, 1 << 20][dice.below(2)];
        let _ = bench.try_turn(vec![garbage(&mut dice), garbage(&mut dice)]);
    }

    #[test]
    fn order_does_not_matter_to_code_that_waits_for_all(seed in any::<u64>(), size in 1_i32..30) {
        let mut dice = Dice::new(seed);
        let body = json!([
            {"each": {"$range": size}, "item": "i", "do": {"activity": "a", "input": {"$": "i"}}, "as": "all"},
            {"return": {"$": "all"}}
        ]);
        let mut bench = Bench::new(body);
        bench.turn(vec![started(None)]);
        let mut left: Vec<i32> = (1..=size).collect();
        let mut end = None;
        while !left.is_empty() {
            let count = (1 + dice.below(4)).min(left.len());
            let news = (0..count).map(|_| left.swap_remove(dice.below(left.len()))).map(|id| done(id, &id.to_string()));
            let news = news.collect();
            if dice.once_in(3) {
                bench.forget();
            }
            end = Some(bench.turn(news));
        }
        let all = Value::from((1..=size).collect::<Vec<_>>());
        prop_assert_eq!(timeless(&end.unwrap().actions[0]), format!("{} completed {}", size + 1, all));
    }
}
