//! Work items as they come: bytes, of which only what is needed is read.
//!
//! A runtime sends an instance's whole history with each of its turns. A worker that has the instance cached needs three
//! things of it: the execution ID, when its last turn began, and the new events. Everything else stays bytes until a worker
//! has to rebuild the instance.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use prost::Message;
use prost::encoding::{WireType, decode_key, decode_varint, encode_key, encode_varint};

use crate::history::wire::history_event::EventType;
use crate::history::{Event, wire};

/// A work item. Its parts are read one by one, so that a bad one does not take the stream along.
#[derive(Clone, PartialEq, Message)]
pub(super) struct WorkItem {
    #[prost(bytes = "bytes", optional, tag = "1")]
    pub(super) workflow: Option<Bytes>,
    #[prost(bytes = "bytes", optional, tag = "2")]
    pub(super) activity: Option<Bytes>,
    #[prost(string, tag = "10")]
    pub(super) completion_token: String,
}

// Field numbers of WorkflowRequest, HistoryEvent, ExecutionStartedEvent and the messages in them.
const INSTANCE_ID: u32 = 1;
const EXECUTION_ID: u32 = 2;
const PAST_EVENTS: u32 = 3;
const NEW_EVENTS: u32 = 4;
const CACHED_HISTORY: u32 = 9;
const TIMESTAMP: u32 = 2;
const EXECUTION_STARTED: u32 = 3;
const WORKFLOW_STARTED: u32 = 14;
const VALUE: u32 = 1;
/// The events that a worker's actions leave: task scheduled, child created, timer created, event sent, detached started.
const ACTIONS: [u32; 5] = [6, 9, 12, 16, 32];

/// The time of a turn's `WorkflowStarted`: seconds and nanoseconds, not rounded.
pub(super) type Stamp = (i64, i32);

/// A history of more events than that is none: it would not fit a message.
const MOST_EVENTS: usize = 1 << 20;

/// Why an item cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

/// A turn that the runtime hands out.
#[derive(Clone, Debug)]
pub(super) struct TurnItem {
    bytes: Bytes,
    pub(super) instance_id: String,
    execution_id: Option<String>,
    past: Vec<Range<usize>>,
    new: Vec<Range<usize>>,
    /// How many events the runtime left out, since it sent them to this worker before.
    pub(super) left_out: usize,
}

/// How a run began, and with what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) name: String,
    pub(super) version: Option<String>,
    /// Whether a turn of it has been written.
    pub(super) begun: bool,
}

impl TurnItem {
    /// Finds the parts of a request.
    pub(super) fn read(bytes: Bytes) -> Result<TurnItem, Unreadable> {
        let mut item = TurnItem {
            instance_id: String::new(),
            execution_id: None,
            past: Vec::new(),
            new: Vec::new(),
            left_out: 0,
            bytes: Bytes::new(),
        };
        let mut fields = Fields { buffer: &bytes, at: 0 };
        while let Some((tag, range)) = fields.next()? {
            match tag {
                INSTANCE_ID => item.instance_id = text(&bytes[range])?.to_owned(),
                EXECUTION_ID => item.execution_id = Some(text_in(&bytes[range])?.to_owned()),
                PAST_EVENTS => item.past.push(range),
                NEW_EVENTS => item.new.push(range),
                CACHED_HISTORY => {
                    let cached = wire::CachedHistory::decode(&bytes[range]).map_err(|_| Unreadable)?;
                    // Whatever the number is: that it is there says that something was left out.
                    item.left_out = usize::try_from(cached.event_count).unwrap_or(0).max(1);
                }
                _ => {}
            }
            if item.past.len() + item.new.len() > MOST_EVENTS {
                return Err(Unreadable);
            }
        }
        if item.instance_id.is_empty() || item.new.is_empty() {
            return Err(Unreadable);
        }
        item.bytes = bytes;
        Ok(item)
    }

