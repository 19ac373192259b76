//! The workflows of these tests and their hosts.

use std::io::Write;
use std::path::Path;

use everstep::bridge::{ActivityTask, Due};
use everstep::component::Registry;
use everstep::model::{Payload, StartRequest};
use everstep::runtime::wait_on;
use everstep::testkit::ChildOptions;
use everstep::testkit::Ctx;
use everstep::testkit::host::{End, Fault, Host};
use everstep::testkit::text::TextHost;
use everstep::testkit::workers::Workers;
use everstep::{Client, ClientOptions, Environment, Result};
use serde_json::{Value, json};

use crate::PATIENCE;

/// How many activities an order has.
pub(crate) const STEPS: usize = 5;

/// The workflows:
/// - `order`: five activities, a timer, a child, and an event with its own ID to its box at the end;
/// - `leaf`: the child, one activity;
/// - `box`: gathers the events `item` until `"end"` comes; `relay` does so with a new generation for every event.
pub(crate) fn host(ledger: Option<&Path>) -> TextHost {
    let mut host = Host::new();
    host.workflow("order", order);
    host.workflow("leaf", |ctx, _| async move { Ok(End::Return(ctx.activity("effect", None).await?)) });
    host.workflow("box", |ctx, _| async move {
        let mut items = Vec::new();
        loop {
            let item = next_item(&ctx).await?;
            if item == "end" {
                return Ok(End::Return(Some(json!(items).to_string())));
            }
            items.push(item);
        }
    });
    host.workflow("relay", |ctx, input| async move {
        let mut items = decode(&input);
        let item = next_item(&ctx).await?;
        if item == "end" {
            return Ok(End::Return(Some(items.to_string())));
        }
        items.as_array_mut().expect("a relay carries a list").push(item);
        Ok(End::Continue { input: Some(items.to_string()), keep_events: true })
    });
    let ledger = ledger.map(Path::to_owned);
    host.activity("effect", move |task| {
        if let Some(path) = &ledger {
            enter(path, task);
        }
        Ok(Some(json!(task.task).to_string()))
    });
    TextHost::over(host)
}

async fn order(ctx: Ctx, input: Payload) -> std::result::Result<End, Fault> {
    let input = decode(&input);
    for step in 0..STEPS {
        ctx.activity("effect", Some(step.to_string())).await?;
    }
    ctx.timer(Due::After(3)).await?;
    let id = ctx.info().id;
    ctx.child_with("leaf", None, ChildOptions { id: Some(child_of(&id)), ..ChildOptions::default() }).await?;
    ctx.send(input["box"].as_str().unwrap_or_default(), "item", Some(json!(id).to_string()));
    Ok(End::Return(Some(STEPS.to_string())))
}

async fn next_item(ctx: &Ctx) -> std::result::Result<Value, Fault> {
    Ok(decode(&ctx.event("item", None).await?))
}

fn decode(payload: &Payload) -> Value {
    serde_json::from_str(payload.as_deref().unwrap_or("null")).expect("the tests send JSON")
}

pub(crate) fn child_of(order: &str) -> String {
    format!("{order}-c")
}

/// One line in one write, so that a death leaves whole lines.
fn enter(path: &Path, task: &ActivityTask) {
    append(path, &format!("{} {} {}\n", task.id, task.task, task.key));
}

pub(crate) fn append(path: &Path, line: &str) {
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.create(true).append(true).open(path).expect("the log can be written");
    file.write_all(line.as_bytes()).expect("the log can be written");
}

pub(crate) fn workers(client: &Client, ledger: Option<&Path>) -> Workers {
    Workers::open(client, 1000, || host(ledger)).expect("the worker opens")
}

pub(crate) fn open(endpoint: &str) -> Result<Client> {
    open_with(ClientOptions::at(endpoint))
}

pub(crate) fn open_with(options: ClientOptions) -> Result<Client> {
    Client::open_in(&Environment::new(|_| None, "/"), Registry::default(), options)
}

/// Starts an order whose input has `size` bytes more than it needs.
pub(crate) fn start_order(client: &Client, id: &str, into: &str, size: usize) -> Result<()> {
    let input = json!({"box": into, "more": "x".repeat(size)}).to_string();
    start(client, "order", id, Some(input))
}

pub(crate) fn start(client: &Client, name: &str, id: &str, input: Payload) -> Result<()> {
    let (name, instance_id) = (name.to_owned(), Some(id.to_owned()));
    let request = StartRequest { name, instance_id, input, ..StartRequest::default() };
    wait_on(client.start(None, request), Some(PATIENCE)).map(drop)
}

pub(crate) fn raise(client: &Client, id: &str, item: &str) -> Result<()> {
    wait_on(client.raise_event(None, id, "item", Some(json!(item).to_string())), Some(PATIENCE))
}

pub(crate) fn result(client: &Client, id: &str) -> Result<Payload> {
    wait_on(client.result(None, id, None, Some(PATIENCE)), None)
}
