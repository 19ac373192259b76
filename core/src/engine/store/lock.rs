//! One owner per store file.
//!
//! SQLite lets a second process write, and two engines on one file would both run the same instances. So the owner holds
//! an operating system's lock on a side file for as long as its store is open. The system drops it when the process dies,
//! however it dies; the side file stays, because removing it could take it from under the next owner.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::model::Micros;

/// Holds the lock of a store file until it is dropped.
#[derive(Debug)]
pub struct StoreLock {
    file: File,
}

impl StoreLock {
    /// Takes the lock of the store at `path` and writes into `<path>.lock` who holds it.
    ///
    /// # Errors
    /// `store_locked` with the owner's process number and command when it is held, by this process too;
    /// `permission_denied`, `resource_exhausted` or `unavailable` when the side file cannot be written.
    pub fn take(path: &Path) -> Result<StoreLock> {
        let lock_path = lock_path(path);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        owner_only(&mut options);
        let mut file = options.open(&lock_path).map_err(|error| file_error("open", &lock_path, error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(locked(path, &mut file)),
            Err(TryLockError::Error(error)) => return Err(file_error("lock", &lock_path, error)),
        }
        write_owner(&mut file).map_err(|error| file_error("write", &lock_path, error))?;
        Ok(StoreLock { file })
    }
}

impl Drop for StoreLock {
    fn drop(&mut self) {
        // Closing the file unlocks it as well; only a child process that inherited it would keep it.
        let _ = self.file.unlock();
    }
}

/// Lets only the owner of the process read what is created.
pub(super) fn owner_only(options: &mut OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    #[cfg(not(unix))]
    let _ = options;
}

/// The error for a file that cannot be used, by what the caller can do about it.
pub(super) fn file_error(action: &str, path: &Path, error: std::io::Error) -> Error {
    use std::io::ErrorKind as Io;
    let (kind, cure) = match error.kind() {
        Io::PermissionDenied | Io::ReadOnlyFilesystem => {
            (ErrorKind::PermissionDenied, "allow this user to write there, or name another path")
        }
        Io::StorageFull | Io::QuotaExceeded | Io::FileTooLarge => {
            (ErrorKind::ResourceExhausted, "free space there")
        }
        Io::IsADirectory | Io::NotADirectory | Io::InvalidFilename => {
            (ErrorKind::InvalidArgument, "name a file in a directory")
        }
        _ => (ErrorKind::Unavailable, "see whether the disk is there and in order"),
    };
    Error::new(kind, format!("cannot {action} {}: {error}; {cure}", path.display())).with_source(error)
}

fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

fn write_owner(file: &mut File) -> std::io::Result<()> {
    let seconds = Micros::now().0.div_euclid(1_000_000);
    let started = prost_types::Timestamp { seconds, nanos: 0 };
    let text = format!("{}\n{}\n{started}\n", std::process::id(), command());
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(text.as_bytes())
}

/// The program and what it runs, without further arguments: they may hold secrets.
fn command() -> String {
    let arguments: Vec<_> =
        std::env::args_os().take(3).map(|part| part.to_string_lossy().into_owned()).collect();
    let shown = match arguments.as_slice() {
        [program, flag, module] if flag == "-m" => format!("{program} -m {module}"),
        [program, script, ..] if !script.starts_with('-') => format!("{program} {script}"),
        [program, ..] => program.clone(),
        [] => String::new(),
    };
    shown.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(300).collect()
}

/// Who holds a store file, or held it last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Owner {
    /// The process number, as the owner sees it.
    pub pid: u32,
    /// The program and what it runs, without further arguments.
    pub command: String,
    /// When it took the file, in UTC.
    pub since: String,
}

impl Owner {
    fn read(file: &mut File) -> Option<Owner> {
        let mut text = String::new();
        // Not every system lets a locked file be read; an error is as true without the owner.
        let _ = file.take(4096).read_to_string(&mut text);
        let mut lines = text.lines();
        let pid = lines.next()?.parse().ok()?;
        Some(Owner { pid, command: lines.next()?.to_owned(), since: lines.next()?.to_owned() })
    }
}

