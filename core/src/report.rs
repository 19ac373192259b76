//! What is known of an endpoint without opening it, for bug reports and tools.
//!
//! A report makes no file, takes no lock and reads no payload, so it may be made beside an owner at work.

use serde::Serialize;

use crate::engine::store::lock::Owner;
use crate::engine::store::report::{StoreReport, store_report};
use crate::error::Error;
use crate::options::{Endpoint, Environment, resolve};

/// What is known of this library and of the endpoint that a client would use. Serializes to the JSON that all tools show.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The library.
    pub core: Library,
    /// The endpoint as a client takes it. Absent when none can be found; `problems` says why.
    pub endpoint: Option<String>,
    /// What named the endpoint: `argument`, the environment variable's name, or `default`.
    pub endpoint_from: Option<&'static str>,
    /// The store, where the endpoint is a file.
    pub store: Option<StoreReport>,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// The library that made a report.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Library {
    /// Its version.
    pub version: &'static str,
    /// How it was built: `release` or `debug`.
    pub profile: &'static str,
    /// The operating system and the architecture that it was built for.
    pub target: String,
    /// The version of its SQLite.
    pub sqlite: &'static str,
}

/// Something that is wrong with an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Problem {
    /// A code of the error table.
    pub code: &'static str,
    /// What is wrong, and the cure.
    pub message: String,
}

impl Problem {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Problem {
        Problem { code, message: message.into() }
    }
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Problem {
        Problem::new(error.code(), error.message())
    }
}

impl Report {
    /// Looks at the endpoint that a client with this argument would use in this process.
    pub fn of_process(argument: Option<&str>) -> Report {
        match Environment::of_process() {
            Ok(environment) => Report::of(argument, &environment),
            Err(error) => Report::empty(vec![Problem::from(&error)]),
        }
    }

    /// Looks at the endpoint that a client with this argument would use in an environment.
    pub fn of(argument: Option<&str>, environment: &Environment) -> Report {
        let resolved = match resolve(argument, environment) {
            Ok(resolved) => resolved,
            Err(error) => return Report::empty(vec![Problem::from(&error)]),
        };
        let unnamed = if resolved.is_default() { "default" } else { "argument" };
        let mut report = Report::empty(Vec::new());
        report.endpoint = Some(resolved.endpoint.to_string());
        report.endpoint_from = Some(resolved.variable.unwrap_or(unnamed));
        if let Endpoint::Sqlite(path) = &resolved.endpoint {
            let (store, problems) = store_report(path);
            report.store = Some(store);
            report.problems = problems;
        }
        report
    }

    fn empty(problems: Vec<Problem>) -> Report {
        let core = Library {
            version: env!("CARGO_PKG_VERSION"),
            profile: if cfg!(debug_assertions) { "debug" } else { "release" },
            target: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            sqlite: rusqlite::version(),
        };
        Report { core, endpoint: None, endpoint_from: None, store: None, problems }
    }

    /// The report as JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("texts, numbers and lists are always JSON")
    }

    /// The report for people: names and what is to be said of each, in the order to show them in.
    pub fn rows(&self) -> Vec<(&'static str, String)> {
        let Library { version, profile, target, sqlite } = &self.core;
        let mut rows =
            vec![("core", format!("{version} ({profile}, {target})")), ("sqlite", (*sqlite).to_owned())];
        if let (Some(endpoint), Some(from)) = (&self.endpoint, self.endpoint_from) {
            rows.push(("endpoint", format!("{endpoint} (from {from})")));
        }
        rows.extend(self.store.iter().flat_map(store_rows));
        rows.extend(
            self.problems.iter().map(|Problem { code, message }| ("problem", format!("{code}: {message}"))),
        );
        rows
    }
}

fn store_rows(store: &StoreReport) -> Vec<(&'static str, String)> {
    if !store.exists {
        return vec![("store", "no file yet; the first client makes it".to_owned())];
    }
    let contents = &store.contents;
    let mut rows = vec![
        ("store", format!("{}, journal {}", size(store.bytes), size(store.journal_bytes))),
        (
            "schema",
            format!("{}, this version writes {}", known(contents.schema), known(contents.known_schema)),
        ),
        (
            "journal",
            format!(
                "{}, pages of {} bytes",
                known(contents.journal_mode.as_ref()),
                known(contents.page_size)
            ),
        ),
    ];
    if let Some(mode) = &store.file_mode {
        rows.push((
            "permissions",
            format!("file {mode}, directory {}", known(store.directory_mode.as_ref())),
        ));
    }
    if let Some(instances) = &contents.instances {
        let counts: Vec<String> =
            instances.iter().map(|(status, count)| format!("{} {status}", grouped(*count))).collect();
        let counts = if counts.is_empty() { "none".to_owned() } else { counts.join(", ") };
        rows.push(("instances", counts));
    }
    if let Some(Owner { pid, command, since }) = &store.owner {
        let who = format!("process {pid} ({command}) since {since}");
        let who = match store.owned {
            Some(true) => who,
            Some(false) => format!("none; last: {who}"),
            None => format!("unknown; last: {who}"),
        };
        rows.push(("owner", who));
    }
    rows
}

fn known(value: Option<impl std::fmt::Display>) -> String {
    value.map_or_else(|| "unknown".to_owned(), |value| value.to_string())
}

fn size(bytes: Option<u64>) -> String {
    match bytes {
        None => "unknown".to_owned(),
        Some(bytes) if bytes < 1_000_000 => format!("{} bytes", grouped(bytes)),
        Some(bytes) => format!("{}.{} MB", grouped(bytes / 1_000_000), bytes / 100_000 % 10),
    }
}

/// A number with commas between its thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_by_people() {
        let texts: Vec<String> = [0, 999, 1_000, 12_345, 1_234_567].into_iter().map(grouped).collect();
        assert_eq!(texts, ["0", "999", "1,000", "12,345", "1,234,567"]);
        assert_eq!(size(Some(4096)), "4,096 bytes");
        assert_eq!(size(Some(1_254_321_987)), "1,254.3 MB");
        assert_eq!(size(None), "unknown");
    }
}
