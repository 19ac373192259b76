//! The recorded work items through replay: our actions have to be such that the recorded history can go on with them.

use everstep::bridge::{Stall, StallCode};
use everstep::history::wire::work_item::Request;
use everstep::history::wire::workflow_action::WorkflowActionType as Action;
use everstep::history::{Event, wire};
use everstep::model::RuntimeStatus;
use everstep::testkit::host::Host;
use everstep::worker::replay::{Next, Replay, TurnResult};
use prost::Message;
use serde_json::{Value, json};
use wire::history_event::EventType;

use crate::shapes::{of_another_shape, program};
use crate::vectors::{Case, base64, cases, items, text};

/// A turn as a worker got it, and what the worker answered.
pub struct Turn {
    pub request: wire::WorkflowRequest,
    /// The work item that it came in.
    pub item: bytes::Bytes,
    pub answer: wire::WorkflowResponse,
}

/// The turns of a case in the order of their answers. What was sent to a worker that was killed has no answer.
pub fn turns(case: &Case) -> Vec<Turn> {
    let (work, answers) = (items(&case.data["work_items_b64"]), items(&case.data["completions_b64"]));
    let mut out: Vec<(wire::WorkflowRequest, bytes::Bytes)> = Vec::new();
    let mut turns = Vec::new();
    for row in items(&case.data["traffic"]).iter().filter(|row| text(&row["what"]) == "workflow") {
        let index = |list: &str| usize::try_from(row[list].as_u64().unwrap()).unwrap();
        if text(&row["dir"]) == "to_worker" {
            let item = base64(&work[index("work_item")]);
            let message = wire::WorkItem::decode(item.clone()).unwrap();
            let Some(Request::WorkflowRequest(request)) = message.request else { panic!("{}", case.name) };
            out.retain(|(other, _)| other.instance_id != request.instance_id);
            out.push((request, item));
        } else {
            let answer = wire::WorkflowResponse::decode(base64(&answers[index("completion")])).unwrap();
            let at = out.iter().position(|(request, _)| request.instance_id == answer.instance_id).unwrap();
            let (request, item) = out.remove(at);
            turns.push(Turn { request, item, answer });
        }
    }
    turns
}

impl Turn {
    /// The name of the workflow, from its start.
    pub fn workflow(&self) -> &str {
        let mut events = self.request.past_events.iter().chain(&self.request.new_events);
        let name = events.find_map(|event| match event.event_type.as_ref() {
            Some(EventType::ExecutionStarted(started)) => Some(started.name.as_str()),
            _ => None,
        });
        name.unwrap()
    }

    /// What the recorded worker ran: the program of the name, or other code, with which the turn has to stall.
    pub fn program(&self) -> (Value, Option<StallCode>) {
        let name = self.workflow();
        let mut program = program(name).unwrap_or_else(|| panic!("no program of {name}"));
        let unavailable = |action: &wire::WorkflowAction| {
            matches!(action.workflow_action_type, Some(Action::WorkflowVersionNotAvailable(_)))
        };
        let stall = if self.answer.actions.iter().any(unavailable) {
            program["version"] = json!("v1");
            Some(StallCode::VersionNotAvailable)
        } else if patches(self.request.past_events.iter()) && self.answer.version.is_none() {
            let asks = program["body"].as_array_mut().unwrap().remove(0);
            assert!(asks.get("patch").is_some());
            Some(StallCode::PatchMismatch)
        } else {
            None
        };
        (program, stall)
    }

    fn is_first(&self) -> bool {
        self.request.past_events.is_empty()
    }
}

/// Whether a turn has seen a patch.
fn patches<'a>(mut events: impl Iterator<Item = &'a wire::HistoryEvent>) -> bool {
    events.any(|event| match event.event_type.as_ref() {
        Some(EventType::WorkflowStarted(started)) => {
            started.version.as_ref().is_some_and(|version| !version.patches.is_empty())
        }
        _ => false,
    })
}

