//! What goes out to a host: tokens, numbers of batches, and the last batches, which can be polled again.

use std::collections::VecDeque;

use crate::bridge::{self, PayloadMode};

/// How many batches of a kind can be polled again.
const KEPT: usize = 2;

/// What was in a batch.
pub(super) enum Kept {
    Workflows(Vec<bridge::WorkflowTask>),
    Activities(Vec<bridge::ActivityTask>, Vec<String>),
}

pub(super) struct Batches {
    numbers: u64,
    kept: VecDeque<(String, Kept)>,
    secret: u64,
    count: u64,
}

impl Batches {
    pub(super) fn new() -> Batches {
        Batches { numbers: 0, kept: VecDeque::new(), secret: uuid::Uuid::new_v4().as_u64_pair().0, count: 0 }
    }

    /// A token that cannot be guessed and is not used again.
    pub(super) fn token(&mut self) -> String {
        self.count += 1;
        let mut mixed = self.secret.wrapping_add(self.count.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        format!("{:016x}", mixed ^ (mixed >> 31))
    }

    /// The number of the next batch.
    pub(super) fn number(&mut self) -> String {
        self.numbers += 1;
        format!("b{}", self.numbers)
    }

    /// A batch of nothing but notices.
    pub(super) fn notices(&mut self, notices: &[bridge::Notice]) -> String {
        let batch = self.number();
        bridge::write_notices(&batch, notices)
    }

    /// Remembers a batch in the place of an older one of its kind.
    pub(super) fn keep(&mut self, batch: String, kept: Kept) {
        let workflows = matches!(kept, Kept::Workflows(_));
        let same = |other: &(String, Kept)| matches!(other.1, Kept::Workflows(_)) == workflows;
        if self.kept.iter().filter(|other| same(other)).count() >= KEPT
            && let Some(at) = self.kept.iter().position(same)
        {
            self.kept.remove(at);
        }
        self.kept.push_back((batch, kept));
    }

    /// A kept batch with every payload as a string.
    pub(super) fn rewrite(&self, batch: &str) -> Option<String> {
        let (_, kept) = self.kept.iter().find(|(name, _)| name == batch)?;
        Some(match kept {
            Kept::Workflows(tasks) => bridge::write_workflow_tasks(batch, tasks, PayloadMode::Text),
            Kept::Activities(tasks, cancels) => {
                bridge::write_activity_tasks(batch, tasks, cancels, PayloadMode::Text)
            }
        })
    }
}
