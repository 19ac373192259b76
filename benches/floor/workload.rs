//! The bytes of a five-activity workflow: 7 commits, 3.8 KB together, the same for every log.

/// Commits of one workflow: the start, the first turn, one turn per activity result.
pub(crate) const COMMITS: usize = 7;

/// Bytes of the record of each commit: two to four events of 150 to 300 bytes.
const SIZES: [usize; COMMITS] = [500, 600, 600, 600, 600, 600, 300];

/// One commit of one workflow.
#[derive(Debug)]
pub(crate) struct Commit {
    /// Which of the workflows in flight.
    pub(crate) slot: usize,
    /// The workflow's number, from 1, never used again.
    pub(crate) workflow: i64,
    /// Which of its commits, from 0.
    pub(crate) step: usize,
    /// What it writes, made by the caller as every engine must.
    pub(crate) record: Vec<u8>,
}

impl Commit {
    /// The start of a workflow.
    pub(crate) fn first(slot: usize, workflow: i64) -> Self {
        Self { slot, workflow, step: 0, record: BYTES[..SIZES[0]].to_vec() }
    }

    /// What the workflow commits after this; nothing if it has ended.
    pub(crate) fn next(&self) -> Option<Self> {
        let step = self.step + 1;
        let size = *SIZES.get(step)?;
        Some(Self { slot: self.slot, workflow: self.workflow, step, record: BYTES[..size].to_vec() })
    }

    /// Whether the workflow has ended with this one.
    pub(crate) fn is_last(&self) -> bool {
        self.step + 1 == COMMITS
    }
}

/// The longest record; shorter ones are its beginning.
static BYTES: [u8; 600] = {
    let mut bytes = [0; 600];
    let mut at = 0;
    while at < bytes.len() {
        bytes[at] = (at * 131 % 251) as u8;
        at += 1;
    }
    bytes
};
