//! Where the engine keeps instances: one trait, two implementations.
//!
//! The engine's thread owns the [`Store`] and is its only writer. [`Reader`]s see what has been committed, from any
//! thread. A row is addressed by its instance's key (and generation where late news must be told apart), never by the
//! instance ID, so that a late result of a purged or replaced instance finds nothing.

use std::sync::Arc;

use crate::error::Result;
use crate::model::{Filter, Micros, RuntimeStatus, StatusCounts};

pub mod lock;
pub mod memory;
pub mod report;
pub mod sqlite;

/// The store's number of an instance; never used again after the instance is gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub i64);

/// How much survives: see README for the figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// Every acknowledged change survives power loss.
    #[default]
    Full,
    /// Every acknowledged change survives the death of the process, not that of the machine.
    Process,
}

/// What an instance's parent waits with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParentLink {
    /// The parent's key.
    pub key: Key,
    /// The parent's generation when it started the child; another generation drops the child's result.
    pub generation: u32,
    /// The parent's action id.
    pub task_id: i32,
    /// The parent's instance ID, for states.
    pub instance_id: String,
}

/// The row of an instance. All of it but `key`, `id`, `created_at`, `start_at`, `parent` and `generation` is an index over
/// the turns and the inbox and can be rebuilt from them (see `Machine::index`). Of `updated_at` they know only the latest
/// event: a change that leaves none, such as taking back a pause that was not written yet, moves it further.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstanceRow {
    /// Its key.
    pub key: Key,
    /// The instance ID.
    pub id: String,
    /// The execution ID of the first generation, and of the run as callers see it; later generations derive theirs.
    pub execution_id: String,
    /// Counts continue-as-new, from 0.
    pub generation: u32,
    /// The workflow's name.
    pub name: String,
    /// The named version of the run.
    pub version: Option<String>,
    /// Where it stands.
    pub status: RuntimeStatus,
    /// When it was accepted.
    pub created_at: Micros,
    /// When the row last changed.
    pub updated_at: Micros,
    /// When its first turn ran.
    pub started_at: Option<Micros>,
    /// When it ended.
    pub completed_at: Option<Micros>,
    /// When a delayed start is due.
    pub start_at: Option<Micros>,
    /// How many turns were written, over all generations: the number of the next one.
    pub next_turn: u32,
    /// What the workflow says of itself.
    pub custom_status: Option<String>,
    /// The parent, if it is a child.
    pub parent: Option<ParentLink>,
    /// Whether something is to be done at recovery: inbox rows or open activities, or children to be terminated.
    pub has_work: bool,
}

/// An event that has not been part of a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxRow {
    /// Its number, given by the engine, rising.
    pub id: i64,
    /// One encoded HistoryEvent.
    pub event: bytes::Bytes,
}

/// A timer that is to fire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerRow {
    /// When, rounded up.
    pub fire_at: Micros,
    /// Whose.
    pub key: Key,
    /// The action id of the timer; [`TimerRow::START`] is a delayed start.
    pub timer_id: i32,
}

impl TimerRow {
    /// The id of the timer that begins a delayed start.
    pub const START: i32 = i32::MIN;
}

/// One change of the store. The ops of a batch are applied in their order: a row may be inserted, used and deleted in
/// one batch. What is added needs an instance that is there; dropping what is not there does nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// A new instance; its key and its ID must be unused.
    Insert(Box<InstanceRow>),
    /// The changed row of an instance. Guard: the stored `next_turn` must be `expected_turn`.
    Update {
        /// The new row; `id`, `created_at`, `parent` and `start_at` never change.
        row: Box<InstanceRow>,
        /// The stored row's `next_turn`.
        expected_turn: u32,
    },
    /// Deletes an instance with its turns, inbox and timers.
    Delete(Key),
    /// A turn: framed events (see `history::record`). A number that is there already is an error.
    Turn {
        /// Whose.
        key: Key,
        /// Its number.
        turn: u32,
        /// The record.
        data: bytes::Bytes,
    },
    /// Deletes all turns of an instance (continue-as-new).
    DropTurns(Key),
    /// An event for later; its number must be unused.
    PutInbox {
        /// Whose.
        key: Key,
        /// The row.
        row: InboxRow,
    },
    /// The event became part of a turn.
    DropInbox {
        /// Whose.
        key: Key,
        /// The row's number.
        id: i64,
    },
    /// Arms a timer; arming it again does nothing.
    PutTimer(TimerRow),
    /// Disarms a timer or records that it fired.
    DropTimer(TimerRow),
    /// Disarms all timers of an instance: `(fire_at, timer_id)` of each.
    DropTimers(Key, Vec<(Micros, i32)>),
}

/// What the engine must know when it opens a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The next unused key.
    pub next_key: i64,
    /// The next unused inbox number.
    pub next_inbox: i64,
    /// The latest time written; engine time does not go back behind it.
    pub last_time: Micros,
}

/// All of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// Its row.
    pub row: InstanceRow,
    /// The records of its turns with their numbers, in order.
    pub turns: Vec<(u32, bytes::Bytes)>,
    /// Its inbox, in order.
    pub inbox: Vec<InboxRow>,
}

