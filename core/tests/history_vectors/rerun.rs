//! Reruns against those that Dapr made: from the same sources, and of the same programs.
//!
//! What differs on purpose: where Dapr's order of open tasks is that of a hash map, ours is the source's; the start has own
//! data behind what Dapr has; what runs again has a key of its own.

use bytes::Bytes;
use everstep::engine::machine::{Context, Effect, Ids, Rerun, rerun};
use everstep::engine::store::{InstanceRow, Loaded, Op};
use everstep::history::wire::history_event::EventType;
use everstep::history::{Event, HistoryEvent, record, wire};
use everstep::model::{Micros, RuntimeStatus};
use prost::Message;

use crate::recorded::events;
use crate::vectors::{Case, base64, cases, items};

/// What tells one event of a history from another: kind, id, what it answers, name, input, whether it was chosen.
type Shape = (String, i32, Option<i32>, Option<String>, Option<String>, bool);

fn shape(event: &Event) -> Shape {
    let view = HistoryEvent::from(event);
    // The own data of a start says it too.
    let chosen = view.rerun_of.is_some() && view.kind != "ExecutionStarted";
    (view.kind.to_owned(), view.event_id, view.task_id, view.name, view.input, chosen)
}

struct Recorded {
    name: String,
    source: Vec<Event>,
    rerun: Vec<Event>,
    asked: wire::RerunWorkflowFromEventRequest,
}

impl Recorded {
    fn event(&self) -> i32 {
        i32::try_from(self.asked.event_id).unwrap()
    }
}

fn reruns() -> Vec<Recorded> {
    let of = |case: Case| {
        let note =
            case.data.get("notes").map(items)?.iter().find_map(|note| note.get("rerun_request_b64"))?;
        let asked = wire::RerunWorkflowFromEventRequest::decode(base64(note)).unwrap();
        let blocks = case.blocks();
        let source = blocks.iter().find(|block| block.data["instance_id"] == asked.source_instance_id)?;
        let (source, rerun) = (events(source), events(&blocks[0]));
        Some(Recorded { name: case.name.clone(), source, rerun, asked })
    };
    cases().into_iter().filter_map(of).collect()
}

/// A history as the store has it.
fn stored(events: &[Event]) -> Loaded {
    let mut turns: Vec<(u32, Vec<Event>)> = Vec::new();
    for event in events {
        if matches!(event.message().event_type, Some(EventType::WorkflowStarted(_))) {
            turns.push((u32::try_from(turns.len()).unwrap(), Vec::new()));
        }
        turns.last_mut().unwrap().1.push(event.clone());
    }
    let turns = turns.into_iter().map(|(number, events)| (number, record::frame(&events))).collect();
    let row = InstanceRow { id: "source".into(), status: RuntimeStatus::Completed, ..InstanceRow::default() };
    Loaded { row, turns, inbox: Vec::new() }
}

/// What a rerun of a source begins with.
fn begin(case: &Recorded) -> Vec<Event> {
    let mut ids = Ids::new(1, 1, Some(1));
    let mut context = Context { now: Micros(1_900_000_000_000_000), ids: &mut ids };
    let mut effects = Vec::new();
    let input = case.asked.overwrite_input.then(|| case.asked.input.clone());
    let asked = Rerun { id: "again".into(), from: case.event(), input };
    rerun(&stored(&case.source), asked, &mut context, &mut effects).unwrap();
    let turns = effects.into_iter().filter_map(|effect| match effect {
        Effect::Store(Op::Turn { data, .. }) => Some(data),
        _ => None,
    });
    turns.flat_map(|data: Bytes| record::unframe(&data).unwrap()).collect()
}

