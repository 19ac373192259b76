//! Reruns: a new instance that goes on from an event of a finished one.
//!
//! Its record is the source's up to that event, in the order that Dapr gives it. What was done by then stays done: an
//! answer is kept, and what it answers stands before it. What was not done by then, and the chosen event after it, end
//! the record with the present time and are done anew. What the source asked for later is dropped: the function asks for
//! it again in its first new turn. Why so: docs/adr/0013-what-a-rerun-keeps.md.

use std::collections::{HashMap, HashSet};

use super::*;
use crate::bridge::random;
use crate::engine::store::Loaded;
use crate::error::{Error, ErrorKind, Result};

/// How many ids an error names at most.
const NAMED: usize = 20;

/// The records of an instance, with their numbers.
type Turns = Vec<(u32, Bytes)>;

/// What is to be done anew.
#[derive(Clone, Debug)]
pub struct Rerun {
    /// The new instance's ID.
    pub id: String,
    /// The id of the event to go on from.
    pub from: i32,
    /// Another input for what that event asks for; absent, it keeps its own.
    pub input: Option<Payload>,
}

/// Accepts the rerun of a finished instance: row, record and timers are written, what is open is handed out.
///
/// # Errors
/// `not_found` if the source has no such event, `invalid_argument` if it is not one to go on from or takes no input,
/// `store_corrupt` if a record cannot be read.
pub fn rerun(
    source: &Loaded,
    rerun: Rerun,
    context: &mut Context<'_>,
    effects: &mut Vec<Effect>,
) -> Result<Machine> {
    let from = rerun.from;
    let past = Past::before(source, from)?;
    check_input(&past.chosen, rerun.input.as_ref())?;
    let copy = Copy {
        source: &source.row.id,
        id: rerun.id,
        execution_id: context.ids.execution_id(),
        first_turn: past.turns.first().map_or(0, |(number, _)| *number),
        now: context.now,
        input: rerun.input,
    };
    let (turns, again) = copy.record(past)?;
    let row = InstanceRow {
        key: context.ids.key(),
        id: copy.id,
        created_at: context.now,
        ..InstanceRow::default()
    };
    let (mut machine, timers) = Machine::rebuild(&Loaded { row, turns: turns.clone(), inbox: Vec::new() })?;
    // A worker has to read what is being written.
    machine.wrote_turn = true;
    let key = machine.key();
    effects.push(Effect::Store(Op::Insert(Box::new(machine.row.clone()))));
    effects.extend(turns.into_iter().map(|(turn, data)| Effect::Store(Op::Turn { key, turn, data })));
    for timer in timers {
        effects.push(Effect::Store(Op::PutTimer(timer)));
        effects.push(Effect::Timer(timer));
    }
    for event in again {
        if mutant!("rerun_forgets_open") && event.message().event_id != from {
            continue;
        }
        let id = event.message().event_id;
        match &event.message().event_type {
            Some(EventType::TaskScheduled(task)) => {
                effects.push(Effect::Activity(machine.activity(id, task, &event)));
            }
            Some(EventType::ChildWorkflowInstanceCreated(child)) => {
                let tags = event.message().own.as_ref().map(|own| own.tags.clone()).unwrap_or_default();
                effects.push(Effect::Send(Message::Start(Box::new(machine.child(id, child, tags)))));
            }
            _ => {}
        }
    }
    Ok(machine)
}

/// What the source had done before the chosen event.
struct Past {
    turns: Vec<(u32, Vec<Event>)>,
    chosen: Event,
    /// The timer that limits the chosen activity, which stands behind it.
    limit: Option<Event>,
}

