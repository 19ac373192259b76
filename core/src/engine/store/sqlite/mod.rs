//! A store in one SQLite file: one connection that writes, a few that read, write-ahead log.
//!
//! The schema (`schema_1.sql` and what came later) follows measurements: turns are an append-only log keyed by an internal number, the row of
//! an instance is narrow, and a turn touches no index but the log's own. A commit is one transaction and one flush.

mod contents;
mod facts;
mod fault;
mod list;
mod open;
mod read;
mod reader;
mod write;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;

pub(super) use self::contents::{beside, contents};
use self::facts::Ledger;
use self::fault::is_survivable;
pub use self::open::SqliteOptions;
use self::open::{BUSY_TIMEOUT, Place};
use self::reader::SqliteReader;
use self::write::Refusal;
use super::lock::StoreLock;
use super::{Durability, Facts, InstanceRow, Key, Loaded, Op, Position, Reader, Store, TimerRow};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Filter;

/// Two times what the log grows to between checkpoints.
const JOURNAL_KEPT: u64 = 16 << 20;

/// Keeps instances in a SQLite file, whose only writer it is.
#[derive(Debug)]
pub struct SqliteStore {
    connection: Connection,
    place: Place,
    reader: Arc<SqliteReader>,
    ledger: Ledger,
    /// What broke the store; every call answers it until the file is opened again.
    broken: Option<Error>,
    commits: u64,
    /// The number of commits when the log was last folded into the file.
    folded: u64,
    /// Last, so that the file is closed before another process may open it.
    _lock: Option<StoreLock>,
}

impl SqliteStore {
    /// Opens the file, or creates it with its directories for their owner only.
    ///
    /// # Errors
    /// `store_locked` when it has an owner; `store_version` when a newer version wrote it; `store_corrupt` when it is
    /// damaged or no database; `invalid_argument` when it is another program's database; `permission_denied`,
    /// `resource_exhausted` or `unavailable` when the system refuses.
    pub fn open(path: impl AsRef<Path>, durability: Durability) -> Result<SqliteStore> {
        SqliteStore::open_with(path, &SqliteOptions { durability, ..SqliteOptions::default() })
    }

    /// Opens the file with options.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub fn open_with(path: impl AsRef<Path>, options: &SqliteOptions) -> Result<SqliteStore> {
        let (path, lock) = match options.vfs {
            Some(_) => (path.as_ref().to_owned(), None),
            None => {
                let path = Place::prepare(path.as_ref())?;
                let lock = StoreLock::take(&path)?;
                (path, Some(lock))
            }
        };
        let place = Place { path, vfs: options.vfs.clone() };
        let connection = place.writer(options.durability)?;
        settle(&connection).map_err(|error| place.fault(error))?;
        let ledger = Ledger::read(&connection).map_err(|error| place.fault(error))?;
        let reader = Arc::new(SqliteReader::new(place.clone(), true));
        Ok(SqliteStore {
            connection,
            place,
            reader,
            ledger,
            broken: None,
            commits: 0,
            folded: 0,
            _lock: lock,
        })
    }

    /// The file, without links.
    pub fn path(&self) -> &Path {
        &self.place.path
    }

    fn usable(&self) -> Result<()> {
        self.broken.as_ref().map_or(Ok(()), |error| Err(error.duplicate()))
    }

    fn read<T>(&self, query: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        self.usable()?;
        query(&self.connection).map_err(|error| self.place.fault(error))
    }

    fn transaction(&self, ops: &[Op]) -> std::result::Result<Ledger, Refusal> {
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let next = write::apply(&self.connection, &self.ledger, ops)?;
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(next)
    }

    /// Takes the failed transaction back. What cannot be taken back, or was not the batch's fault, breaks the store.
    fn refuse(&mut self, refusal: Refusal) -> Error {
        let rolled_back = match self.connection.is_autocommit() {
            true => Ok(()),
            false => self.connection.execute_batch("ROLLBACK"),
        };
        let (error, survivable) = match refusal {
            Refusal::Guard(error) => (error, true),
            Refusal::Sqlite(error) => {
                let survivable = is_survivable(&error);
                (self.place.fault(error), survivable)
            }
        };
        match rolled_back {
            Ok(()) if survivable => {}
            Ok(()) => self.broken = Some(error.duplicate()),
            Err(error) => self.broken = Some(self.place.fault(error)),
        }
        error
    }

    /// Folds the log into the file, as far as readers let it without waiting for them. The log keeps its place on the
    /// disk, because a flush into a file that does not grow is twice as fast, unless something made it large.
    fn fold(&mut self) -> rusqlite::Result<()> {
        if self.folded == self.commits {
            return Ok(());
        }
        let folded = checkpoint(&self.connection, "PASSIVE")?;
        if self.journal_bytes() > JOURNAL_KEPT {
            self.connection.busy_timeout(Duration::ZERO)?;
            let emptied = checkpoint(&self.connection, "TRUNCATE");
            self.connection.busy_timeout(BUSY_TIMEOUT)?;
            emptied?;
        }
        if folded {
            self.folded = self.commits;
        }
        Ok(())
    }
}