#[test]
fn a_rerun_begins_as_daprs_does_from_the_same_source() {
    let reruns = reruns();
    assert_eq!(reruns.len(), 12);
    for case in &reruns {
        let (name, ours, theirs) = (&case.name, begin(case), &case.rerun);
        // Behind the chosen event everything is new.
        let until = theirs.iter().position(|event| shape(event).5).unwrap();
        let theirs = &theirs[..=until];
        assert_eq!(ours.len(), theirs.len(), "{name}");
        let (mut left, mut right): (Vec<Shape>, Vec<Shape>) =
            (ours.iter().map(shape).collect(), theirs.iter().map(shape).collect());
        // What stands open directly before the chosen event has no order in Dapr.
        let answered = |id: i32| left.iter().any(|shape| shape.2 == Some(id));
        let open = left.iter().position(|shape| shape.0 == "TaskScheduled" && !answered(shape.1)).unwrap();
        left[open..until].sort();
        right[open..until].sort();
        assert_eq!(left, right, "{name}");
        for (ours, theirs) in ours[..open].iter().zip(theirs) {
            assert!(ours.bytes().starts_with(theirs.bytes()), "{name}: what is kept is kept byte for byte");
        }
    }
}

#[cfg(feature = "testkit")]
mod whole {
    //! The same programs on this engine, from their start to the end of their rerun.

    use std::time::Duration;

    use everstep::component::{Pending, Registry};
    use everstep::model::{RerunRequest, StartRequest};
    use everstep::runtime::wait_on;
    use everstep::testkit::text::TextHost;
    use everstep::testkit::workers::Workers;
    use everstep::{Client, ClientOptions, Environment};
    use serde_json::json;

    use super::*;

    fn answer<T>(call: Pending<'static, T>) -> T {
        wait_on(call, Some(Duration::from_secs(30))).unwrap()
    }

    /// Kind, id and what is answered, of every event of the rerun of a program.
    fn rerun(name: &str, from: i32) -> Vec<(String, i32, Option<i32>)> {
        let step = json!({"activity": "echo", "input": 1});
        let programs = json!([
            {"name": "chain", "body": [step, step, step]},
            {"name": "fanout", "body": [{"all": [step, step, step, step, step], "as": "all"}]},
        ]);
        let environment = Environment::new(|_| None, "/");
        let client =
            Client::open_in(&environment, Registry::default(), ClientOptions::at("memory:")).unwrap();
        let workers = Workers::open(&client, 100, || TextHost::new(programs.as_array().unwrap())).unwrap();
        let start = StartRequest { name: name.into(), instance_id: Some("a".into()), ..Default::default() };
        answer(client.start(None, start));
        answer(client.wait_for_completion(None, "a", None, false));
        let again = RerunRequest {
            instance_id: "a".into(),
            from_event: from,
            new_instance_id: Some("b".into()),
            input: None,
        };
        answer(client.rerun(None, again));
        answer(client.wait_for_completion(None, "b", None, false));
        let events = answer(client.history(None, "b"));
        drop(workers);
        events.iter().map(plain).collect()
    }

    fn plain(event: &Event) -> (String, i32, Option<i32>) {
        let (kind, id, answered, ..) = shape(event);
        (kind, id, answered)
    }

    /// The workers that number their actions from 1, as ours does.
    fn of_alike_workers(case: &str) -> Vec<Recorded> {
        let alike =
            |name: &str| ["python", "javascript"].iter().any(|sdk| *name == format!("{sdk}/{case}.json"));
        reruns().into_iter().filter(|case| alike(&case.name)).collect()
    }

    #[test]
    fn a_chain_leaves_the_history_that_it_leaves_on_dapr() {
        let cases = of_alike_workers("rerun_chain");
        assert_eq!(cases.len(), 2);
        for case in cases {
            let theirs: Vec<_> = case.rerun.iter().map(plain).collect();
            assert_eq!(rerun("chain", case.event()), theirs, "{}", case.name);
        }
    }

    #[test]
    fn a_fan_out_leaves_the_history_that_it_leaves_on_dapr() {
        let cases = of_alike_workers("rerun_fanout");
        assert_eq!(cases.len(), 2);
        for case in cases {
            // How many results share a turn is chance, and so is their order.
            let sorted = |events: Vec<(String, i32, Option<i32>)>| {
                let mut events: Vec<_> =
                    events.into_iter().filter(|event| event.0 != "WorkflowStarted").collect();
                events.sort();
                events
            };
            let theirs = case.rerun.iter().map(plain).collect();
            assert_eq!(sorted(rerun("fanout", case.event())), sorted(theirs), "{}", case.name);
        }
    }
}
