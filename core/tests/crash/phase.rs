//! How far a commit has come, in a side file that outlives the process: a kill between the begin of a commit and the
//! release of its answers is counted, not guessed.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use everstep::Result;
use everstep::engine::store::{Facts, InstanceRow, Key, Loaded, Op, Position, Reader, Store, TimerRow};
use everstep::model::Filter;

/// Where the engine's thread is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// In no commit.
    Outside = 0,
    /// In a commit whose flush has not returned.
    Writing = 1,
    /// Behind the flush; no caller knows of it yet.
    Flushed = 2,
}

/// The side file: one byte for the phase, one that says that the load has begun.
#[derive(Debug)]
pub(crate) struct PhaseFile(File);

impl PhaseFile {
    pub(crate) fn open(path: &Path) -> PhaseFile {
        let mut options = File::options();
        let file = options.read(true).write(true).create(true).truncate(false).open(path);
        PhaseFile(file.expect("the side file can be opened"))
    }

    pub(crate) fn reset(&self) {
        self.put(0, &[0, 0]);
    }

    pub(crate) fn get(&self) -> Phase {
        match self.byte(0) {
            1 => Phase::Writing,
            2 => Phase::Flushed,
            _ => Phase::Outside,
        }
    }

    pub(crate) fn begin_load(&self) {
        self.put(1, &[1]);
    }

    pub(crate) fn load_has_begun(&self) -> bool {
        self.byte(1) == 1
    }

    fn byte(&self, at: u64) -> u8 {
        let mut byte = [0];
        let read = self.0.read_at(&mut byte, at).expect("the side file can be read");
        if read == 1 { byte[0] } else { 0 }
    }

    fn put(&self, at: u64, bytes: &[u8]) {
        self.0.write_all_at(bytes, at).expect("the side file can be written");
    }
}

/// A store that says where it is. Some of its commits linger behind their flush, for a kill to find them there.
pub(crate) struct Marked<S> {
    inner: S,
    phase: PhaseFile,
}

impl<S: Store> Marked<S> {
    pub(crate) fn new(inner: S, phase: PhaseFile) -> Marked<S> {
        Marked { inner, phase }
    }

    fn mark(&self, phase: Phase) {
        self.phase.put(0, &[phase as u8]);
    }
}

impl<S: Store> Store for Marked<S> {
    fn commit(&mut self, ops: &[Op]) -> Result<()> {
        self.mark(Phase::Writing);
        let outcome = self.inner.commit(ops);
        self.mark(Phase::Flushed);
        if self.inner.commits().is_multiple_of(5) {
            std::thread::sleep(Duration::from_millis(2));
        }
        self.mark(Phase::Outside);
        outcome
    }

    fn facts(&mut self) -> Result<Facts> {
        self.inner.facts()
    }

    fn find(&mut self, id: &str) -> Result<Option<InstanceRow>> {
        self.inner.find(id)
    }

    fn load(&mut self, key: Key) -> Result<Option<Loaded>> {
        self.inner.load(key)
    }

    fn list(&mut self, filter: &Filter, before: Option<Position>, limit: usize) -> Result<Vec<InstanceRow>> {
        self.inner.list(filter, before, limit)
    }

    fn with_work(&mut self, after: Key, limit: usize) -> Result<Vec<Key>> {
        self.inner.with_work(after, limit)
    }

    fn timers(&mut self, after: Option<TimerRow>, limit: usize) -> Result<Vec<TimerRow>> {
        self.inner.timers(after, limit)
    }

    fn reader(&self) -> Arc<dyn Reader> {
        self.inner.reader()
    }

    fn idle(&mut self) -> Result<()> {
        self.inner.idle()
    }

    fn journal_bytes(&self) -> u64 {
        self.inner.journal_bytes()
    }

    fn commits(&self) -> u64 {
        self.inner.commits()
    }
}