/// The size of the journal that is worth a warning.
pub const JOURNAL_WARNING: u64 = 256 << 20;

/// The part of the store that writes. Owned by one thread.
pub trait Store: Send {
    /// What the engine must know when it begins.
    fn facts(&mut self) -> Result<Facts>;

    /// Applies all of `ops` or nothing; when it returns, they are as durable as the store promises.
    ///
    /// # Errors
    /// `resource_exhausted` (disk full), `store_corrupt`, `internal` (a guard failed), `unavailable` (other I/O). After an
    /// error nothing of `ops` is visible; after an I/O error the store must be reopened.
    fn commit(&mut self, ops: &[Op]) -> Result<()>;

    /// Row of the instance with this ID.
    fn find(&mut self, id: &str) -> Result<Option<InstanceRow>>;

    /// All of the instance with this key.
    fn load(&mut self, key: Key) -> Result<Option<Loaded>>;

    /// As [`Reader::list`], for the store's owner: it must not wait for those who read.
    fn list(&mut self, filter: &Filter, before: Option<Position>, limit: usize) -> Result<Vec<InstanceRow>>;

    /// Instances with `has_work` (a finished one has some while its children are to be terminated) and a key greater than `after`, in the order of keys.
    fn with_work(&mut self, after: Key, limit: usize) -> Result<Vec<Key>>;

    /// The timers that fire first, in order, beginning after `after`.
    fn timers(&mut self, after: Option<TimerRow>, limit: usize) -> Result<Vec<TimerRow>>;

    /// A reader that may live on any thread, beside this store.
    fn reader(&self) -> Arc<dyn Reader>;

    /// Work that waits for quiet, such as a checkpoint. Called once when the engine has had nothing to do for a second.
    ///
    /// # Errors
    /// `unavailable` or `store_corrupt`, after which the store must be reopened; want of room is none.
    fn idle(&mut self) -> Result<()> {
        Ok(())
    }

    /// How many bytes the last commits occupy outside the store's main file. Above [`JOURNAL_WARNING`] a reader that does
    /// not end is keeping the store from folding them in.
    fn journal_bytes(&self) -> u64 {
        0
    }

    /// The count of commits so far, each one flush.
    fn commits(&self) -> u64;
}

/// The part of the store that reads what has been committed.
pub trait Reader: Send + Sync {
    /// Row of the instance with this ID.
    fn find(&self, id: &str) -> Result<Option<InstanceRow>>;

    /// Row, first and last turn of the present run, and inbox: what a state needs, without a long history between.
    fn ends(&self, id: &str) -> Result<Option<Loaded>>;

    /// All of an instance.
    fn load(&self, id: &str) -> Result<Option<Loaded>>;

    /// The turns of an instance by its key.
    fn turns(&self, key: Key) -> Result<Vec<(u32, bytes::Bytes)>>;

    /// Rows that match, newest first, created at or before `before` = (created_at, key), exclusive. All of one state of
    /// the store.
    fn list(&self, filter: &Filter, before: Option<Position>, limit: usize) -> Result<Vec<InstanceRow>>;

    /// As [`Reader::list`], but each with what [`Reader::ends`] gives. Ends early, though not before the first one, when
    /// the records read exceed `bytes`.
    fn list_ends(
        &self,
        filter: &Filter,
        before: Option<Position>,
        limit: usize,
        bytes: usize,
    ) -> Result<Vec<Loaded>>;

    /// How many rows match, by status in the order of its number; statuses without any are left out.
    fn count(&self, filter: &Filter) -> Result<StatusCounts>;
}

/// What [`Reader::list_ends`] gives of what matches: it ends with the one whose records exceed `bytes` in sum.
fn up_to<E>(
    bytes: usize,
    matching: impl Iterator<Item = std::result::Result<Loaded, E>>,
) -> std::result::Result<Vec<Loaded>, E> {
    let (mut found, mut size) = (Vec::new(), 0);
    for ends in matching {
        let ends = ends?;
        size += ends.size();
        found.push(ends);
        if size > bytes {
            break;
        }
    }
    Ok(found)
}

/// The place of an instance in a listing. It never changes, so that what happens between two pages moves nothing.
pub type Position = (Micros, Key);

impl InstanceRow {
    /// Where a listing shows it.
    pub fn position(&self) -> Position {
        (self.created_at, self.key)
    }

    /// Whether a listing with this filter shows it.
    pub fn matches(&self, filter: &Filter) -> bool {
        let parent = || self.parent.as_ref().map(|parent| &parent.instance_id);
        filter.name.as_ref().is_none_or(|name| *name == self.name)
            && (filter.statuses.is_empty() || filter.statuses.contains(&self.status))
            && filter.created_from.is_none_or(|from| self.created_at >= from)
            && filter.created_to.is_none_or(|to| self.created_at < to)
            && filter.parent.as_ref().is_none_or(|id| parent() == Some(id))
    }
}

impl Loaded {
    /// How many bytes its records take.
    pub fn size(&self) -> usize {
        let turns: usize = self.turns.iter().map(|(_, data)| data.len()).sum();
        turns + self.inbox.iter().map(|row| row.event.len()).sum::<usize>()
    }
}
