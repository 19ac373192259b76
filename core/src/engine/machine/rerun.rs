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
    let successor = Successor {
        source: &source.row.id,
        id: rerun.id,
        execution_id: context.ids.execution_id(),
        first_turn: source.turns.first().map_or(0, |(number, _)| *number),
        now: context.now,
        input: rerun.input,
    };
    let (turns, again) = successor.record(&past)?;
    let row = InstanceRow {
        key: context.ids.key(),
        id: successor.id,
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

/// What the source had done before the chosen event. Long histories are read twice rather than held decoded.
struct Past<'a> {
    turns: &'a [(u32, Bytes)],
    /// How many events of the last of these turns stand before the event.
    place: usize,
    chosen: Event,
    /// The timer that limits the chosen activity, which stands behind it.
    limit: Option<Event>,
    /// Ids of what was answered.
    done: HashSet<i32>,
    /// Ids of what was given up.
    given_up: HashSet<i32>,
    /// The id of the first attempt of each call, since all attempts of one share its key.
    first: HashMap<u32, i32>,
}

impl<'a> Past<'a> {
    fn before(source: &'a Loaded, from: i32) -> Result<Past<'a>> {
        let (mut done, mut given_up) = (HashSet::new(), HashSet::new());
        let (mut first, mut known) = (HashMap::new(), Vec::new());
        for (index, (_, data)) in source.turns.iter().enumerate() {
            let events = record::unframe(data)?;
            let place = events.iter().position(|event| event.message().event_id == from && from >= 0);
            let until = place.unwrap_or(events.len());
            for event in &events[..until] {
                done.extend(answered(event));
                known.extend(asked(event));
                note_own(event, &mut given_up, &mut first);
            }
            if let Some(place) = place {
                let chosen = events[place].clone();
                check_kind(&chosen)?;
                note_own(&chosen, &mut given_up, &mut first);
                let next = events.get(place + 1);
                let limit = next.filter(|next| limit_of(&chosen) == Some(next.message().event_id)).cloned();
                let turns = &source.turns[..=index];
                return Ok(Past { turns, place, chosen, limit, done, given_up, first });
            }
        }
        Err(unknown(from, known))
    }

    /// The turns with their events before the chosen one.
    fn turns(&self) -> impl Iterator<Item = Result<(u32, Vec<Event>)>> {
        self.turns.iter().enumerate().map(|(index, (number, data))| {
            let mut events = record::unframe(data)?;
            if index + 1 == self.turns.len() {
                events.truncate(self.place);
            }
            Ok((*number, events))
        })
    }
}

/// Notes what an event's own data say of others.
fn note_own(event: &Event, given_up: &mut HashSet<i32>, first: &mut HashMap<u32, i32>) {
    let Some(own) = &event.message().own else { return };
    given_up.extend(own.cancelled_timers.iter().chain(&own.cancelled_tasks));
    if own.call > 0 && matches!(event.message().event_type, Some(EventType::TaskScheduled(_))) {
        let id = event.message().event_id;
        let known = first.entry(own.call).or_insert(id);
        *known = id.min(*known);
    }
}

fn check_kind(chosen: &Event) -> Result<()> {
    if asked(chosen).is_some() {
        return Ok(());
    }
    let (id, kind) = (chosen.message().event_id, chosen.kind());
    Err(Error::invalid(format!(
        "event {id} is {kind}; a rerun goes on from TaskScheduled, TimerCreated or ChildWorkflowInstanceCreated"
    )))
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
        return Err(Error::invalid(format!(
            "event {id} is a timer, which takes no input; leave the input out"
        )));
    }
    Ok(())
}

fn unknown(from: i32, mut known: Vec<i32>) -> Error {
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

/// The new instance, as far as its record has to say it.
struct Successor<'a> {
    source: &'a str,
    id: String,
    execution_id: String,
    first_turn: u32,
    now: Micros,
    input: Option<Payload>,
}

impl Successor<'_> {
    /// The records of the new instance, and the events of the last one: what is done anew.
    fn record(&self, past: &Past<'_>) -> Result<(Turns, Vec<Event>)> {
        let (mut records, mut waiting, mut open) = (Vec::new(), HashMap::new(), Vec::new());
        for turn in past.turns() {
            let (number, events) = turn?;
            let mut kept = Vec::with_capacity(events.len());
            for event in events {
                match asked(&event) {
                    Some(id) if past.done.contains(&id) => drop(waiting.insert(id, event)),
                    Some(id) if !past.given_up.contains(&id) => open.push(event),
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
        }
        let again = self.all_again(past, &open);
        // A record of its own: what the turn before it gave up is not given up here.
        let next_turn = past.turns.last().map_or(0, |(number, _)| number + 1);
        records.push((next_turn, record::frame(&again)));
        Ok((records, again))
    }

    /// What was open, the chosen event, and the limit of its activity.
    fn all_again(&self, past: &Past<'_>, open: &[Event]) -> Vec<Event> {
        let limits: HashMap<i32, i64> = open
            .iter()
            .chain([&past.chosen])
            .filter_map(|event| Some((limit_of(event)?, event.message().own.as_ref()?.timeout_ms)))
            .collect();
        let again = |event: &Event, chosen| self.again(event, chosen, &past.first, &limits);
        let limit = past.limit.iter().filter(|limit| !past.given_up.contains(&limit.message().event_id));
        let before = open.iter().map(|event| again(event, false));
        before.chain([again(&past.chosen, true)]).chain(limit.map(|limit| again(limit, false))).collect()
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