impl Past {
    fn before(source: &Loaded, from: i32) -> Result<Past> {
        let mut turns = Vec::new();
        let mut known = Vec::new();
        for (number, data) in &source.turns {
            let mut events = record::unframe(data)?;
            let place = events.iter().position(|event| event.message().event_id == from && from >= 0);
            if let Some(place) = place {
                let mut rest = events.split_off(place).into_iter();
                let chosen = rest.next().expect("it was found");
                if asked(&chosen).is_none() {
                    let kind = crate::history::HistoryEvent::from(&chosen).kind;
                    return Err(wrong(format!(
                        "event {from} is {kind}; a rerun goes on from TaskScheduled, TimerCreated or ChildWorkflowInstanceCreated"
                    )));
                }
                let limit = rest.next().filter(|next| limit_of(&chosen) == Some(next.message().event_id));
                turns.push((*number, events));
                return Ok(Past { turns, chosen, limit });
            }
            known.extend(events.iter().filter_map(asked));
            turns.push((*number, events));
        }
        Err(unknown(from, &known))
    }
}

/// The id of what an event asks for, if a rerun can do that anew.
fn asked(event: &Event) -> Option<i32> {
    matches!(
        event.message().event_type,
        Some(
            EventType::TaskScheduled(_)
                | EventType::TimerCreated(_)
                | EventType::ChildWorkflowInstanceCreated(_)
        )
    )
    .then_some(event.message().event_id)
}

/// The id of what an event answers.
fn answered(event: &Event) -> Option<i32> {
    match event.message().event_type.as_ref()? {
        EventType::TaskCompleted(done) => Some(done.task_scheduled_id),
        EventType::TaskFailed(done) => Some(done.task_scheduled_id),
        EventType::TimerFired(fired) => Some(fired.timer_id),
        EventType::ChildWorkflowInstanceCompleted(done) => Some(done.task_scheduled_id),
        EventType::ChildWorkflowInstanceFailed(done) => Some(done.task_scheduled_id),
        _ => None,
    }
}

/// The id of the timer that limits an activity: replay asks for it directly after the activity.
fn limit_of(event: &Event) -> Option<i32> {
    let limited = event.message().own.as_ref().is_some_and(|own| own.timeout_ms > 0);
    let task = matches!(event.message().event_type, Some(EventType::TaskScheduled(_)));
    (limited && task).then(|| event.message().event_id + 1)
}

fn check_input(chosen: &Event, input: Option<&Payload>) -> Result<()> {
    if input.is_some() && matches!(chosen.message().event_type, Some(EventType::TimerCreated(_))) {
        let id = chosen.message().event_id;
        return Err(wrong(format!("event {id} is a timer, which takes no input; leave the input out")));
    }
    Ok(())
}

fn wrong(message: String) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}

fn unknown(from: i32, known: &[i32]) -> Error {
    let mut known = known.to_vec();
    known.sort_unstable();
    let mut ids = known.iter().take(NAMED).map(i32::to_string).collect::<Vec<_>>().join(", ");
    if let (Some(last), true) = (known.last(), known.len() > NAMED) {
        ids = format!("{ids} and {} more up to {last}", known.len() - NAMED);
    }
    let cure = if known.is_empty() {
        "there is none that a rerun can go on from; start it anew".to_owned()
    } else {
        format!("a rerun can go on from {ids}")
    };
    Error::new(ErrorKind::NotFound, format!("no event {from} of the workflow instance ({cure})"))
}

/// The new instance's share in its record.
struct Copy<'a> {
    source: &'a str,
    id: String,
    execution_id: String,
    first_turn: u32,
    now: Micros,
    input: Option<Payload>,
}

