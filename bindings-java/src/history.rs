//! A history that was read, with those of its children. Java has it all as text; what is held is for its diagrams.

use std::sync::Arc;

use everstep::history::{DiagramOptions, HistoryTree, mermaid};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::answer::{Text, texts};
use crate::request::{Diagram, read};

impl Serialize for Text<'_, HistoryTree> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let children: Vec<Text<'_, HistoryTree>> =
            self.0.children.values().map(|child| Text(&**child)).collect();
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("instanceId", &self.0.instance_id)?;
        map.serialize_entry("events", &texts(&self.0.events))?;
        map.serialize_entry("childIds", &self.0.child_ids())?;
        map.serialize_entry("children", &children)?;
        map.end()
    }
}

/// The diagram of a history that is held, or of a child's in it.
#[uniffi::export]
pub fn history_mermaid(held: u64, request: String) -> String {
    let Some(mut tree) = crate::held::history(held) else { return String::new() };
    let (asked, _): (Diagram, _) = read(&request).expect("this package's Java has written it");
    for child in &asked.path {
        let Some(next) = tree.children.get(child).map(Arc::clone) else { return String::new() };
        tree = next;
    }
    let mut options = DiagramOptions::default();
    (options.depth, options.max_lines) = (asked.depth, asked.max_lines);
    (options.max_text, options.payloads) = (asked.max_text, asked.payloads);
    mermaid(&tree, &options)
}
