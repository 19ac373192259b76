//! Takes the steps of a case.

use std::time::{Duration, Instant};

use everstep::component::Pending;
use everstep::history::Event;
use everstep::model::{
    BulkAction, Filter, ListRequest, Micros, Payload, RerunRequest, Reuse, RuntimeStatus, StartRequest,
    Started, WorkflowState,
};
use everstep::runtime::wait_on;
use everstep::{Error, Result};
use serde_json::Value;

use super::case::{self, Case, Rerun, Start, Step, fill};
use super::expect::{self, Check, outcome};
use super::place::Mode;
use super::world::World;

/// How long a step waits for what should come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Takes all steps; the error names the step.
pub(crate) fn run(case: &Case, world: &mut World, mode: Mode) -> Check {
    for (index, step) in case.steps.iter().enumerate() {
        let filled = fill(step, &world.names);
        let step: Step = serde_json::from_value(filled.clone())
            .map_err(|error| format!("step {index} is no step: {error}: {filled}"))?;
        take(step, world).map_err(|error| {
            let shown: String = filled.to_string().chars().take(300).collect();
            format!("step {index} {shown}: {error}")
        })?;
        if mode == Mode::Restarted && index + 1 < case.steps.len() {
            world.restart().map_err(|error| format!("restart after step {index}: {error}"))?;
        }
    }
    Ok(())
}

/// How much longer than its own timeout a call is waited for.
const GRACE: Duration = Duration::from_secs(10);

fn answer<T>(call: Pending<'static, T>) -> Result<T> {
    wait_on(call, Some(PATIENCE * 2 + GRACE))
}

fn payload(value: Option<&Value>) -> Payload {
    value.map(Value::to_string)
}

