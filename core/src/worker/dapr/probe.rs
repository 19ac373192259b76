//! What the worker reads in a work item, for tests: all of it, where a hub reads only what it needs.

use bytes::Bytes;
use prost::Message;

use super::super::replay::dialect::read_call_version;
use super::items::{Stamp, TurnItem, WorkItem};
use crate::history::{Event, wire};

/// A turn as the worker sees it.
#[derive(Clone, Debug)]
pub struct Lazy {
    /// The instance ID.
    pub instance_id: String,
    /// The execution ID, wherever the item tells it.
    pub execution_id: Option<String>,
    /// The workflow's name and version.
    pub name: Option<(String, Option<String>)>,
    /// When the last turn of the past began.
    pub last_turn: Option<Stamp>,
    /// When this turn began.
    pub this_turn: Option<Stamp>,
    /// The events before the turn.
    pub past: Vec<Event>,
    /// Those of the turn.
    pub new: Vec<Event>,
    /// How many the runtime left out.
    pub left_out: usize,
}

/// Reads a work item; nothing for what is no turn, or cannot be read.
pub fn read(bytes: &Bytes) -> Option<Lazy> {
    let WorkItem { workflow, activity, .. } = WorkItem::decode(bytes.clone()).ok()?;
    if let Some(activity) = activity {
        let request = wire::ActivityRequest::decode(activity).ok()?;
        let _ = read_call_version(request.version.as_deref());
    }
    let item = TurnItem::read(workflow?).ok()?;
    let _ = (item.has_past(), item.is_untouched());
    Some(Lazy {
        instance_id: item.instance_id.clone(),
        execution_id: item.execution_id().ok()?,
        name: item.facts().ok().map(|facts| (facts.name, facts.version)),
        last_turn: item.last_turn().ok()?,
        this_turn: item.this_turn().ok()?,
        past: item.past_events().ok()?,
        new: item.new_events().ok()?,
        left_out: item.left_out,
    })
}
