//! Connections, pragmas, and whose file it is.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::super::Durability;
use super::super::lock::{file_error, owner_only};
use super::fault::fault;
use crate::error::{Error, ErrorKind, Result};

/// `EVST`: whose files these are.
pub(super) const APPLICATION_ID: i32 = 0x4556_5354;

/// One script for each version of the schema; a file is brought up by those it lacks.
pub(super) const MIGRATIONS: &[&str] = &[include_str!("schema_1.sql"), include_str!("schema_2.sql")];

pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// More than all statements of this module, so that none is prepared twice.
const STATEMENTS: usize = 48;

/// How a file is opened.
#[derive(Clone, Debug, Default)]
pub struct SqliteOptions {
    /// What survives. See [`Durability`].
    pub durability: Durability,
    /// The name of a registered SQLite VFS, for tests. Such a file is not on the file system that Rust sees, so nothing is
    /// locked and no directory is made.
    pub vfs: Option<String>,
}

/// Where a store is and through what it is reached.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) path: PathBuf,
    pub(super) vfs: Option<String>,
}

impl Place {
    /// Makes the directories and the file if they are not there, for their owner only. SQLite gives the files beside it
    /// the same mode. Gives the path without links, so that one file has one lock.
    pub(super) fn prepare(path: &Path) -> Result<PathBuf> {
        let path = std::path::absolute(path).map_err(|error| file_error("find", path, error))?;
        let Some(directory) = path.parent().filter(|_| !path.is_dir()) else {
            return Err(Error::invalid(format!("{} is a directory; name a file in it", path.display())));
        };
        make_directory(directory)?;
        let mut options = OpenOptions::new();
        // Only a new file: closing a second handle of a file that is open here would drop SQLite's locks on it.
        options.write(true).create_new(true);
        owner_only(&mut options);
        match options.open(&path) {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(file_error("create", &path, error)),
        }
        path.canonicalize().map_err(|error| file_error("find", &path, error))
    }

    pub(super) fn fault(&self, error: rusqlite::Error) -> Error {
        fault(&self.path, error)
    }

    fn connect(&self, flags: OpenFlags) -> Result<Connection> {
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = match &self.vfs {
            None => Connection::open_with_flags(&self.path, flags),
            Some(vfs) => Connection::open_with_flags_and_vfs(&self.path, flags, vfs.as_str()),
        };
        let connection = connection.map_err(|error| self.fault(error))?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        connection.busy_timeout(BUSY_TIMEOUT).map_err(|error| self.fault(error))?;
        Ok(connection)
    }

    /// The connection that writes: checks the file, brings its schema up, sets what a commit means.
    pub(super) fn writer(&self, durability: Durability) -> Result<Connection> {
        let connection = self.connect(OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        let version = self.version(&connection)?;
        let fault = |error| self.fault(error);
        connection.pragma_update(None, "page_size", 4096).map_err(fault)?;
        // The switch to the log is the one change that has a rollback journal. Were its deletion undone by a power loss
        // later on, it would roll the file back to nothing; EXTRA makes the deletion durable.
        connection.pragma_update(None, "synchronous", "EXTRA").map_err(fault)?;
        let mode: String = connection
            .pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))
            .map_err(fault)?;
        if mode != "wal" {
            let path = self.path.display();
            let message =
                format!("{path} has no shared memory, as on a network disk; name a path on a local disk");
            return Err(Error::new(ErrorKind::Unavailable, message));
        }
        configure(&connection, durability).map_err(fault)?;
        migrate(&connection, version).map_err(fault)?;
        Ok(connection)
    }

    /// A connection that reads. `shared` is one beside a writer of this process; without it the file is never changed.
    pub(super) fn reader(&self, shared: bool) -> Result<Connection> {
        let access =
            if shared { OpenFlags::SQLITE_OPEN_READ_WRITE } else { OpenFlags::SQLITE_OPEN_READ_ONLY };
        let connection = self.connect(access)?;
        if !shared {
            let path = self.path.display();
            let version = self.version(&connection)?;
            if version == 0 {
                let message = format!("the store {path} is empty; its owner has not finished creating it");
                return Err(Error::new(ErrorKind::Unavailable, message));
            }
            if version < MIGRATIONS.len() {
                let message =
                    format!("the store {path} has an older schema; open it for writing once to bring it up");
                return Err(Error::new(ErrorKind::StoreVersion, message));
            }
        }
        let settings = "PRAGMA query_only = 1; PRAGMA cache_size = -2048; PRAGMA temp_store = MEMORY;";
        connection.execute_batch(settings).map_err(|error| self.fault(error))?;
        Ok(connection)
    }

    /// The version of the schema; 0 is an empty file.
    fn version(&self, connection: &Connection) -> Result<usize> {
        let number = |sql| {
            connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(|error| self.fault(error))
        };
        let application = number("PRAGMA application_id")?;
        let version = number("PRAGMA user_version")?;
        let tables = number("SELECT count(*) FROM sqlite_schema")?;
        let path = self.path.display();
        if application == 0 && version == 0 && tables == 0 {
            return Ok(0);
        }
        if application != i64::from(APPLICATION_ID) {
            let message = format!("{path} is a database of another program; name another path");
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let known = MIGRATIONS.len();
        match usize::try_from(version) {
            Ok(version) if version <= known => Ok(version),
            _ => {
                let message = format!(
                    "the store {path} has schema {version}, this version knows {known}; update everstep"
                );
                Err(Error::new(ErrorKind::StoreVersion, message))
            }
        }
    }
}

/// Makes the directories that are missing, for their owner only, and flushes their names to the disk: a file that was
/// flushed is lost all the same when its directory's name is.
fn make_directory(directory: &Path) -> Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    if directory.exists() {
        return Err(Error::invalid(format!("{} is no directory; name a file in one", directory.display())));
    }
    let Some(parent) = directory.parent() else { return Ok(()) };
    make_directory(parent)?;
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && directory.is_dir() => {}
        result => result.map_err(|error| file_error("create", directory, error))?,
    }
    #[cfg(unix)]
    std::fs::File::open(parent)
        .and_then(|parent| parent.sync_all())
        .map_err(|error| file_error("flush", parent, error))?;
    Ok(())
}

fn configure(connection: &Connection, durability: Durability) -> rusqlite::Result<()> {
    let synchronous = match durability {
        Durability::Full => "FULL",
        Durability::Process => "NORMAL",
    };
    // Without the last two macOS only hands the data to the drive.
    connection.execute_batch(&format!(
        "PRAGMA synchronous = {synchronous};
         PRAGMA wal_autocheckpoint = 2000;
         PRAGMA journal_size_limit = 67108864;
         PRAGMA cache_size = -16384;
         PRAGMA foreign_keys = 0;
         PRAGMA temp_store = MEMORY;
         PRAGMA fullfsync = 1;
         PRAGMA checkpoint_fullfsync = 1;"
    ))
}

fn migrate(connection: &Connection, version: usize) -> rusqlite::Result<()> {
    if version == MIGRATIONS.len() {
        return Ok(());
    }
    let transaction = connection.unchecked_transaction()?;
    for script in &MIGRATIONS[version..] {
        transaction.execute_batch(script)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX))?;
    transaction.commit()
}
