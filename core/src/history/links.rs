//! Links the events of a history: answers with what they answer, attempts with each other, timers with what they serve.
//!
//! Histories of other SDKs and of reruns are read as they are: an answer may come before its question, a question may be
//! there twice, ids may come in any order within a turn.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use super::event::{HistoryEvent, TimerOrigin, TimerUse};

/// What an answer looks for. Tasks, children and timers share one counter, but a damaged or foreign history must not
/// link across them.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Asked {
    Task,
    Child,
    Timer,
}

/// What makes several events attempts of one call.
#[derive(PartialEq, Eq, Hash)]
enum Call {
    /// The number of the call in an own history.
    Own(u32),
    /// The execution ID that all attempts of an activity share.
    Activity(String),
    /// The instance ID of a child's first attempt.
    Child(String),
}

impl HistoryEvent {
    fn asks(&self) -> Option<(Asked, i32)> {
        let asked = match self.kind {
            "TaskScheduled" => Asked::Task,
            "ChildWorkflowInstanceCreated" => Asked::Child,
            "TimerCreated" => Asked::Timer,
            _ => return None,
        };
        Some((asked, self.event_id))
    }

    fn answers(&self) -> Option<(Asked, i32)> {
        let asked = match self.kind {
            "TaskCompleted" | "TaskFailed" => Asked::Task,
            "ChildWorkflowInstanceCompleted" | "ChildWorkflowInstanceFailed" => Asked::Child,
            "TimerFired" => Asked::Timer,
            _ => return None,
        };
        Some((asked, self.task_id?))
    }
}

/// Links within one run: ids begin again with each `ExecutionStarted`. Of several questions with one id the latest
/// counts, and its counterpart is the first answer.
pub(super) fn link(events: &mut [HistoryEvent]) {
    let mut linker = Linker { events, run: Run::default(), turn: 0, turn_place: None };
    for place in 0..linker.events.len() {
        linker.take(place);
    }
}

struct Linker<'a> {
    events: &'a mut [HistoryEvent],
    run: Run,
    turn: u32,
    /// Where the present turn began.
    turn_place: Option<usize>,
}

/// What is known of the present run.
#[derive(Default)]
struct Run {
    started: Option<usize>,
    suspended: Option<usize>,
    asked: HashMap<(Asked, i32), usize>,
    /// Answers that came before their questions.
    early: HashMap<(Asked, i32), usize>,
    /// First and latest attempt of a call.
    calls: HashMap<Call, (usize, usize)>,
    /// Timers of waits for an event, by its folded name.
    waits: HashMap<String, VecDeque<usize>>,
    /// Attempts that a timer says it follows.
    paused: HashSet<usize>,
    /// First attempts of children whose pause before the next one is over.
    due: Vec<usize>,
}

