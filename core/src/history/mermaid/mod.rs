//! A history as a Mermaid sequence diagram.

use std::collections::HashMap;

use super::HistoryTree;

mod block;
mod groups;
mod lines;
mod steps;
mod text;

use block::{Node, shorten};

/// The fewest lines that a diagram may be limited to.
const LEAST_LINES: usize = 40;

/// How many participants have a column of their own.
const COLUMNS: usize = 24;

/// The column of those who have none of their own.
const OTHERS: &str = "others";

/// How a diagram is drawn.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DiagramOptions {
    /// The most lines that the diagram has; fewer than 40 are taken as 40. What is left out is counted in a note.
    pub max_lines: usize,
    /// The most characters of one payload, reason or message.
    pub max_text: usize,
    /// Whether payloads are shown.
    pub payloads: bool,
    /// How many levels of children are drawn, where the tree has them.
    pub depth: usize,
}

impl Default for DiagramOptions {
    fn default() -> DiagramOptions {
        DiagramOptions { max_lines: 400, max_text: 60, payloads: true, depth: 0 }
    }
}

/// The history as a `sequenceDiagram`. Attempts of one call stand in a `loop` and calls that ran side by side in a `par`,
/// where nothing else happened meanwhile; children that are drawn stand in a `rect`. All text is escaped.
pub fn mermaid(history: &HistoryTree, options: &DiagramOptions) -> String {
    let mut cast = Cast::default();
    let client = cast.of(Role::Client, "");
    let name = history.events.iter().find(|event| event.kind == "ExecutionStarted");
    let name = name.and_then(|event| event.name.as_deref()).unwrap_or(&history.instance_id);
    let me = cast.of(Role::Workflow, &history.instance_id);
    cast.rename(&me, name, options);
    let nodes = steps::Steps { cast: &mut cast, options, client: &client }.of(history, &me, options.depth);
    let room = options.max_lines.max(LEAST_LINES) - 1 - cast.members.len();
    let left_out = |count: usize| {
        let steps = if count == 1 { "step" } else { "steps" };
        Node::Line(format!("Note over {me}: {count} {steps} left out"))
    };
    let nodes = shorten(nodes, room, &left_out);
    let mut lines = vec!["sequenceDiagram".to_owned()];
    for member in &cast.members {
        lines.push(format!("  {} {} as {}", member.keyword, member.id, member.alias));
    }
    nodes.iter().for_each(|node| node.write(1, &mut lines));
    lines.join("\n") + "\n"
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Role {
    Client,
    Workflow,
    Activity,
    Others,
}

/// Who takes part, in the order of appearance.
#[derive(Default)]
struct Cast {
    members: Vec<Member>,
    known: HashMap<(Role, String), String>,
}

struct Member {
    keyword: &'static str,
    id: String,
    alias: String,
}

impl Cast {
    /// The column of somebody. Those who come late share one.
    fn of(&mut self, role: Role, name: &str) -> String {
        if let Some(id) = self.known.get(&(role, name.to_owned())) {
            return id.clone();
        }
        if self.members.len() >= COLUMNS && role != Role::Others {
            return self.of(Role::Others, OTHERS);
        }
        let (keyword, id) = match role {
            Role::Client => ("actor", "client".to_owned()),
            Role::Workflow => ("participant", format!("w{}", self.members.len())),
            Role::Activity => ("participant", format!("a{}", self.members.len())),
            Role::Others => ("participant", OTHERS.to_owned()),
        };
        let alias = if role == Role::Client { "client".to_owned() } else { shown(name, 40) };
        self.known.insert((role, name.to_owned()), id.clone());
        self.members.push(Member { keyword, id: id.clone(), alias });
        id
    }

    fn rename(&mut self, id: &str, name: &str, options: &DiagramOptions) {
        if let Some(member) = self.members.iter_mut().find(|member| member.id == id) {
            member.alias = shown(name, options.max_text);
        }
    }
}

/// A name is never empty, because Mermaid reads no empty alias.
fn shown(name: &str, limit: usize) -> String {
    let text = text::escaped(name, limit);
    if text.is_empty() { "?".to_owned() } else { text }
}
