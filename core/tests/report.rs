//! Reports of endpoints: what they say, and that they leave everything as it is.

#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use everstep::model::StartRequest;
use everstep::report::Report;
use everstep::runtime::wait_on;
use everstep::testkit::scratch::Scratch;
use everstep::{Client, ClientOptions, Environment};
use rusqlite::Connection;

fn here(directory: &Path, variables: &[(&str, &str)]) -> Environment {
    let variables: BTreeMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Environment::new(move |name| variables.get(name).cloned(), directory)
}

fn of_file(path: &Path) -> Report {
    Report::of(Some(&format!("sqlite:{}", path.display())), &here(Path::new("/"), &[]))
}

fn codes(report: &Report) -> Vec<&str> {
    report.problems.iter().map(|problem| problem.code).collect()
}

fn open(path: &Path) -> Client {
    Client::open(ClientOptions::at(format!("sqlite:{}", path.display()))).unwrap()
}

fn start(client: &Client, id: &str) {
    let request =
        StartRequest { instance_id: Some(id.to_owned()), name: "flow".into(), ..StartRequest::default() };
    wait_on(client.start(None, request), Some(Duration::from_secs(30))).unwrap();
}

/// Names and sizes of what is in a directory.
fn listing(directory: &Path) -> BTreeMap<PathBuf, u64> {
    let entries = std::fs::read_dir(directory).unwrap().map(Result::unwrap);
    entries.map(|entry| (entry.path(), entry.metadata().unwrap().len())).collect()
}

fn row(report: &Report, name: &str) -> String {
    let rows = report.rows();
    rows.into_iter().find(|(found, _)| *found == name).map(|(_, text)| text).expect(name)
}

#[test]
fn it_says_what_names_the_endpoint() {
    let scratch = Scratch::new();
    let place = scratch.path("");
    let own = [("EVERSTEP_ENDPOINT", "memory:b")];
    let cases = [
        (Some("memory:a"), own, "memory:a", "argument"),
        (None, own, "memory:b", "EVERSTEP_ENDPOINT"),
        (None, [("DAPR_GRPC_ENDPOINT", "http://h:1")], "grpc://h:1", "DAPR_GRPC_ENDPOINT"),
        (None, [("DAPR_GRPC_PORT", "5")], "grpc://127.0.0.1:5", "DAPR_GRPC_PORT"),
        (None, [("DAPR_HTTP_ENDPOINT", "http://h:1")], "http://h:1", "DAPR_HTTP_ENDPOINT"),
        (None, [("DAPR_HTTP_PORT", "5")], "http://127.0.0.1:5", "DAPR_HTTP_PORT"),
    ];
    for (argument, variables, endpoint, from) in cases {
        let report = Report::of(argument, &here(&place, &variables));
        assert_eq!(report.endpoint.as_deref(), Some(endpoint));
        assert_eq!(report.endpoint_from, Some(from));
        assert!(report.store.is_none() && report.problems.is_empty(), "{report:?}");
    }
    let report = Report::of(None, &here(&place, &[("EVERSTEP_ENDPOINT", "ftp:")]));
    assert_eq!((report.endpoint.as_ref(), codes(&report)), (None, vec!["invalid_argument"]));
}

#[test]
fn the_default_is_not_made() {
    let scratch = Scratch::new();
    let place = scratch.path("");
    let report = Report::of(None, &here(&place, &[]));
    assert_eq!(report.endpoint_from, Some("default"));
    let store = report.store.as_ref().unwrap();
    assert!(store.path.ends_with("/.everstep/workflows.db") && !store.exists);
    assert!(report.problems.is_empty() && listing(&place).is_empty());
    assert_eq!(row(&report, "store"), "no file yet; the first client makes it");
    assert!(row(&report, "endpoint").ends_with("workflows.db (from default)"));
}