impl Copy<'_> {
    /// The records of the new instance, and the events of the last one: what is done anew.
    fn record(&self, past: Past) -> Result<(Turns, Vec<Event>)> {
        let events = || past.turns.iter().flat_map(|(_, events)| events);
        let done: HashSet<i32> = events().filter_map(answered).collect();
        let given_up: HashSet<i32> = events()
            .filter_map(|event| event.message().own.as_ref())
            .flat_map(|own| own.cancelled_timers.iter().chain(&own.cancelled_tasks).copied())
            .collect();
        let first = first_attempts(events().chain([&past.chosen]));
        let mut next_turn = self.first_turn;
        let (mut records, mut waiting, mut open) = (Vec::new(), HashMap::new(), Vec::new());
        for (number, events) in past.turns {
            let mut kept = Vec::with_capacity(events.len());
            for event in events {
                match asked(&event) {
                    Some(id) if done.contains(&id) => drop(waiting.insert(id, event)),
                    Some(id) if !given_up.contains(&id) => open.push(event),
                    // What was given up stays, since the function asks for it and gives it up.
                    Some(_) => kept.push(event),
                    None => {
                        kept.extend(answered(&event).and_then(|id| waiting.remove(&id)));
                        kept.push(self.renamed(event)?);
                    }
                }
            }
            if !kept.is_empty() {
                records.push((number, record::frame(&kept)));
            }
            next_turn = number + 1;
        }
        let limits: HashMap<i32, i64> = open
            .iter()
            .chain([&past.chosen])
            .filter_map(|event| Some((limit_of(event)?, event.message().own.as_ref()?.timeout_ms)))
            .collect();
        let again = |event: &Event, chosen| self.again(event, chosen, &first, &limits);
        let mut last: Vec<Event> = open.iter().map(|event| again(event, false)).collect();
        last.push(again(&past.chosen, true));
        last.extend(
            past.limit
                .filter(|limit| !given_up.contains(&limit.message().event_id))
                .map(|limit| again(&limit, false)),
        );
        // A record of its own: what the turn before it gave up is not given up here.
        records.push((next_turn, record::frame(&last)));
        Ok((records, last))
    }

    /// The start of the run says what it came from. Its execution ID stays the source's, since the function's random
    /// values come from it and may be in what is kept.
    fn renamed(&self, event: Event) -> Result<Event> {
        if !matches!(event.message().event_type, Some(EventType::ExecutionStarted(_))) {
            return Ok(event);
        }
        let before = event.message().own.as_ref().and_then(|own| own.run.as_ref());
        let run = wire::OwnRun {
            execution_id: self.execution_id.clone(),
            started_at: self.now.0,
            turn: self.first_turn,
            custom_status: before.and_then(|run| run.custom_status.clone()),
        };
        event.with_own(wire::OwnData {
            rerun_of: self.source.to_owned(),
            run: Some(run),
            ..Default::default()
        })
    }

    /// What is done anew, as an event of now. It is the new run's own: it has a key or a child ID that the source has not.
    fn again(
        &self,
        event: &Event,
        chosen: bool,
        first: &HashMap<u32, i32>,
        limits: &HashMap<i32, i64>,
    ) -> Event {
        let mut message = event.message().clone();
        message.timestamp = Some(wire::timestamp(self.now));
        let id = message.event_id;
        let of = chosen.then(|| wire::RerunParentInstanceInfo { instance_id: self.source.to_owned() });
        let input = self.input.as_ref().filter(|_| chosen);
        match &mut message.event_type {
            Some(EventType::TaskScheduled(task)) => {
                let call = message.own.as_ref().map_or(0, |own| own.call);
                let first = first.get(&call).copied().unwrap_or(id);
                task.task_execution_id = random::task_key(&random::namespace(&self.execution_id), first);
                task.rerun_parent_instance_info = of;
                if let Some(input) = input {
                    task.input.clone_from(input);
                }
            }
            Some(EventType::TimerCreated(timer)) => {
                timer.rerun_parent_instance_info = of;
                if let Some(timeout) = limits.get(&id) {
                    let timeout = timeout.saturating_mul(1000);
                    timer.fire_at = Some(wire::timestamp(Micros(self.now.0.saturating_add(timeout))));
                }
            }
            Some(EventType::ChildWorkflowInstanceCreated(child)) => {
                child.instance_id = random::child_id(&self.id, &self.execution_id, id);
                child.rerun_parent_instance_info = of;
                if let Some(input) = input {
                    child.input.clone_from(input);
                }
            }
            _ => {}
        }
        Event::new(message)
    }
}

/// The id of the first attempt of each call: all attempts of one share its key.
fn first_attempts<'a>(events: impl Iterator<Item = &'a Event>) -> HashMap<u32, i32> {
    let mut first = HashMap::new();
    for event in events {
        if let (Some(EventType::TaskScheduled(_)), Some(own)) =
            (&event.message().event_type, &event.message().own)
            && own.call > 0
        {
            let id = event.message().event_id;
            let known = first.entry(own.call).or_insert(id);
            *known = id.min(*known);
        }
    }
    first
}
