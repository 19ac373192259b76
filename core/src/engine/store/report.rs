//! What is known of a store file without opening it as its owner.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::path::Path;

use serde::Serialize;

use super::lock::{Owner, owner};
use super::sqlite;
use crate::error::ErrorKind;
use crate::report::Problem;

/// A store file. What cannot be found out is absent.
#[derive(Debug, Default, Serialize)]
#[non_exhaustive]
pub struct StoreReport {
    /// The file's absolute path.
    pub path: String,
    /// Whether there is a file. If not, the first client makes one.
    pub exists: bool,
    /// The size of the file in bytes.
    pub bytes: Option<u64>,
    /// The size of its journal, the write-ahead log beside it, in bytes.
    pub journal_bytes: Option<u64>,
    /// The permissions of the file, on Unix, as four octal digits.
    pub file_mode: Option<String>,
    /// The permissions of its directory, on Unix, as four octal digits.
    pub directory_mode: Option<String>,
    /// Whether a process owns the file now. Absent where the system does not tell.
    pub owned: Option<bool>,
    /// Who owns the file, or who owned it last.
    pub owner: Option<Owner>,
    /// What stands in the file.
    #[serde(flatten)]
    pub contents: Contents,
}

/// What stands in a store file.
#[derive(Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Contents {
    /// The version of its schema.
    pub schema: Option<i64>,
    /// The version that this library writes.
    pub known_schema: Option<i64>,
    /// SQLite's journal mode; `wal` is right.
    pub journal_mode: Option<String>,
    /// The size of a page in bytes.
    pub page_size: Option<i64>,
    /// How many instances there are, by status.
    pub instances: Option<BTreeMap<String, u64>>,
}

/// Looks at the file; what is wrong comes beside.
pub(crate) fn store_report(path: &Path) -> (StoreReport, Vec<Problem>) {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut problems = Vec::new();
    let mut report = StoreReport { path: path.display().to_string(), ..StoreReport::default() };
    let directory = path.parent().and_then(|directory| directory.metadata().ok());
    report.directory_mode = directory.as_ref().and_then(mode).map(octal);
    let file = match path.metadata() {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return (report, problems),
        Err(error) => {
            let error = super::lock::file_error("read", &path, error);
            return (report, vec![Problem::from(&error)]);
        }
    };
    let journal = sqlite::beside(&path, "-wal").metadata().ok();
    report.exists = true;
    report.bytes = Some(file.len());
    report.journal_bytes = Some(journal.map_or(0, |journal| journal.len()));
    report.file_mode = mode(&file).map(octal);
    problems.extend(exposure(&path, &file, directory.as_ref()));
    (report.owner, report.owned) = owner(&path);
    let (contents, problem) = sqlite::contents(&path);
    report.contents = contents;
    problems.extend(problem);
    (report, problems)
}

/// Who else may read the file, or put another one in its place.
fn exposure(path: &Path, file: &Metadata, directory: Option<&Metadata>) -> Option<Problem> {
    let problem = |what: &str, cure: &str| {
        let code = ErrorKind::PermissionDenied.code();
        Some(Problem::new(code, format!("{} {what}; run: {cure}", path.display())))
    };
    if mode(file).is_some_and(|mode| mode & 0o077 != 0) {
        return problem("can be read by other users", &format!("chmod 600 {}", path.display()));
    }
    let shared = directory.and_then(mode).is_some_and(|mode| mode & 0o022 != 0 && mode & 0o1000 == 0);
    let parent = path.parent().unwrap_or(path).display();
    if shared { problem("can be replaced by other users", &format!("chmod go-w {parent}")) } else { None }
}

#[cfg(unix)]
fn mode(metadata: &Metadata) -> Option<u32> {
    Some(std::os::unix::fs::MetadataExt::mode(metadata) & 0o7777)
}

#[cfg(not(unix))]
fn mode(_: &Metadata) -> Option<u32> {
    None
}

fn octal(mode: u32) -> String {
    format!("{mode:04o}")
}