fn take(step: Step, world: &mut World) -> Check {
    let client = world.client.clone();
    let patience = world.patience;
    let timeout = |millis: Option<u64>| Some(millis.map_or(patience, Duration::from_millis));
    let state = |expected: Option<case::State>| {
        move |found: WorkflowState| expected.map_or(Ok(()), |expected| expect::state(&found, &expected))
    };
    let count = |expected: Option<case::Count>| {
        move |found: u64| match expected {
            Some(expected) if expected.count != found => {
                Err(format!("{found} counted, not {}", expected.count))
            }
            _ => Ok(()),
        }
    };
    match step {
        Step::Start(start) => begin(start, world),
        Step::Rerun(rerun) => again(rerun, world),
        Step::WaitForStart { id, timeout_ms, expect, error } => {
            let found = answer(client.wait_for_start(None, &id, timeout(timeout_ms), true));
            outcome(found, error.as_ref(), state(expect))
        }
        Step::WaitForCompletion { id, timeout_ms, expect, error } => {
            let found = answer(client.wait_for_completion(None, &id, timeout(timeout_ms), true));
            outcome(found, error.as_ref(), state(expect))
        }
        Step::Await { id, expect } => until(world, &id, &expect),
        Step::Result { id, run, timeout_ms, expect, error } => {
            let id =
                id.or_else(|| world.names.get(run.as_deref()?).cloned()).ok_or("result takes id or run")?;
            let run = run.and_then(|run| world.runs.get(&run).cloned().flatten());
            let found = answer(client.result(None, &id, run.as_deref(), timeout(timeout_ms)));
            outcome(found, error.as_ref(), |output| {
                expect.map_or(Ok(()), |expected| expect::payload("the output", &output, &expected.output))
            })
        }
        Step::Get { id, component, payloads, expect, error } => {
            let found = answer(client.get(component.as_deref(), &id, payloads.unwrap_or(true)));
            outcome(found, error.as_ref(), state(expect))
        }
        Step::Pause { id, reason, error } => {
            outcome(answer(client.pause(None, &id, reason)), error.as_ref(), Ok)
        }
        Step::Resume { id, reason, error } => {
            outcome(answer(client.resume(None, &id, reason)), error.as_ref(), Ok)
        }
        Step::RaiseEvent { id, event, data, error } => {
            outcome(answer(client.raise_event(None, &id, event, payload(data.as_ref()))), error.as_ref(), Ok)
        }
        Step::Terminate { id, output, recursive, error } => {
            let call = client.terminate(None, &id, payload(output.as_ref()), recursive.unwrap_or(true));
            outcome(answer(call), error.as_ref(), Ok)
        }
        Step::Purge { id, recursive, expect, error } => {
            outcome(answer(client.purge(None, &id, recursive.unwrap_or(true))), error.as_ref(), count(expect))
        }
        Step::Bulk { action, filter, output, recursive, reason, expect, error } => {
            let action = match action {
                case::Bulk::Purge => BulkAction::Purge,
                case::Bulk::Terminate => BulkAction::Terminate {
                    output: payload(output.as_ref()),
                    recursive: recursive.unwrap_or(true),
                },
                case::Bulk::Pause => BulkAction::Pause { reason },
                case::Bulk::Resume => BulkAction::Resume { reason },
            };
            outcome(bulk(world, &action, &of(&filter, world)?), error.as_ref(), count(expect))
        }
        Step::Count { filter, expect, error } => {
            outcome(answer(client.count(None, of(&filter, world)?)), error.as_ref(), |found| {
                let found =
                    found.into_iter().map(|(status, count)| (status.name().to_owned(), count)).collect();
                match expect {
                    Some(expected) if expected != found => Err(format!("{found:?}, not {expected:?}")),
                    _ => Ok(()),
                }
            })
        }
        Step::List { filter, limit, payloads, expect, error } => {
            let request = ListRequest { filter: of(&filter, world)?, cursor: None, limit, payloads };
            outcome(listing(world, request), error.as_ref(), |(states, pages)| {
                expect.map_or(Ok(()), |expected| listed(&states, pages, &expected))
            })
        }
        Step::History { id, expect, error } => {
            let children = expect.as_ref().and_then(|expected| expected.children.clone());
            let client = world.reader();
            outcome(answer(client.history(None, &id)), error.as_ref(), |events: Vec<Event>| {
                expect.map_or(Ok(()), |expected| expect::kinds(&events, &expected))
            })?;
            children.map_or(Ok(()), |expected| {
                let tree = answer(client.history_tree(None, &id, 64)).map_err(|error| error.to_string())?;
                expect::children(&tree, expected)
            })
        }
        Step::Watch { id, keep, until, expect, error } => {
            let states = watch(world, &id, keep, until.as_deref());
            outcome(states, error.as_ref(), |states| {
                expect::watched(&states, until.as_deref(), expect.as_deref())
            })
        }
        Step::Deploy { fixtures } => world.deploy(&fixtures).map_err(|error| error.to_string()),
        Step::OpenWorker { name, fixtures } => {
            world.open_worker(&name, &fixtures).map_err(|error| error.to_string())
        }
        Step::CloseWorker { name } => world.close_worker(&name),
        Step::Restart {} => world.restart().map_err(|error| error.to_string()),
        Step::Close {} => {
            client.close();
            Ok(())
        }
    }
}

fn begin(start: Start, world: &mut World) -> Check {
    let request = StartRequest {
        name: start.workflow,
        input: payload(start.input.as_ref()),
        instance_id: start.id,
        version: start.version,
        options: start.options,
        start_at: start.start_in_ms.map(|millis| Micros::now().plus(Duration::from_millis(millis))),
        tags: start.tags,
        reuse: match start.reuse {
            Some(case::Reuse::Never) => Reuse::Never,
            Some(case::Reuse::Finished) | None => Reuse::Finished,
        },
    };
    let found = answer(world.client.start(start.component.as_deref(), request));
    outcome(found, start.error.as_ref(), |started| keep(started, start.keep, start.expect, world))
}

fn again(rerun: Rerun, world: &mut World) -> Check {
    let request = RerunRequest {
        instance_id: rerun.id,
        from_event: rerun.from,
        new_instance_id: rerun.new_id,
        input: rerun.input.as_ref().map(|input| payload(Some(input))),
    };
    let found = answer(world.client.rerun(None, request));
    outcome(found, rerun.error.as_ref(), |started| keep(started, rerun.keep, rerun.expect, world))
}

/// Checks a generated ID, and keeps a run under a name.
fn keep(started: Started, name: Option<String>, expected: Option<case::MadeId>, world: &mut World) -> Check {
    if let Some(expected) = expected {
        let version = uuid::Uuid::parse_str(&started.instance_id).map(|id| id.get_version_num());
        if version != Ok(expected.uuid) {
            return Err(format!("the ID {} is no UUID of version {}", started.instance_id, expected.uuid));
        }
    }
    if let Some(name) = name {
        world.names.insert(name.clone(), started.instance_id);
        world.runs.insert(name, started.execution_id);
    }
    Ok(())
}

