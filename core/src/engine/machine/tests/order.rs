//! Any inputs in any order: the rules of the bench hold after each of them.

use std::time::Duration;

use proptest::prelude::*;

use super::super::*;
use super::bench::*;
use crate::bridge::random::Random;
use wire::workflow_action::WorkflowActionType as Action;

/// One life of an instance, by numbers.
struct Life {
    random: Random,
    bench: Bench,
    /// The turn that is out, as its worker has it.
    out: Option<WorkflowTask>,
    /// Tasks of before, whose tokens are stale.
    stale: Vec<WorkflowTask>,
    next: i32,
    raised: u32,
}

impl Life {
    fn below(&mut self, limit: u64) -> u64 {
        self.random.next_u64() % limit
    }

    fn id(&mut self) -> i32 {
        let limit = u64::try_from(self.next + 1).expect("ids rise from 1");
        i32::try_from(self.below(limit)).expect("below an i32")
    }

    fn actions(&mut self) -> Vec<wire::WorkflowAction> {
        let mut actions = Vec::new();
        for _ in 0..self.below(4) {
            self.next += 1;
            let wait = Duration::from_millis(self.below(50));
            actions.push(match self.below(4) {
                0 | 1 => schedule(self.next),
                2 => timer(self.next, self.bench.now.plus(wait)),
                _ => child(self.next, &format!("kid-{}", self.next)),
            });
        }
        self.next += 1;
        match self.below(24) {
            0 => actions.push(complete(self.next, RuntimeStatus::Completed)),
            1 => actions.push(complete(self.next, RuntimeStatus::Failed)),
            2 | 3 => {
                let mut again = complete(self.next, RuntimeStatus::ContinuedAsNew);
                if let Some(Action::CompleteWorkflow(done)) = &mut again.workflow_action_type {
                    done.result = Some(self.next.to_string());
                }
                actions.push(again);
            }
            _ => {}
        }
        actions
    }

    fn result(&mut self) -> TurnResult {
        let (a, b) = (self.id(), self.id());
        let custom_status = (self.below(2) == 0).then(|| self.next.to_string());
        TurnResult {
            actions: self.actions(),
            custom_status,
            cancelled_timers: if self.below(3) == 0 { vec![a] } else { Vec::new() },
            cancelled_tasks: if self.below(3) == 0 { vec![b] } else { Vec::new() },
            ..TurnResult::default()
        }
    }

    fn step(&mut self) {
        let id = self.id();
        let out = match self.below(20) {
            0..=2 => {
                self.raised += 1;
                self.bench.raise(&self.raised.to_string())
            }
            3..=5 => self.bench.done(id),
            6 | 7 => {
                let due = self.bench.machine.timers.get(&id).and_then(|timer| timer.fire_at);
                self.bench.fire(id, due.unwrap_or(self.bench.now))
            }
            8 => self
                .bench
                .feed(|machine, context, effects| machine.child_done(id, Ok(None), context, effects)),
            9 => self.bench.pause(),
            10 => self.bench.resume(),
            11 if self.below(8) == 0 => {
                let recursive = self.below(2) == 0;
                self.bench.terminate(recursive)
            }
            12 => self.bench.feed(Machine::save_staged),
            13 => self.bench.feed(Machine::retry_stalled),
            14 => {
                self.stale.extend(self.out.take());
                self.bench.restart()
            }
            15 => {
                self.bench.now = self.bench.now.plus(Duration::from_micros(self.below(3)));
                let Some(task) = self.stale.last().cloned() else { return };
                let result = self.result();
                let out = self.bench.answer(&task, result);
                assert!(out.is_empty(), "a stale answer has no effect");
                return;
            }
            _ => return self.answer(),
        };
        self.take(&out);
    }

    fn answer(&mut self) {
        let Some(task) = self.out.take() else { return };
        let out = match self.below(8) {
            0 => self.bench.stall(&task, "other code"),
            1 => self.bench.feed(|machine, context, effects| machine.turn_lost(task.token, context, effects)),
            _ => {
                let result = self.result();
                self.bench.answer(&task, result)
            }
        };
        self.stale.push(task);
        self.take(&out);
    }

    fn take(&mut self, out: &Out) {
        if self.bench.machine.is_finished() {
            self.stale.extend(self.out.take());
        }
        let Some(task) = out.maybe_task() else { return };
        assert!(self.out.is_none(), "two turns are out at once");
        assert_eq!(task.turn, self.bench.machine.row().next_turn);
        self.out = Some(task);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_inputs_keep_the_rules(seed in any::<u64>()) {
        let (bench, out) = Bench::new(new("a"));
        let (random, stale) = (Random::new(seed), Vec::new());
        let mut life = Life { random, bench, out: None, stale, next: 0, raised: 0 };
        life.take(&out);
        for _ in 0..60 {
            life.step();
        }
    }
}