/// Who wrote itself into the side file of the store at `path`, and whether it still holds the lock, where the system
/// tells that without the lock being tried: an owner that starts at that moment would find it taken.
pub(super) fn owner(path: &Path) -> (Option<Owner>, Option<bool>) {
    let Ok(mut file) = File::open(lock_path(path)) else { return (None, Some(false)) };
    let owner = Owner::read(&mut file);
    let held = held(&file, owner.as_ref());
    (owner, held)
}

/// Looks for the lock in the kernel's list: `1: FLOCK ADVISORY WRITE <pid> <major>:<minor>:<inode> 0 EOF`. Some file
/// systems show another device than that of the file's metadata, so the process will do as well.
#[cfg(target_os = "linux")]
fn held(file: &File, owner: Option<&Owner>) -> Option<bool> {
    use std::os::linux::fs::MetadataExt;

    let metadata = file.metadata().ok()?;
    let (device, inode) = (metadata.st_dev(), metadata.st_ino().to_string());
    let major = (device >> 8 & 0xfff) | (device >> 32 & !0xfff);
    let minor = (device & 0xff) | (device >> 12 & !0xff);
    let device = format!("{major:02x}:{minor:02x}");
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    Some(locks.lines().any(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let (Some("FLOCK"), Some(_), Some("WRITE"), Some(pid), Some(place)) =
            (fields.next(), fields.next(), fields.next(), fields.next(), fields.next())
        else {
            return false;
        };
        let Some((found, number)) = place.rsplit_once(':') else { return false };
        number == inode && (found == device || owner.is_some_and(|owner| owner.pid.to_string() == pid))
    }))
}

#[cfg(not(target_os = "linux"))]
fn held(_: &File, _: Option<&Owner>) -> Option<bool> {
    None
}

fn locked(path: &Path, file: &mut File) -> Error {
    let owner = match Owner::read(file) {
        Some(owner) if owner.pid == std::process::id() => "this process".to_owned(),
        Some(Owner { pid, command, since }) => format!("process {pid} ({command}) since {since}"),
        None => "another process".to_owned(),
    };
    let path = path.display();
    let cure = "let that process run the workflows, stop it, or name another path";
    Error::new(ErrorKind::StoreLocked, format!("the store {path} is in use by {owner}; {cure}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::scratch::Scratch;

    #[test]
    fn the_second_owner_is_told_who_is_first() {
        let scratch = Scratch::new();
        let path = scratch.path("a.db");
        let lock = StoreLock::take(&path).unwrap();
        let error = StoreLock::take(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StoreLocked);
        assert!(error.message().contains("this process"), "{error}");
        drop(lock);
        StoreLock::take(&path).unwrap();
    }

    #[test]
    fn the_side_file_holds_pid_command_and_time() {
        let scratch = Scratch::new();
        let path = scratch.path("a.db");
        std::fs::write(lock_path(&path), "x".repeat(5000)).unwrap();
        let _lock = StoreLock::take(&path).unwrap();
        let text = std::fs::read_to_string(lock_path(&path)).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], std::process::id().to_string());
        assert!(lines[1].contains("everstep"), "{text}");
        assert!(lines[2].starts_with("20") && lines[2].ends_with('Z'), "{text}");
        assert_eq!(lines.len(), 3);
    }

    #[test]
    fn an_owner_is_seen_without_the_lock_being_tried() {
        let scratch = Scratch::new();
        let path = scratch.path("a.db");
        assert_eq!(owner(&path), (None, Some(false)));
        let lock = StoreLock::take(&path).unwrap();
        let seen = |path| {
            let (owner, held) = owner(path);
            (owner.unwrap().pid, held)
        };
        let told = cfg!(target_os = "linux");
        assert_eq!(seen(&path), (std::process::id(), told.then_some(true)));
        drop(lock);
        assert_eq!(seen(&path), (std::process::id(), told.then_some(false)));
    }

    #[test]
    fn a_directory_that_is_not_there_is_an_error_with_the_path() {
        let scratch = Scratch::new();
        let error = StoreLock::take(&scratch.path("no/such/a.db")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.message().contains("a.db.lock"), "{error}");
    }
}
