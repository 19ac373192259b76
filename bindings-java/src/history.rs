//! A history that was read, with those of its children.

use std::sync::Arc;

use everstep::history::{DiagramOptions, HistoryTree, mermaid};

use crate::event::NativeEvent;

/// A decoded history. It stays in the core; Java asks for what it shows.
#[derive(uniffi::Object)]
pub struct NativeHistory {
    tree: Arc<HistoryTree>,
}

impl From<HistoryTree> for NativeHistory {
    fn from(tree: HistoryTree) -> NativeHistory {
        NativeHistory { tree: Arc::new(tree) }
    }
}

#[uniffi::export]
impl NativeHistory {
    pub fn instance_id(&self) -> String {
        self.tree.instance_id.clone()
    }

    /// All events, oldest first.
    pub fn events(&self) -> Vec<NativeEvent> {
        self.tree.events.iter().map(NativeEvent::from).collect()
    }

    /// The instance IDs of the children that it started.
    pub fn child_ids(&self) -> Vec<String> {
        self.tree.child_ids().into_iter().map(str::to_owned).collect()
    }

    /// The history of a child, if it was read.
    pub fn child(&self, instance_id: String) -> Option<Arc<NativeHistory>> {
        self.tree.children.get(&instance_id).map(|tree| Arc::new(NativeHistory { tree: tree.clone() }))
    }

    /// The history as a Mermaid diagram.
    pub fn mermaid(&self, depth: u32, max_lines: u32, max_text: u32, payloads: bool) -> String {
        let mut options = DiagramOptions::default();
        (options.depth, options.max_lines) = (depth as usize, max_lines as usize);
        (options.max_text, options.payloads) = (max_text as usize, payloads);
        mermaid(&self.tree, &options)
    }
}
