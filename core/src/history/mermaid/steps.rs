//! From events to the lines and blocks of a diagram.

use super::block::Node;
use super::groups::grouped;
use super::lines::{self, with_payload, with_text};
use super::text::escaped;
use super::{Cast, DiagramOptions, OTHERS, Role};
use crate::history::{HistoryEvent, HistoryTree, TimerUse};
use crate::model::RuntimeStatus;

/// Draws histories.
pub(super) struct Steps<'a> {
    pub(super) cast: &'a mut Cast,
    pub(super) options: &'a DiagramOptions,
    pub(super) client: &'a str,
}

/// What one event adds.
pub(super) struct Item {
    /// The first attempt of the call that it belongs to.
    pub(super) call: Option<usize>,
    /// Whether it is an attempt of it, and the first one.
    pub(super) attempts: bool,
    pub(super) opens: bool,
    pub(super) turn: u32,
    pub(super) nodes: Vec<Node>,
}

impl Item {
    fn alone(node: Node) -> Item {
        Item { call: None, attempts: false, opens: false, turn: 0, nodes: vec![node] }
    }
}

impl Steps<'_> {
    /// The whole history of `me`.
    pub(super) fn of(&mut self, tree: &HistoryTree, me: &str, depth: usize) -> Vec<Node> {
        let items = self.items(tree, me, depth);
        grouped(&tree.events, items)
    }

    fn items(&mut self, tree: &HistoryTree, me: &str, depth: usize) -> Vec<Item> {
        let events = &tree.events;
        let mut items = Vec::with_capacity(events.len());
        let mut status: Option<Node> = None;
        for (place, event) in events.iter().enumerate() {
            // A turn's custom status stands first in its record and is set with its actions.
            if (event.event_id >= 0 || event.kind == "WorkflowStarted")
                && let Some(node) = status.take()
            {
                items.push(Item::alone(node));
            }
            if event.kind == "WorkflowStarted" {
                status = self.status(event, me);
            }
            let call = call_of(events, place);
            let mut nodes: Vec<Node> = self.line(events, event, me).map(Node::Line).into_iter().collect();
            if let Some(child) = event.instance_id.as_ref().and_then(|id| tree.children.get(id))
                && event.kind == "ChildWorkflowInstanceCreated"
                && depth > 0
            {
                let column = self.cast.of(Role::Workflow, &child.instance_id);
                let mut inner = self.of(child, &column, depth - 1);
                inner.extend(self.unanswered(event, child, &column));
                nodes.push(Node::block("rect", "rgba(128, 128, 128, 0.15)".to_owned(), inner));
            }
            if !nodes.is_empty() {
                let attempts = matches!(event.kind, "TaskScheduled" | "ChildWorkflowInstanceCreated");
                items.push(Item { call, attempts, opens: call == Some(place), turn: event.turn, nodes });
            }
        }
        items.extend(status.map(Item::alone));
        items
    }

    /// How a child ended that its parent never heard of, because that had ended before.
    fn unanswered(&self, created: &HistoryEvent, child: &HistoryTree, column: &str) -> Option<Node> {
        let ended = child.events.iter().rev().find(|event| event.kind == "ExecutionCompleted")?;
        let text = lines::end(ended, self.options).1;
        created.counterpart.is_none().then(|| Node::Line(format!("Note over {column}: {text}")))
    }

    fn status(&self, event: &HistoryEvent, me: &str) -> Option<Node> {
        let text = if event.clears_custom_status {
            "status cleared".to_owned()
        } else {
            event.custom_status.as_ref()?;
            with_payload("status", &event.custom_status, self.options)
        };
        Some(Node::Line(format!("Note over {me}: {text}")))
    }

    /// The line of an event; none if the diagram says it elsewhere.
    fn line(&mut self, events: &[HistoryEvent], event: &HistoryEvent, me: &str) -> Option<String> {
        let options = self.options;
        let outer = self.cast.members.iter().position(|member| member.id == me) == Some(1);
        let client = self.client;
        let note = |text: String| format!("Note over {me}: {text}");
        let asked = event.counterpart.map(|place| &events[place]);
        Some(match event.kind {
            // What a child was started with and ended with stands in its parent's column.
            "ExecutionStarted" | "ExecutionCompleted" if !outer => return None,
            "ExecutionStarted" => {
                let words = match &event.rerun_of {
                    Some(source) => with_text("start as a rerun of", Some(source), options),
                    None => "start".to_owned(),
                };
                format!("{client}->>{me}: {}", with_payload(&words, &event.input, options))
            }
            "ExecutionCompleted" if event.status == Some(RuntimeStatus::ContinuedAsNew) => {
                format!("{me}->>{me}: {}", with_payload("continues as new", &event.result, options))
            }
            "ExecutionCompleted" => {
                let (arrow, text) = lines::end(event, options);
                format!("{me}{arrow}{client}: {text}")
            }
            "ExecutionTerminated" => {
                format!("{client}-x{me}: {}", with_payload("terminate", &event.input, options))
            }
            "ExecutionSuspended" => {
                format!("{client}->>{me}: {}", with_text("pause", event.input.as_deref(), options))
            }
            "ExecutionResumed" => {
                format!("{client}->>{me}: {}", with_text("resume", event.input.as_deref(), options))
            }
            "ExecutionStalled" => note(with_text("stalled", event.description.as_deref(), options)),
            "EventRaised" => {
                let words = with_text("event", event.name.as_deref(), options);
                format!("{client}-){me}: {}", with_payload(&words, &event.input, options))
            }
            "EventSent" => {
                let to = self.cast.of(Role::Workflow, event.instance_id.as_deref().unwrap_or_default());
                let words = with_text("event", event.name.as_deref(), options);
                format!("{me}-){to}: {}", with_payload(&words, &event.input, options))
            }
            "ContinueAsNew" => {
                format!("{me}->>{me}: {}", with_payload("continues as new", &event.input, options))
            }
            "DetachedWorkflowInstanceCreated" => {
                let to = self.cast.of(Role::Workflow, event.instance_id.as_deref().unwrap_or_default());
                format!("{me}-){to}: start, detached")
            }
            "TaskScheduled" | "ChildWorkflowInstanceCreated" => {
                let to = self.column(event);
                let arrow = if event.detached { "-)" } else { "->>" };
                format!("{me}{arrow}{to}: {}", lines::attempt(event, &self.words(event, &to), options))
            }
            "TaskCompleted" | "ChildWorkflowInstanceCompleted" => {
                let from = self.column(event);
                let text = lines::took(&with_payload("done", &event.result, options), event);
                format!("{from}-->>{me}: {text}")
            }
            "TaskFailed" | "ChildWorkflowInstanceFailed" => {
                let from = self.column(event);
                let text = lines::took(&lines::failure(event.failure.as_ref(), options), event);
                format!("{from}--x{me}: {text}")
            }
            "TimerCreated" => note(lines::timer(event, options)?),
            "TimerFired" => note(lines::fired(asked, options)?),
            "WorkflowStarted" if !event.patches.is_empty() => {
                note(with_text("patches", Some(&event.patches.join(", ")), options))
            }
            "WorkflowStarted" | "WorkflowCompleted" => return None,
            other => note(format!("{} event", escaped(&other.to_ascii_lowercase(), options.max_text))),
        })
    }

    fn column(&mut self, event: &HistoryEvent) -> String {
        match lines::role(event) {
            Role::Activity => self.cast.of(Role::Activity, event.name.as_deref().unwrap_or("activity")),
            role => self.cast.of(role, event.instance_id.as_deref().unwrap_or_default()),
        }
    }

    /// An activity's column has its name; a child's has its instance ID, and one that several share has none.
    fn words(&self, event: &HistoryEvent, column: &str) -> String {
        match lines::role(event) {
            Role::Activity if column != OTHERS => "call".to_owned(),
            Role::Activity => with_text("call", event.name.as_deref(), self.options),
            _ => with_text("start", event.name.as_deref(), self.options),
        }
    }
}

/// The first attempt of the call that an event belongs to.
fn call_of(events: &[HistoryEvent], place: usize) -> Option<usize> {
    let event = &events[place];
    let attempt = match event.kind {
        "TaskScheduled" | "ChildWorkflowInstanceCreated" => place,
        "TimerCreated" => event.serves?,
        "TimerFired" => {
            let timer = &events[event.counterpart?];
            timer.serves.filter(|_| timer.timer_use != Some(TimerUse::Sleep))?
        }
        "TaskCompleted" | "TaskFailed" | "ChildWorkflowInstanceCompleted" | "ChildWorkflowInstanceFailed" => {
            event.counterpart?
        }
        _ => return None,
    };
    Some(events[attempt].first_attempt.unwrap_or(attempt))
}