/// Begins with an empty log. One that is found may hold a commit whose flush failed: the system shows it, the disk does
/// not have it, and no later flush would write it, so that commits behind it would be lost with it.
fn settle(connection: &Connection) -> rusqlite::Result<()> {
    checkpoint(connection, "TRUNCATE").map(drop)
}

/// Whether the whole log is in the file now; readers may prevent that.
fn checkpoint(connection: &Connection, mode: &str) -> rusqlite::Result<bool> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
        let (busy, pages, done): (bool, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(!busy && pages == done)
    })
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.reader.release();
        if self.broken.is_none() {
            // What stays in the log is found again when the file is opened.
            let _ = self.fold();
        }
    }
}

impl Store for SqliteStore {
    fn facts(&mut self) -> Result<Facts> {
        self.usable()?;
        Ok(self.ledger.facts)
    }

    fn commit(&mut self, ops: &[Op]) -> Result<()> {
        self.usable()?;
        match self.transaction(ops) {
            Ok(next) => {
                self.ledger = next;
                self.commits += 1;
                Ok(())
            }
            Err(refusal) => Err(self.refuse(refusal)),
        }
    }

    fn find(&mut self, id: &str) -> Result<Option<InstanceRow>> {
        self.read(|connection| read::find(connection, id))
    }

    fn load(&mut self, key: Key) -> Result<Option<Loaded>> {
        self.read(|connection| {
            let row = read::by_key(connection, key)?;
            row.map(|row| read::loaded(connection, row)).transpose()
        })
    }

    fn list(&mut self, filter: &Filter, before: Option<Position>, limit: usize) -> Result<Vec<InstanceRow>> {
        self.read(|connection| list::rows(connection, filter, before, limit))
    }

    fn with_work(&mut self, after: Key, limit: usize) -> Result<Vec<Key>> {
        self.read(|connection| read::with_work(connection, after, limit))
    }

    fn timers(&mut self, after: Option<TimerRow>, limit: usize) -> Result<Vec<TimerRow>> {
        self.read(|connection| read::timers(connection, after, limit))
    }

    fn reader(&self) -> Arc<dyn Reader> {
        Arc::clone(&self.reader) as Arc<dyn Reader>
    }

    fn idle(&mut self) -> Result<()> {
        self.usable()?;
        match self.fold() {
            // What could not be folded for want of room stays in the log.
            Err(error) if !is_survivable(&error) => Err(self.place.fault(error)),
            _ => Ok(()),
        }
    }

    fn journal_bytes(&self) -> u64 {
        beside(&self.place.path, "-wal").metadata().map_or(0, |file| file.len())
    }

    fn commits(&self) -> u64 {
        self.commits
    }
}

/// Reads the store at `path` without owning it, whoever owns it, also from another process.
///
/// # Errors
/// `not_found` when there is no such file; otherwise as [`SqliteStore::open`], but never `store_locked`.
pub fn open_reader(path: impl AsRef<Path>) -> Result<Arc<dyn Reader>> {
    let path = path.as_ref();
    let found = path.canonicalize().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            Error::new(ErrorKind::NotFound, format!("there is no store at {}", path.display()))
                .with_source(error)
        }
        _ => super::lock::file_error("open", path, error),
    })?;
    if found.is_dir() {
        return Err(Error::invalid(format!("{} is a directory; name a file in it", found.display())));
    }
    let reader = SqliteReader::new(Place { path: found, vfs: None }, false);
    reader.check()?;
    Ok(Arc::new(reader))
}

#[cfg(test)]
mod power_tests;
#[cfg(test)]
mod schema_tests;
#[cfg(test)]
mod tests;