/// What a worker asked for: id, kind, and the name or how it ends.
pub type Asked = (i32, &'static str, String);

/// What can be compared of actions: those that SDKs make for waits are left out, ends have no id and come last.
pub fn asked(actions: &[wire::WorkflowAction]) -> Vec<Asked> {
    let mut asked: Vec<Asked> = actions
        .iter()
        .filter_map(|action| {
            let id = action.id;
            Some(match action.workflow_action_type.as_ref().unwrap() {
                Action::ScheduleTask(task) => (id, "task", task.name.clone()),
                Action::CreateTimer(timer) if timer.fire_at.unwrap().seconds >= 253_402_300_799 => {
                    return None;
                }
                Action::CreateTimer(_) => (id, "timer", String::new()),
                Action::CreateChildWorkflow(child) => (id, "child", child.name.clone()),
                Action::CompleteWorkflow(done) => (i32::MAX, "end", end(done)),
                Action::WorkflowVersionNotAvailable(_) => (i32::MAX, "stall", String::new()),
                other => panic!("{other:?}"),
            })
        })
        .collect();
    asked.sort();
    asked
}

/// The status, and what goes with it as JSON. What a failure says is each SDK's own, and so are the texts of timers.
fn end(done: &wire::CompleteWorkflowAction) -> String {
    let status = RuntimeStatus::from_number(done.workflow_status);
    let mut result: Value = serde_json::from_str(done.result.as_deref().unwrap_or("null")).unwrap();
    if let Some(fields) = result.as_object_mut() {
        // JavaScript leaves out what is undefined.
        fields.retain(|_, value| !value.is_null());
    }
    let mut events: Vec<String> = done.carryover_events.iter().map(carried).collect();
    // Java turns them round.
    events.sort();
    match status {
        RuntimeStatus::Failed => "FAILED".to_owned(),
        _ if result.as_str().is_some_and(|text| text.starts_with("ding")) => "COMPLETED ding".to_owned(),
        _ => format!("{} {result} {events:?}", status.name()),
    }
}

fn carried(event: &wire::HistoryEvent) -> String {
    match event.event_type.as_ref() {
        Some(EventType::EventRaised(raised)) => {
            let data: Value = serde_json::from_str(raised.input.as_deref().unwrap_or("null")).unwrap();
            format!("{} {data}", raised.name.to_lowercase())
        }
        other => panic!("{other:?}"),
    }
}

/// What we have to ask for in this turn. A run that begins here counts from 1 and without the waits for events, whoever
/// once counted from 0 or gave each wait an id; one that goes on counts as its past does.
pub fn expected(turn: &Turn) -> Vec<Asked> {
    let mut expected = asked(&turn.answer.actions);
    if turn.is_first() {
        for ((id, kind, _), number) in expected.iter_mut().zip(1..) {
            *id = if *kind == "end" { *id } else { number };
        }
    }
    expected
}

fn run(turn: &Turn, program: &Value) -> Result<TurnResult, Stall> {
    let mut host = Host::new();
    host.program(program);
    let mut replay = Replay::new(&turn.request.instance_id);
    if let (Some(latest), true) = (program["version"].as_str(), turn.is_first()) {
        replay.default_version(latest);
    }
    let read = |events: &[wire::HistoryEvent]| events.iter().cloned().map(Event::new).collect::<Vec<_>>();
    if !turn.is_first() {
        replay.past(read(&turn.request.past_events));
    }
    replay.turn(read(&turn.request.new_events));
    loop {
        match replay.next(1 << 20)? {
            Next::Done(result) => return Ok(result),
            Next::Jobs { jobs, .. } => replay.apply(host.apply("recorded", "run", &jobs)?)?,
        }
    }
}

#[test]
fn our_actions_fit_every_recorded_continuation() {
    let (mut same, mut count, mut others) = (0, 0, Vec::new());
    for case in cases() {
        if let Some(reason) = of_another_shape(&case.name) {
            others.push(format!("{}: {reason}", case.name));
            continue;
        }
        let turns = turns(&case);
        assert!(!turns.is_empty(), "{}", case.name);
        for (number, turn) in turns.iter().enumerate() {
            let label = format!("{} turn {number} of {}", case.name, turn.request.instance_id);
            let (program, stall) = turn.program();
            if let Some(code) = stall {
                assert_eq!(run(turn, &program).unwrap_err().code, code, "{label}");
                continue;
            }
            let result = run(turn, &program).unwrap_or_else(|stall| panic!("{label}: {stall}"));
            assert_eq!(asked(&result.actions), expected(turn), "{label}");
            count += 1;
        }
        same += 1;
    }
    println!("{same} cases of the same shape, {count} turns; only decoded:\n{}", others.join("\n"));
    assert_eq!((same, others.len()), (138, 7), "{others:#?}");
    assert!(count > 400, "{count} turns");
}