    /// The same turn with all events before it.
    pub(super) fn with_past(&self, past: &[Bytes]) -> Result<TurnItem, Unreadable> {
        let mut bytes = BytesMut::new();
        let mut put = |tag, field: &[u8]| {
            encode_key(tag, WireType::LengthDelimited, &mut bytes);
            encode_varint(field.len() as u64, &mut bytes);
            bytes.extend_from_slice(field);
        };
        put(INSTANCE_ID, self.instance_id.as_bytes());
        past.iter().for_each(|event| put(PAST_EVENTS, event));
        self.new.iter().for_each(|range| put(NEW_EVENTS, self.event(range)));
        let item = TurnItem::read(bytes.freeze())?;
        Ok(TurnItem { execution_id: self.execution_id.clone(), ..item })
    }

    /// Whether the run has history before this turn.
    pub(super) fn has_past(&self) -> bool {
        self.left_out > 0 || !self.past.is_empty()
    }

    /// Whether nothing of the past shows that a worker ever ran it: at most one turn, which asked for nothing.
    ///
    /// A runtime runs generations that continue as new one after the other, and writes after twenty of them what the next one
    /// begins with. To replay that would be to expect that it is known what it asked for.
    pub(super) fn is_untouched(&self) -> Result<bool, Unreadable> {
        let mut turns = 0;
        for range in &self.past {
            let mut fields = Fields { buffer: self.event(range), at: 0 };
            while let Some((tag, _)) = fields.next()? {
                turns += u32::from(tag == WORKFLOW_STARTED);
                if turns > 1 || ACTIONS.contains(&tag) {
                    return Ok(false);
                }
            }
        }
        Ok(self.left_out == 0)
    }

    /// The events of this turn.
    pub(super) fn new_events(&self) -> Result<Vec<Event>, Unreadable> {
        self.decode(&self.new)
    }

    /// The events before it, as far as the item holds them.
    pub(super) fn past_events(&self) -> Result<Vec<Event>, Unreadable> {
        self.decode(&self.past)
    }

    /// The patches that the past has, in order. A runtime refuses an answer that does not name them.
    pub(super) fn patches(&self) -> Result<Vec<String>, Unreadable> {
        let mut patches: Vec<String> = Vec::new();
        for event in self.past_events()? {
            if let Some(EventType::WorkflowStarted(turn)) = &event.message().event_type {
                let new = turn.version.iter().flat_map(|version| &version.patches);
                new.for_each(|patch| patches.push(patch.clone()));
            }
        }
        Ok(patches)
    }

    fn decode(&self, events: &[Range<usize>]) -> Result<Vec<Event>, Unreadable> {
        let event = |range: &Range<usize>| Event::decode(self.bytes.slice(range.clone()));
        events.iter().map(event).collect::<Result<_, _>>().map_err(|_| Unreadable)
    }

    fn event(&self, range: &Range<usize>) -> &[u8] {
        &self.bytes[range.clone()]
    }

    /// The execution ID, if the item tells it.
    pub(super) fn execution_id(&self) -> Result<Option<String>, Unreadable> {
        if let Some(id) = &self.execution_id {
            return Ok(Some(id.clone()));
        }
        let Some(start) = self.start()? else { return Ok(None) };
        let instance = field(start, 4)?.unwrap_or_default();
        Ok(field(instance, 2)?.map(text_in).transpose()?.map(str::to_owned))
    }

    /// The `ExecutionStartedEvent`, which stands near the beginning of a history.
    fn start(&self) -> Result<Option<&[u8]>, Unreadable> {
        for range in self.past.iter().chain(&self.new) {
            if let Some(start) = field(self.event(range), EXECUTION_STARTED)? {
                return Ok(Some(start));
            }
        }
        Ok(None)
    }

    /// When the last turn of the past began.
    pub(super) fn last_turn(&self) -> Result<Option<Stamp>, Unreadable> {
        for range in self.past.iter().rev() {
            if let Some(stamp) = turn_begins(self.event(range))? {
                return Ok(Some(stamp));
            }
        }
        Ok(None)
    }

    /// When this turn began.
    pub(super) fn this_turn(&self) -> Result<Option<Stamp>, Unreadable> {
        for range in &self.new {
            if let Some(stamp) = turn_begins(self.event(range))? {
                return Ok(Some(stamp));
            }
        }
        Ok(None)
    }