impl Linker<'_> {
    fn take(&mut self, place: usize) {
        match self.events[place].kind {
            "WorkflowStarted" => self.turn_started(place),
            "ExecutionStarted" => self.run = Run { started: Some(place), ..Run::default() },
            "ExecutionCompleted" => {
                if let Some(started) = self.run.started.take() {
                    self.pair(started, place);
                }
            }
            "ExecutionSuspended" => {
                self.run.suspended.get_or_insert(place);
            }
            "ExecutionResumed" => {
                if let Some(suspended) = self.run.suspended.take() {
                    self.pair(suspended, place);
                }
            }
            "EventRaised" => self.event_raised(place),
            _ => {}
        }
        self.events[place].turn = self.turn;
        if let Some(key) = self.events[place].asks() {
            self.asked(place, key);
        } else if let Some(key) = self.events[place].answers() {
            match self.run.asked.get(&key) {
                Some(&question) => self.answered(question, place),
                None => {
                    self.run.early.entry(key).or_insert(place);
                }
            }
        }
    }

    fn turn_started(&mut self, place: usize) {
        self.turn += 1;
        self.turn_place = Some(place);
        let event = &self.events[place];
        let timers = event.cancelled_timers.iter().map(|id| (Asked::Timer, *id));
        let tasks = event.cancelled_tasks.iter().map(|id| (Asked::Task, *id));
        let given_up: Vec<usize> =
            timers.chain(tasks).filter_map(|key| self.run.asked.get(&key).copied()).collect();
        for question in given_up {
            self.events[question].given_up = Some(place);
        }
    }

    fn asked(&mut self, place: usize, key: (Asked, i32)) {
        let early = self.run.early.remove(&key);
        self.run.asked.insert(key, place);
        self.given_up_at_once(place, key);
        match key.0 {
            Asked::Task => self.task(place),
            Asked::Child => self.child(place),
            Asked::Timer => self.timer(place),
        }
        if let Some(answer) = early {
            self.answered(place, answer);
        }
    }

    /// A turn's record says first what it gave up, then what it asked for.
    fn given_up_at_once(&mut self, place: usize, (asked, id): (Asked, i32)) {
        let Some(turn) = self.turn_place else { return };
        let list = match asked {
            Asked::Timer => &self.events[turn].cancelled_timers,
            Asked::Task => &self.events[turn].cancelled_tasks,
            Asked::Child => return,
        };
        if list.contains(&id) {
            self.events[place].given_up = Some(turn);
        }
    }

    fn task(&mut self, place: usize) {
        let event = &self.events[place];
        let own = event.call.map(Call::Own);
        let shared = event.task_execution_id.clone().map(Call::Activity);
        if let Some(call) = own {
            self.note(call, place);
        }
        if let Some((first, before)) = shared.and_then(|call| self.note(call, place)) {
            self.another_attempt(place, first, before);
        }
    }

    fn child(&mut self, place: usize) {
        let event = &self.events[place];
        let first = if let Some(call) = event.call {
            self.run.calls.get(&Call::Own(call)).map(|(first, _)| *first)
        } else if let Some(first) = event.retry_of.clone() {
            self.run.calls.get(&Call::Child(first)).map(|(first, _)| *first)
        } else {
            let again = self.run.due.iter().position(|first| self.events[*first].name == event.name);
            again.map(|again| self.run.due.remove(again))
        };
        let own = event.call.map(Call::Own);
        let named = self.events[first.unwrap_or(place)].instance_id.clone().map(Call::Child);
        let before = named.as_ref().and_then(|call| self.latest(call));
        for call in own.into_iter().chain(named) {
            self.run.calls.insert(call, (first.unwrap_or(place), place));
        }
        if let (Some(first), Some(before)) = (first, before) {
            self.another_attempt(place, first, before);
        }
    }

    /// Notes an attempt of a call; gives the first one and the one before, if this is not the first.
    fn note(&mut self, call: Call, place: usize) -> Option<(usize, usize)> {
        let known = self.run.calls.get(&call).copied();
        self.run.calls.insert(call, (known.map_or(place, |(first, _)| first), place));
        known
    }

    /// Numbers an attempt and the one before it, where their events do not say the number.
    fn another_attempt(&mut self, place: usize, first: usize, before: usize) {
        let number = *self.events[before].attempt.get_or_insert(1);
        let event = &mut self.events[place];
        event.first_attempt = Some(first);
        event.attempt.get_or_insert(number.saturating_add(1));
        self.pause_without_origin(before, place);
    }

    /// The Java SDK does not say what its timers are for. One that began when an attempt failed and fired with the next
    /// one was the pause between them.
    fn pause_without_origin(&mut self, before: usize, next: usize) {
        let Some(failed) = self.events[before].counterpart else { return };
        if self.events[next].call.is_some() || self.run.paused.contains(&before) {
            return;
        }
        let (begin, end) = (self.events[failed].turn, self.turn);
        let pause = (failed..next).take_while(|&place| self.events[place].turn == begin).find(|&place| {
            let event = &self.events[place];
            let fired = event.counterpart.is_some_and(|fired| self.events[fired].turn == end);
            event.kind == "TimerCreated" && event.timer_use.is_none() && fired
        });
        if let Some(pause) = pause {
            self.events[pause].timer_use = Some(TimerUse::Retry);
            self.events[pause].serves = Some(before);
        }
    }

    fn timer(&mut self, place: usize) {
        let event = &self.events[place];
        let (timer_use, serves) = match &event.origin {
            Some(TimerOrigin::ActivityRetry(key)) => {
                (Some(TimerUse::Retry), self.latest(&Call::Activity(key.clone())))
            }
            Some(TimerOrigin::ChildWorkflowRetry(id)) => {
                (Some(TimerUse::Retry), self.latest(&Call::Child(id.clone())))
            }
            Some(TimerOrigin::ExternalEvent(name)) => {
                self.run.waits.entry(name.to_ascii_lowercase()).or_default().push_back(place);
                (Some(TimerUse::EventTimeout), None)
            }
            Some(TimerOrigin::CreateTimer) => {
                // The worker names the timer of an attempt; the call's number tells it from a user's timer.
                let limited = event.call.and_then(|call| self.latest(&Call::Own(call)));
                let limits = limited.filter(|limited| self.events[*limited].kind == "TaskScheduled");
                (Some(limits.map_or(TimerUse::Sleep, |_| TimerUse::ActivityTimeout)), limits)
            }
            None => (None, None),
        };
        if timer_use == Some(TimerUse::Retry) {
            self.run.paused.extend(serves);
        }
        (self.events[place].timer_use, self.events[place].serves) = (timer_use, serves);
    }

    fn latest(&self, call: &Call) -> Option<usize> {
        self.run.calls.get(call).map(|(_, latest)| *latest)
    }

    fn answered(&mut self, question: usize, answer: usize) {
        let (name, instance_id) =
            (self.events[question].name.clone(), self.events[question].instance_id.clone());
        let event = &mut self.events[answer];
        event.counterpart = Some(question);
        event.name = name;
        event.instance_id = instance_id;
        if self.events[question].counterpart.is_none() {
            self.pair(question, answer);
        } else {
            self.events[answer].duration = self.between(question, answer);
        }
        let asked = &self.events[question];
        if let Some(attempt) = asked.serves.filter(|_| asked.timer_use == Some(TimerUse::Retry))
            && self.events[attempt].kind == "ChildWorkflowInstanceCreated"
        {
            self.run.due.push(self.events[attempt].first_attempt.unwrap_or(attempt));
        }
    }

    /// An own turn disarms the timer of the wait that took an event. Other SDKs leave it armed: there the oldest open wait
    /// of that name took it.
    fn event_raised(&mut self, place: usize) {
        let name = self.events[place].name.as_deref().unwrap_or_default().to_ascii_lowercase();
        let Some(waits) = self.run.waits.get_mut(&name) else { return };
        let turn = self.turn_place;
        let events = &*self.events;
        let over = |wait: usize| {
            let timer = &events[wait];
            timer.counterpart.is_some() || (timer.given_up.is_some() && timer.given_up != turn)
        };
        while waits.front().is_some_and(|wait| over(*wait)) {
            waits.pop_front();
        }
        let taken = waits.iter().position(|&wait| {
            let timer = &events[wait];
            !over(wait) && (timer.call.is_none() || timer.given_up.is_some())
        });
        if let Some(wait) = taken.and_then(|taken| waits.remove(taken)) {
            self.pair(wait, place);
        }
    }

    fn pair(&mut self, first: usize, second: usize) {
        let duration = self.between(first, second);
        for (place, other) in [(first, second), (second, first)] {
            self.events[place].counterpart = Some(other);
            self.events[place].duration = duration;
        }
    }

    /// Events that were carried over have the time 1970, or that of the year 1.
    fn between(&self, first: usize, second: usize) -> Option<Duration> {
        let time = |place: usize| self.events[place].timestamp.map(|time| time.0).filter(|time| *time > 0);
        let micros = time(second)?.checked_sub(time(first)?)?;
        u64::try_from(micros).ok().map(Duration::from_micros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Micros;

    fn event(kind: &'static str, event_id: i32, task_id: Option<i32>) -> HistoryEvent {
        HistoryEvent { kind, event_id, task_id, ..HistoryEvent::default() }
    }

    fn links(events: &[(&'static str, i32, Option<i32>)]) -> Vec<Option<usize>> {
        let mut events: Vec<_> = events.iter().map(|(kind, id, task)| event(kind, *id, *task)).collect();
        link(&mut events);
        events.iter().map(|event| event.counterpart).collect()
    }

    #[test]
    fn an_answer_and_what_it_answers_point_at_each_other() {
        let links = links(&[
            ("TaskScheduled", 0, None),
            ("TimerCreated", 1, None),
            ("ChildWorkflowInstanceCreated", 2, None),
            ("ChildWorkflowInstanceFailed", -1, Some(2)),
            ("TaskCompleted", -1, Some(0)),
            ("TimerFired", -1, Some(1)),
        ]);
        assert_eq!(links, [Some(4), Some(5), Some(3), Some(2), Some(0), Some(1)]);
    }

    #[test]
    fn the_first_answer_counts_and_a_later_one_still_finds_its_question() {
        let links =
            links(&[("TaskScheduled", 1, None), ("TaskFailed", -1, Some(1)), ("TaskCompleted", -1, Some(1))]);
        assert_eq!(links, [Some(1), Some(0), Some(0)]);
    }

    #[test]
    fn an_answer_may_come_first_and_a_question_twice() {
        let early =
            links(&[("TaskCompleted", -1, Some(1)), ("TaskScheduled", 1, None), ("TaskScheduled", 1, None)]);
        assert_eq!(early, [Some(1), Some(0), None]);
        let twice =
            links(&[("TaskScheduled", 1, None), ("TaskScheduled", 1, None), ("TaskCompleted", -1, Some(1))]);
        assert_eq!(twice, [None, Some(2), Some(1)]);
    }

    #[test]
    fn nothing_links_across_kinds_runs_or_without_a_question() {
        let links = links(&[
            ("TimerCreated", 1, None),
            ("TaskCompleted", -1, Some(1)),
            ("ExecutionStarted", -1, None),
            ("TimerFired", -1, Some(1)),
        ]);
        assert_eq!(links, [None, None, None, None]);
    }

    #[test]
    fn pauses_and_the_run_are_pairs_with_durations() {
        let mut events: Vec<_> = [
            ("ExecutionStarted", 10),
            ("ExecutionResumed", 20),
            ("ExecutionSuspended", 30),
            ("ExecutionSuspended", 40),
            ("ExecutionResumed", 70),
            ("ExecutionCompleted", 5),
        ]
        .map(|(kind, at)| HistoryEvent { timestamp: Some(Micros(at)), ..event(kind, -1, None) })
        .into();
        link(&mut events);
        let pairs: Vec<_> = events.iter().map(|event| event.counterpart).collect();
        assert_eq!(pairs, [Some(5), None, Some(4), None, Some(2), Some(0)]);
        assert_eq!(events[2].duration, Some(Duration::from_micros(40)));
        assert_eq!(events[0].duration, None, "timestamps may fall");
    }

    #[test]
    fn a_wide_history_is_linked_in_one_look() {
        const WIDE: i32 = 10_000;
        let task = |id: i32, attempt: i32| HistoryEvent {
            task_execution_id: Some(format!("t{}", id % WIDE)),
            call: Some(u32::try_from(id % WIDE + 1).unwrap()),
            attempt: Some(attempt),
            ..event("TaskScheduled", id, None)
        };
        let pause = |id: i32| HistoryEvent {
            origin: Some(TimerOrigin::ActivityRetry(format!("t{id}"))),
            ..event("TimerCreated", 2 * WIDE + id, None)
        };
        let wait = |id: i32| HistoryEvent {
            origin: Some(TimerOrigin::ExternalEvent("go".into())),
            call: Some(99_999),
            ..event("TimerCreated", 3 * WIDE + id, None)
        };
        let turn = || event("WorkflowStarted", -1, None);
        let mut events = vec![turn()];
        events.extend((0..WIDE).map(|id| task(id, 1)));
        events.push(turn());
        events.extend((0..WIDE).map(|id| event("TaskFailed", -1, Some(id))));
        events.extend((0..WIDE).map(pause));
        events.push(turn());
        events.extend((0..WIDE).map(|id| event("TimerFired", -1, Some(2 * WIDE + id))));
        events.extend((0..WIDE).map(|id| task(WIDE + id, 2)));
        for id in 0..WIDE {
            let name = Some("go".to_owned());
            events.extend([wait(id), event("TimerFired", -1, Some(3 * WIDE + id))]);
            events.push(HistoryEvent { name, ..event("EventRaised", -1, None) });
        }
        let begin = std::time::Instant::now();
        link(&mut events);
        assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
        let again = events.iter().filter(|event| event.first_attempt.is_some()).count();
        assert_eq!(again, usize::try_from(WIDE).unwrap());
    }

    #[test]
    fn an_own_event_goes_to_the_wait_that_its_turn_disarms() {
        let wait = |id: i32| HistoryEvent {
            origin: Some(TimerOrigin::ExternalEvent("Go".into())),
            call: Some(1),
            ..event("TimerCreated", id, None)
        };
        let raised = || HistoryEvent { name: Some("gO".into()), ..event("EventRaised", -1, None) };
        let turn = |timers: &[i32]| HistoryEvent {
            cancelled_timers: timers.to_vec(),
            ..event("WorkflowStarted", -1, None)
        };
        let mut events = vec![
            turn(&[]),
            wait(1),
            wait(2),
            turn(&[]),
            raised(),
            turn(&[2]),
            raised(),
            raised(),
            turn(&[1, 3]),
            wait(3),
        ];
        link(&mut events);
        assert_eq!(
            (events[4].counterpart, events[6].counterpart, events[7].counterpart),
            (None, Some(2), None)
        );
        assert_eq!((events[1].given_up, events[2].given_up, events[9].given_up), (Some(8), Some(5), Some(8)));
        assert_eq!((events[0].turn, events[4].turn, events[9].turn), (1, 2, 4));
    }
}
