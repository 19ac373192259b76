//! What Java is answered: `{"ok":…}`, `{"error":{…}}`, `{"held":number,"ok":…}` with the number of what is held, and
//! `{"waiting":ticket}` where the answer comes later. Absent keys are nothing, times are microseconds since 1970. Payloads
//! stand behind the JSON as they are, and in it where they begin and end there: see `Tail`. Those of a history are texts.

use std::cell::RefCell;
use std::collections::BTreeMap;

use everstep::model::{BulkStep, Change, Failure, Page, Started, StatusCounts, WorkflowState};
use everstep::{Error, Result};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::json;

use crate::held::{Held, hold};

/// What an operation gives.
pub(crate) enum Answer {
    Nothing,
    Text(Option<String>),
    Number(u64),
    Started(Started),
    State(WorkflowState),
    Change(Option<Change>),
    Page(Page),
    Counts(StatusCounts),
    Step(BulkStep),
    Held(Held),
}

macro_rules! answers {
    ($($variant:ident from $core:ty;)*) => {
        $(impl From<$core> for Answer {
            fn from(value: $core) -> Answer {
                Answer::$variant(value)
            }
        })*
    };
}

answers! {
    Text from Option<String>;
    Number from u64;
    Started from Started;
    State from WorkflowState;
    Change from Option<Change>;
    Page from Page;
    Counts from StatusCounts;
    Step from BulkStep;
    Held from Held;
}

impl From<()> for Answer {
    fn from((): ()) -> Answer {
        Answer::Nothing
    }
}

impl From<everstep::history::HistoryTree> for Answer {
    fn from(tree: everstep::history::HistoryTree) -> Answer {
        Answer::Held(Held::History(tree.into()))
    }
}

/// The text of the answer of a call that has ended.
pub(crate) fn text(result: Result<Answer>) -> String {
    match result {
        Ok(Answer::Nothing) => ok(&()),
        Ok(Answer::Text(text)) => with_tail(|tail| ok(&text.as_ref().map(|text| Payload(text, tail)))),
        Ok(Answer::Number(number)) => ok(&number),
        Ok(Answer::Started(started)) => ok(&Text(&started)),
        Ok(Answer::State(state)) => with_tail(|tail| ok(&State(&state, tail))),
        Ok(Answer::Change(change)) => {
            with_tail(|tail| ok(&change.as_ref().map(|change| Changed(change, tail))))
        }
        Ok(Answer::Page(page)) => with_tail(|tail| ok(&Listed(&page, tail))),
        Ok(Answer::Counts(counts)) => {
            ok(&counts.iter().map(|(status, count)| (status.name(), *count)).collect::<BTreeMap<_, _>>())
        }
        Ok(Answer::Step(step)) => ok(&json!({ "done": step.done, "cursor": step.cursor })),
        Ok(Answer::Held(thing)) => held(thing),
        Err(error) => write(&BTreeMap::from([("error", Text(&error))])),
    }
}

fn ok(value: &impl Serialize) -> String {
    write(&BTreeMap::from([("ok", value)]))
}

/// The payloads of an answer, one after the other, and how long they are in the units that Java counts.
#[derive(Default)]
struct Tail(RefCell<(String, usize)>);

fn with_tail(write: impl FnOnce(&Tail) -> String) -> String {
    let tail = Tail::default();
    write(&tail) + &tail.0.into_inner().0
}

/// A payload: in its place stands where in the tail it begins and ends.
struct Payload<'a>(&'a str, &'a Tail);

impl Serialize for Payload<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        let mut tail = self.1.0.borrow_mut();
        let begin = tail.1;
        tail.0.push_str(self.0);
        tail.1 += units(self.0);
        (begin, tail.1).serialize(to)
    }
}

/// How long Java finds a text.
pub(crate) fn units(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

fn held(thing: Held) -> String {
    match &thing {
        Held::Client(client) => {
            let said = json!({ "endpoint": client.client.endpoint(), "warnings": client.client.warnings() });
            write(&json!({ "ok": said, "held": hold(thing) }))
        }
        Held::Worker(_) => write(&json!({ "held": hold(thing) })),
        Held::History(tree) => {
            let tree = tree.clone();
            write(&Numbered(hold(thing), Text(&*tree)))
        }
    }
}

/// What is said of a call whose answer comes later.
pub(crate) fn waiting(ticket: u64) -> String {
    write(&BTreeMap::from([("waiting", ticket)]))
}

/// The JSON of what is made of texts and numbers.
pub(crate) fn write(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("texts and numbers have a JSON")
}

struct Numbered<T>(u64, T);

impl<T: Serialize> Serialize for Numbered<T> {
    fn serialize<S: Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("held", &self.0)?;
        map.serialize_entry("ok", &self.1)?;
        map.end()
    }
}

