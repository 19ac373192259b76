//! Holds what a store has against what callers were told.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use everstep::engine::store::{Loaded, Reader};
use everstep::history::wire::history_event::EventType;
use everstep::history::{Event, record};
use everstep::model::{Filter, RuntimeStatus};
use serde_json::Value;

use crate::orders::child_of;
use crate::register::Told;

/// What a store was found to hold, as far as the tests ask.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Where every instance stands.
    pub(crate) statuses: BTreeMap<String, RuntimeStatus>,
    /// Results of activities: instance and task.
    pub(crate) results: HashSet<(String, i32)>,
    /// What every box has taken or has waiting, in its order.
    pub(crate) items: BTreeMap<String, Vec<String>>,
    /// What every finished instance gave.
    pub(crate) outputs: BTreeMap<String, String>,
}

macro_rules! ensure {
    ($holds:expr, $($text:tt)+) => {
        if !$holds {
            return Err(format!($($text)+));
        }
    };
}

/// Reads a store. An error says what no store may hold.
pub(crate) fn read(reader: &dyn Reader) -> Result<Found, String> {
    let mut found = Found::default();
    let mut before = None;
    loop {
        let rows = reader.list(&Filter::default(), before, 500).map_err(|error| error.to_string())?;
        for row in &rows {
            let loaded = reader.load(&row.id).map_err(|error| error.to_string())?;
            found.take(loaded.ok_or_else(|| format!("{} is listed and not there", row.id))?)?;
        }
        match rows.last() {
            Some(row) => before = Some((row.created_at, row.key)),
            None => return Ok(found),
        }
    }
}

impl Found {
    fn take(&mut self, loaded: Loaded) -> Result<(), String> {
        let id = loaded.row.id.clone();
        let twice = self.statuses.insert(id.clone(), loaded.row.status);
        ensure!(twice.is_none(), "{id} is there twice");
        let mut events = Vec::new();
        for (_, data) in &loaded.turns {
            events.extend(record::unframe(data).map_err(|error| format!("{id}: {error}"))?);
        }
        for row in loaded.inbox {
            events.push(Event::decode(row.event).map_err(|error| format!("{id}: {error}"))?);
        }
        let mut ended = HashSet::new();
        for event in &events {
            self.event(&id, event, &mut ended)?;
        }
        Ok(())
    }

    fn event(&mut self, id: &str, event: &Event, ended: &mut HashSet<i32>) -> Result<(), String> {
        let done = match &event.message().event_type {
            Some(EventType::ExecutionStarted(start)) if id.starts_with("box-") => {
                // A later generation begins with what the earlier ones took.
                let carried: Vec<String> = parse(start.input.as_deref())?;
                self.items.entry(id.to_owned()).or_default().splice(0..0, carried);
                return Ok(());
            }
            Some(EventType::EventRaised(raised)) => {
                let item: String = parse(raised.input.as_deref())?;
                self.items.entry(id.to_owned()).or_default().push(item);
                return Ok(());
            }
            Some(EventType::ExecutionCompleted(done)) => {
                self.outputs.insert(id.to_owned(), done.result.clone().unwrap_or_default());
                return Ok(());
            }
            Some(EventType::TaskCompleted(done)) => {
                self.results.insert((id.to_owned(), done.task_scheduled_id));
                done.task_scheduled_id
            }
            Some(EventType::TimerFired(fired)) => fired.timer_id,
            Some(EventType::ChildWorkflowInstanceCompleted(done)) => done.task_scheduled_id,
            Some(EventType::TaskFailed(_) | EventType::ChildWorkflowInstanceFailed(_)) => {
                return Err(format!("{id} has a failure, and nothing in these tests fails"));
            }
            _ => return Ok(()),
        };
        ensure!(ended.insert(done), "{id}: task {done} has ended twice");
        Ok(())
    }

    /// Nothing that was acknowledged is missing, nothing is there twice, nothing was made up.
    pub(crate) fn hold_against(&self, told: &Told) -> Result<(), String> {
        for (id, acknowledged) in &told.starts {
            let there = self.statuses.contains_key(id);
            ensure!(there || !acknowledged, "the acknowledged start of {id} is lost");
        }
        for (id, output) in &told.outputs {
            ensure!(self.statuses.get(id) == Some(&RuntimeStatus::Completed), "{id} is not completed again");
            ensure!(self.outputs.get(id) == Some(output), "{id} has another output than a caller saw");
        }
        for id in self.statuses.keys() {
            let order = id.strip_suffix("-c").unwrap_or(id);
            ensure!(told.starts.contains_key(order), "nobody asked for {id}");
        }
        for (id, items) in &told.items {
            self.hold_items(id, items, self.items.get(id).map_or(&[][..], Vec::as_slice))?;
        }
        self.hold_orders()
    }

    /// The items of a box: each acknowledged one once, in the order of the calls.
    fn hold_items(&self, id: &str, asked: &[(String, bool)], found: &[String]) -> Result<(), String> {
        let distinct: BTreeSet<&String> = found.iter().collect();
        ensure!(distinct.len() == found.len(), "{id} has an item twice: {found:?}");
        let raised: Vec<&String> = found.iter().filter(|item| item.starts_with("e-")).collect();
        let expected: Vec<&String> = asked
            .iter()
            .filter(|(item, acknowledged)| *acknowledged || distinct.contains(item))
            .map(|(item, _)| item)
            .collect();
        ensure!(raised == expected, "{id} has the items {raised:?}; callers were told {expected:?}");
        Ok(())
    }

    /// The end of an order, its child and the event that it sends are one: all there or none.
    fn hold_orders(&self) -> Result<(), String> {
        let sent: HashSet<&String> =
            self.items.values().flatten().filter(|item| item.starts_with("order-")).collect();
        for (id, status) in self.statuses.iter().filter(|(id, _)| is_order(id)) {
            let completed = *status == RuntimeStatus::Completed;
            ensure!(sent.contains(id) == completed, "{id} is {status}, but its event says otherwise");
            let child = self.statuses.get(&child_of(id));
            ensure!(!completed || child == Some(&RuntimeStatus::Completed), "{id} has no child: {child:?}");
        }
        for id in sent {
            ensure!(self.statuses.contains_key(id), "{id} sent an event and is not there");
        }
        Ok(())
    }

    /// At the end: all is completed, and every box gives each item once.
    pub(crate) fn hold_end(&self) -> Result<(), String> {
        for (id, status) in &self.statuses {
            ensure!(*status == RuntimeStatus::Completed, "{id} is {status} at the end");
        }
        for (id, items) in &self.items {
            let output: Vec<String> = parse(self.outputs.get(id).map(String::as_str))?;
            let ended = output.iter().map(String::as_str).chain(["end"]).eq(items.iter().map(String::as_str));
            ensure!(ended, "{id} gives {output:?} of {items:?}");
        }
        Ok(())
    }
}

pub(crate) fn is_order(id: &str) -> bool {
    id.starts_with("order-") && !id.ends_with("-c")
}

fn parse<T: serde::de::DeserializeOwned>(text: Option<&str>) -> Result<T, String> {
    let text = text.unwrap_or("null");
    serde_json::from_str::<Value>(text)
        .and_then(serde_json::from_value)
        .map_err(|error| format!("{text:.60} is not what a test sent: {error}"))
}