#[test]
fn a_store_at_work_is_counted_beside_its_owner() {
    let scratch = Scratch::new();
    let path = scratch.path("a b%?#.db");
    let client = open(&path);
    start(&client, "a");
    start(&client, "b");
    let report = of_file(&path);
    let store = report.store.as_ref().unwrap();
    assert_eq!(codes(&report), Vec::<&str>::new());
    assert_eq!(store.contents.instances, Some(BTreeMap::from([("PENDING".to_owned(), 2)])));
    assert_eq!(store.contents.schema, store.contents.known_schema);
    assert_eq!(store.contents.journal_mode.as_deref(), Some("wal"));
    assert!(store.bytes.unwrap() > 0 && store.journal_bytes.unwrap() > 0);
    assert_eq!(store.owner.as_ref().unwrap().pid, std::process::id());
    assert_eq!(row(&report, "instances"), "2 PENDING");
    assert!(row(&report, "owner").contains(&format!("process {} (", std::process::id())));
    assert_eq!(row(&report, "core"), format!("{} (debug, {})", report.core.version, report.core.target));
    assert_eq!(store.owned, cfg!(target_os = "linux").then_some(true));
    start(&client, "c");
    client.close();
}

#[test]
fn a_closed_store_stays_as_it_is() {
    let scratch = Scratch::new();
    let path = scratch.path("a b%?#.db");
    let client = open(&path);
    start(&client, "a");
    client.close();
    let before = listing(&scratch.path(""));
    let report = of_file(&path);
    let store = report.store.as_ref().unwrap();
    assert_eq!(codes(&report), Vec::<&str>::new());
    assert_eq!(store.contents.instances, Some(BTreeMap::from([("PENDING".to_owned(), 1)])));
    assert_eq!(store.contents.journal_mode.as_deref(), Some("wal"));
    assert_eq!(store.owned, cfg!(target_os = "linux").then_some(false));
    assert_eq!(listing(&scratch.path("")), before);
    let text: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!(text["store"]["instances"]["PENDING"], 1);
}

#[test]
fn a_store_that_was_left_in_the_middle_is_read_with_its_journal() {
    let scratch = Scratch::new();
    let (path, left) = (scratch.path("a.db"), scratch.path("left.db"));
    let client = open(&path);
    start(&client, "a");
    for suffix in ["", "-wal"] {
        let name = |path: &Path| format!("{}{suffix}", path.display());
        std::fs::copy(name(&path), name(&left)).unwrap();
    }
    client.close();
    let before = (std::fs::read(&left).unwrap(), std::fs::read(scratch.path("left.db-wal")).unwrap());
    let report = of_file(&left);
    assert_eq!(codes(&report), Vec::<&str>::new());
    assert_eq!(report.store.unwrap().contents.instances.unwrap()["PENDING"], 1);
    let after = (std::fs::read(&left).unwrap(), std::fs::read(scratch.path("left.db-wal")).unwrap());
    assert!(before == after, "the report has changed the file");
}

#[test]
fn what_is_wrong_with_a_file_has_a_code() {
    let scratch = Scratch::new();
    let path = scratch.path("newer.db");
    open(&path).close();
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 999).unwrap();
    let report = of_file(&path);
    assert_eq!(codes(&report), ["store_version"]);
    assert_eq!(report.store.unwrap().contents.schema, Some(999));

    let other = scratch.path("other.db");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    let text = scratch.path("text.db");
    std::fs::write(&text, "no database ".repeat(1000)).unwrap();
    let empty = scratch.path("empty.db");
    std::fs::write(&empty, "").unwrap();
    for (path, code) in [(&other, "invalid_argument"), (&text, "store_corrupt"), (&empty, "unavailable")] {
        private(path);
        assert_eq!(codes(&of_file(path)), [code], "{path:?}");
    }
}

#[cfg(unix)]
fn private(path: &Path) {
    permit(path, 0o600);
}

#[cfg(not(unix))]
fn private(_: &Path) {}

#[cfg(unix)]
fn permit(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(unix)]
#[test]
fn permissions_that_let_others_in_are_a_problem() {
    let scratch = Scratch::new();
    let (directory, path) = (scratch.path("of-one"), scratch.path("of-one/a.db"));
    open(&path).close();
    let modes = |report: &Report| {
        let store = report.store.as_ref().unwrap();
        (store.file_mode.clone().unwrap(), store.directory_mode.clone().unwrap())
    };
    let report = of_file(&path);
    assert_eq!((modes(&report), codes(&report)), (("0600".into(), "0700".into()), vec![]));
    permit(&directory, 0o775);
    let report = of_file(&path);
    assert_eq!((modes(&report).1.as_str(), codes(&report)), ("0775", vec!["permission_denied"]));
    permit(&directory, 0o755);
    permit(&path, 0o640);
    let report = of_file(&path);
    assert_eq!((modes(&report).0.as_str(), codes(&report)), ("0640", vec!["permission_denied"]));
}