/// A type of the core's as text.
pub(crate) struct Text<'a, T>(pub(crate) &'a T);

/// Writes what is there.
pub(crate) fn some<M: SerializeMap, T: Serialize>(
    map: &mut M,
    key: &'static str,
    value: &Option<T>,
) -> std::result::Result<(), M::Error> {
    value.as_ref().map_or(Ok(()), |value| map.serialize_entry(key, value))
}

/// All of a list.
pub(crate) fn texts<T>(list: &[T]) -> Vec<Text<'_, T>> {
    list.iter().map(Text).collect()
}

impl Serialize for Text<'_, Started> {
    fn serialize<S: Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("instanceId", &self.0.instance_id)?;
        some(&mut map, "executionId", &self.0.execution_id)?;
        map.end()
    }
}

/// A state, and where its payloads go.
struct State<'a>(&'a WorkflowState, &'a Tail);

impl<'a> Serialize for State<'a> {
    fn serialize<S: Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        let State(state, tail) = *self;
        let payload = |text: &'a Option<String>| text.as_ref().map(|text| Payload(text, tail));
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("instanceId", &state.instance_id)?;
        some(&mut map, "executionId", &state.execution_id)?;
        map.serialize_entry("name", &state.name)?;
        some(&mut map, "version", &state.version)?;
        map.serialize_entry("status", state.status.name())?;
        map.serialize_entry("createdAt", &state.created_at.0)?;
        map.serialize_entry("lastUpdatedAt", &state.last_updated_at.0)?;
        some(&mut map, "startedAt", &state.started_at.map(|time| time.0))?;
        some(&mut map, "completedAt", &state.completed_at.map(|time| time.0))?;
        some(&mut map, "startAt", &state.start_at.map(|time| time.0))?;
        some(&mut map, "input", &payload(&state.input))?;
        some(&mut map, "output", &payload(&state.output))?;
        some(&mut map, "customStatus", &payload(&state.custom_status))?;
        some(&mut map, "failure", &state.failure.as_ref().map(Text))?;
        some(&mut map, "reason", &state.reason)?;
        some(&mut map, "parentInstanceId", &state.parent_instance_id)?;
        some(&mut map, "tags", &(!state.tags.is_empty()).then_some(&state.tags))?;
        map.end()
    }
}

struct Changed<'a>(&'a Change, &'a Tail);

impl Serialize for Changed<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("state", &State(&self.0.state, self.1))?;
        map.serialize_entry("seen", &self.0.seen.to_string())?;
        map.end()
    }
}

struct Listed<'a>(&'a Page, &'a Tail);

impl Serialize for Listed<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        let states: Vec<_> = self.0.states.iter().map(|state| State(state, self.1)).collect();
        map.serialize_entry("states", &states)?;
        some(&mut map, "cursor", &self.0.cursor)?;
        map.end()
    }
}

impl Serialize for Text<'_, Error> {
    fn serialize<S: Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        let error = self.0;
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("code", error.code())?;
        map.serialize_entry("message", error.message())?;
        some(&mut map, "operation", &error.operation())?;
        some(&mut map, "instanceId", &error.instance_id())?;
        some(&mut map, "failure", &error.failure().map(Text))?;
        some(&mut map, "done", &error.done())?;
        map.end()
    }
}

/// A failure and its causes, the outermost first.
impl Serialize for Text<'_, Failure> {
    fn serialize<S: Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        let mut chain = to.serialize_seq(None)?;
        for failure in std::iter::successors(Some(self.0), |failure| failure.cause.as_deref()) {
            chain.serialize_element(&json!({
                "errorType": failure.error_type,
                "message": failure.message,
                "stack": failure.stack,
                "nonRetryable": failure.non_retriable,
            }))?;
        }
        chain.end()
    }
}