/// Looks at the state until it is as expected. The look is paced, not the expectation: it ends as soon as it is met.
fn until(world: &World, id: &str, expected: &case::State) -> Check {
    let deadline = Instant::now() + world.patience;
    let mut pause = Duration::from_millis(2);
    loop {
        let found = answer(world.client.get(None, id, true))
            .map_err(|error| format!("it is {}: {error}", error.code()));
        let found = found.and_then(|state| expect::state(&state, expected));
        if found.is_ok() || Instant::now() > deadline {
            return found;
        }
        std::thread::park_timeout(pause);
        if world.place.is_dapr() {
            // Each look is a call that the sidecar works for.
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }
}

/// The states of a watch, up to the one that is waited for or to the end. One that is kept goes on where it was.
fn watch(
    world: &mut World,
    id: &str,
    keep: Option<String>,
    until: Option<&case::State>,
) -> Result<Vec<WorkflowState>, Error> {
    let mut seen = keep.as_ref().and_then(|keep| world.watches.get(keep).copied());
    let mut states = Vec::new();
    while let Some(change) = answer(world.client.next_change(None, id, None, seen, true))? {
        seen = Some(change.seen);
        states.push(change.state);
        if until.is_some_and(|until| states.last().is_some_and(|state| expect::state(state, until).is_ok())) {
            break;
        }
    }
    if let (Some(keep), Some(seen)) = (keep, seen) {
        world.watches.insert(keep, seen);
    }
    Ok(states)
}

fn of(filter: &case::Filter, world: &World) -> Result<Filter, String> {
    let status = |name: &String| RuntimeStatus::from_name(name).ok_or(format!("there is no status {name:?}"));
    let statuses = filter.statuses.iter().map(status).collect::<Result<_, _>>()?;
    // A moment is named by the instance that was created then.
    let moment = |id: &Option<String>| match id {
        Some(id) => match answer(world.client.get(None, id, false)) {
            Ok(state) => Ok(Some(state.created_at)),
            Err(error) => Err(format!("{id}: {error}")),
        },
        None => Ok(None),
    };
    Ok(Filter {
        name: filter.name.clone(),
        statuses,
        created_from: moment(&filter.created_from)?,
        created_to: moment(&filter.created_to)?,
        parent: filter.parent.clone(),
    })
}

fn bulk(world: &World, action: &BulkAction, filter: &Filter) -> Result<u64> {
    let mut cursor = None;
    loop {
        let step = answer(world.client.bulk(None, action.clone(), filter.clone(), cursor))?;
        cursor = step.cursor;
        if cursor.is_none() {
            return Ok(step.done);
        }
    }
}

fn listing(world: &World, mut request: ListRequest) -> Result<(Vec<WorkflowState>, usize), Error> {
    let (mut states, mut pages) = (Vec::new(), 0);
    let client = world.reader();
    loop {
        let page = answer(client.list(None, request.clone()))?;
        states.extend(page.states);
        pages += 1;
        request.cursor = page.cursor;
        if request.cursor.is_none() {
            return Ok((states, pages));
        }
    }
}

fn listed(states: &[WorkflowState], pages: usize, expected: &case::Listing) -> Check {
    let mut states: Vec<&WorkflowState> = states.iter().collect();
    if expected.order.as_deref() == Some("any") {
        let place = |state: &&WorkflowState| expected.ids.iter().position(|id| *id == state.instance_id);
        states.sort_by_key(place);
    }
    let ids: Vec<_> = states.iter().map(|state| &state.instance_id).collect();
    if ids != expected.ids.iter().collect::<Vec<_>>() {
        return Err(format!("listed {ids:?}, not {:?}", expected.ids));
    }
    if let Some(expected) = expected.pages
        && expected != pages
    {
        return Err(format!("in {pages} pages, not {expected}"));
    }
    let wanted = expected.states.iter().flatten();
    states.iter().zip(wanted).try_for_each(|(state, expected)| expect::state(state, expected))
}
