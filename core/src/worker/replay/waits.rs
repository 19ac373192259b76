//! External events: buffered first in first out per name, handed to waits in the order they were asked.

use std::collections::{HashMap, VecDeque};

use crate::bridge::Ref;
use crate::history::Event;

/// Names compare without ASCII case; other letters exactly.
pub(super) fn fold(name: &str) -> String {
    name.to_ascii_lowercase()
}

#[derive(Default)]
struct Name {
    /// Who waits, in the order of asking. Cancelled ones stay until their turn comes.
    waiting: VecDeque<Ref>,
    /// How many of them still wait.
    open: usize,
    /// What nobody took, with the order of arrival across names.
    buffer: VecDeque<(u64, Event)>,
}

/// Waits and buffered events of one run.
#[derive(Default)]
pub(super) struct Waits {
    names: HashMap<String, Name>,
    buffered: usize,
    arrived: u64,
}

impl Waits {
    /// Adds a wait; true when an event is there for it already.
    pub(super) fn ask(&mut self, key: &str, reference: Ref) -> bool {
        let name = match self.names.get_mut(key) {
            Some(name) => name,
            None => self.names.entry(key.to_owned()).or_default(),
        };
        name.waiting.push_back(reference);
        name.open += 1;
        name.buffer.len() >= name.open
    }

    /// Buffers an event.
    pub(super) fn arrive(&mut self, key: String, event: Event) {
        self.arrived += 1;
        self.buffered += 1;
        self.names.entry(key).or_default().buffer.push_back((self.arrived, event));
    }

    /// The first wait and the first event of this name, if there are both.
    pub(super) fn take(&mut self, key: &str, still_waits: impl Fn(Ref) -> bool) -> Option<(Ref, Event)> {
        let name = self.names.get_mut(key)?;
        if name.open == 0 || name.buffer.is_empty() {
            return None;
        }
        while let Some(reference) = name.waiting.pop_front() {
            if still_waits(reference) {
                let (_, event) = name.buffer.pop_front()?;
                name.open -= 1;
                self.buffered -= 1;
                if name.open == 0 && name.buffer.is_empty() {
                    self.names.remove(key);
                }
                return Some((reference, event));
            }
        }
        None
    }

    /// A wait of this name was cancelled or has timed out.
    pub(super) fn give_up(&mut self, key: &str) {
        if let Some(name) = self.names.get_mut(key) {
            name.open -= 1;
            if name.open == 0 {
                name.waiting.clear();
                if name.buffer.is_empty() {
                    self.names.remove(key);
                }
            }
        }
    }

    /// Whether an event is there that nobody took.
    pub(super) fn has_buffered(&self) -> bool {
        self.buffered > 0
    }

    /// Takes all events that nobody took, in the order of their arrival.
    pub(super) fn drain(&mut self) -> Vec<Event> {
        self.buffered = 0;
        let mut events: Vec<_> = self.names.drain().flat_map(|(_, name)| name.buffer).collect();
        events.sort_by_key(|(arrived, _)| *arrived);
        events.into_iter().map(|(_, event)| event).collect()
    }
}