    /// What a worker must have to run the turn, for a run that is not known yet.
    pub(super) fn facts(&self) -> Result<Facts, Unreadable> {
        let mut facts = Facts::default();
        let Some(start) = self.start()? else { return Err(Unreadable) };
        facts.name = text(field(start, 1)?.unwrap_or_default())?.to_owned();
        facts.version = field(start, 2)?.map(text_in).transpose()?.map(str::to_owned);
        for range in &self.past {
            let event = self.event(range);
            facts.begun |= field(event, EXECUTION_STARTED)?.is_some();
            if let Some(turn) = field(event, WORKFLOW_STARTED)?
                && let Some(version) = field(turn, 1)?
                && let Some(name) = field(version, 2)?
            {
                facts.version = Some(text(name)?.to_owned());
                break;
            }
        }
        facts.version = facts.version.filter(|version| !version.is_empty());
        Ok(facts)
    }
}

/// When a turn began, if the event is a `WorkflowStarted`.
fn turn_begins(event: &[u8]) -> Result<Option<Stamp>, Unreadable> {
    if field(event, WORKFLOW_STARTED)?.is_none() {
        return Ok(None);
    }
    let stamp = field(event, TIMESTAMP)?.unwrap_or_default();
    let stamp = prost_types::Timestamp::decode(stamp).map_err(|_| Unreadable)?;
    Ok(Some((stamp.seconds, stamp.nanos)))
}

/// The last field with this number and a length; of several the last one counts.
fn field(buffer: &[u8], wanted: u32) -> Result<Option<&[u8]>, Unreadable> {
    let mut fields = Fields { buffer, at: 0 };
    let mut found = None;
    while let Some((tag, range)) = fields.next()? {
        if tag == wanted {
            found = Some(&buffer[range]);
        }
    }
    Ok(found)
}

/// The text of a wrapper such as `StringValue`.
fn text_in(wrapper: &[u8]) -> Result<&str, Unreadable> {
    text(field(wrapper, VALUE)?.unwrap_or_default())
}

fn text(bytes: &[u8]) -> Result<&str, Unreadable> {
    std::str::from_utf8(bytes).map_err(|_| Unreadable)
}

/// The fields of a message that have a length. Others are passed over.
struct Fields<'a> {
    buffer: &'a [u8],
    at: usize,
}

impl Fields<'_> {
    fn next(&mut self) -> Result<Option<(u32, Range<usize>)>, Unreadable> {
        while self.at < self.buffer.len() {
            let mut rest = &self.buffer[self.at..];
            let before = rest.len();
            let (tag, kind) = decode_key(&mut rest).map_err(|_| Unreadable)?;
            let length = match kind {
                WireType::Varint => decode_varint(&mut rest).map(|_| 0).map_err(|_| Unreadable)?,
                WireType::SixtyFourBit => 8,
                WireType::ThirtyTwoBit => 4,
                WireType::LengthDelimited => {
                    let length = decode_varint(&mut rest).map_err(|_| Unreadable)?;
                    usize::try_from(length).map_err(|_| Unreadable)?
                }
                WireType::StartGroup | WireType::EndGroup => return Err(Unreadable),
            };
            let from = self.at + before - rest.len();
            if length > rest.len() {
                return Err(Unreadable);
            }
            self.at = from + length;
            if kind == WireType::LengthDelimited {
                return Ok(Some((tag, from..self.at)));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::wire::work_item::Request;
    use crate::model::Micros;

    fn started(at: i64, version: Option<&str>) -> wire::HistoryEvent {
        let version =
            version.map(|name| wire::WorkflowVersion { name: Some(name.into()), ..Default::default() });
        event(at, EventType::WorkflowStarted(wire::WorkflowStartedEvent { version }))
    }

    fn event(at: i64, kind: EventType) -> wire::HistoryEvent {
        wire::HistoryEvent {
            event_id: -1,
            timestamp: Some(wire::timestamp(Micros(at))),
            event_type: Some(kind),
            ..Default::default()
        }
    }

    fn start(execution: &str) -> wire::HistoryEvent {
        let start = wire::ExecutionStartedEvent {
            name: "flow".into(),
            input: Some("[1]".into()),
            workflow_instance: Some(wire::WorkflowInstance {
                instance_id: "a".into(),
                execution_id: Some(execution.into()),
            }),
            ..Default::default()
        };
        event(0, EventType::ExecutionStarted(Box::new(start)))
    }

    fn fired(id: i32) -> wire::HistoryEvent {
        event(9, EventType::TimerFired(wire::TimerFiredEvent { timer_id: id, ..Default::default() }))
    }

    fn item(past: Vec<wire::HistoryEvent>, new: Vec<wire::HistoryEvent>) -> TurnItem {
        let request = wire::WorkflowRequest {
            instance_id: "a".into(),
            past_events: past,
            new_events: new,
            ..Default::default()
        };
        let message =
            wire::WorkItem { completion_token: "t".into(), request: Some(Request::WorkflowRequest(request)) };
        let item = WorkItem::decode(Bytes::from(message.encode_to_vec())).unwrap();
        assert_eq!((item.activity, item.completion_token.as_str()), (None, "t"));
        TurnItem::read(item.workflow.unwrap()).unwrap()
    }

    #[test]
    fn the_last_turn_and_the_execution_id_are_found_without_decoding() {
        let past = vec![started(1_000_001, None), start("e1"), started(7_000_002, None), fired(1), fired(2)];
        let found = item(past, vec![started(8_000_000, None), fired(3)]);
        assert_eq!(found.execution_id().unwrap().as_deref(), Some("e1"));
        assert_eq!(found.last_turn().unwrap(), Some((7, 2_000)));
        assert_eq!(found.this_turn().unwrap(), Some((8, 0)));
        assert_eq!((found.past_events().unwrap().len(), found.new_events().unwrap().len()), (5, 2));
        assert_eq!(found.facts().unwrap(), Facts { name: "flow".into(), version: None, begun: true });
    }

    #[test]
    fn a_run_that_has_not_begun_has_no_turn() {
        let found = item(Vec::new(), vec![started(1, None), start("e1")]);
        assert!(!found.has_past());
        assert_eq!(found.last_turn().unwrap(), None);
        assert!(!found.facts().unwrap().begun && found.is_untouched().unwrap());
    }

    #[test]
    fn a_past_in_which_no_worker_took_part_is_told_from_another() {
        let first = || vec![started(1, None), start("e1")];
        let more = |event| first().into_iter().chain([event]).collect();
        assert!(item(first(), vec![started(2, None)]).is_untouched().unwrap());
        assert!(!item(more(started(2, None)), vec![started(3, None)]).is_untouched().unwrap());
        let timer = event(1, EventType::TimerCreated(wire::TimerCreatedEvent::default()));
        assert!(!item(more(timer), vec![started(2, None)]).is_untouched().unwrap());
    }

    #[test]
    fn the_version_is_that_of_the_first_turn_that_names_one() {
        let past = vec![started(1, Some("v1")), start("e1"), started(2, Some("v1"))];
        assert_eq!(item(past, vec![started(3, None)]).facts().unwrap().version.as_deref(), Some("v1"));
    }

    #[test]
    fn garbage_is_refused_and_never_panics() {
        let whole = item(vec![started(1, Some("v1")), start("e1")], vec![started(3, None)]).bytes;
        for end in 0..whole.len() {
            if let Ok(item) = TurnItem::read(whole.slice(..end)) {
                let _ = (item.facts(), item.last_turn(), item.execution_id(), item.past_events());
            }
        }
        for at in 0..whole.len() {
            for value in [0, 0x7f, 0x80, 0xff] {
                let mut bytes = whole.to_vec();
                bytes[at] = value;
                if let Ok(item) = TurnItem::read(Bytes::from(bytes)) {
                    let _ = (item.facts(), item.last_turn(), item.execution_id(), item.past_events());
                }
            }
        }
        assert_eq!(TurnItem::read(Bytes::new()).unwrap_err(), Unreadable);
    }
}
