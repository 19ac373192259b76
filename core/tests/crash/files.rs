//! Files that cannot be used as they are: every client says so with a typed error, and leaves the file alone.

use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use everstep::runtime::wait_on;
use everstep::testkit::scratch::{Scratch, SmallDisk};
use everstep::{Client, Error, ErrorKind, Result};
use rusqlite::Connection;

use crate::orders;

fn endpoint(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}

fn refusal<T>(result: Result<T>) -> Error {
    result.map(drop).expect_err("the file cannot be used")
}

/// A file with finished orders and a box that waits; closed.
fn filled(path: &Path) {
    let client = orders::open(&endpoint(path)).unwrap();
    let workers = orders::workers(&client, None);
    orders::start(&client, "box", "box-0", Some("[]".to_owned())).unwrap();
    for number in 0..10 {
        let id = format!("order-{number}");
        orders::start_order(&client, &id, "box-0", 3000).unwrap();
        orders::result(&client, &id).unwrap();
    }
    drop(workers);
    client.close();
}

#[test]
fn a_newer_schema_is_store_version() {
    let scratch = Scratch::new();
    let path = scratch.path("a.db");
    filled(&path);
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 1000).unwrap();
    let before = std::fs::read(&path).unwrap();
    let error = refusal(orders::open(&endpoint(&path)));
    assert_eq!(error.kind(), ErrorKind::StoreVersion, "{error}");
    assert!(error.message().contains("a.db") && error.message().contains("update everstep"), "{error}");
    assert!(std::fs::read(&path).unwrap() == before);
}

/// Overwrites the root page of a table or index.
fn damage(path: &Path, name: &str) {
    let connection = Connection::open(path).unwrap();
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
    let page: u32 = connection.query_row(sql, [name], |row| row.get(0)).unwrap();
    drop(connection);
    let mut file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(u64::from(page - 1) * 4096)).unwrap();
    file.write_all(&[0xA5; 4096]).unwrap();
}

type Call = fn(&Client) -> Result<()>;

/// Opens a damaged file and calls what there is to call; gives the errors.
fn errors_of(path: &Path) -> Vec<Error> {
    let client = match orders::open(&endpoint(path)) {
        Ok(client) => client,
        Err(error) => return vec![error],
    };
    let calls: [Call; 7] = [
        |client| wait_on(client.get(None, "order-3", true), None).map(drop),
        |client| wait_on(client.history(None, "order-3"), None).map(drop),
        |client| wait_on(client.list(None, Default::default()), None).map(drop),
        |client| wait_on(client.purge(None, "order-4", true), None).map(drop),
        |client| orders::raise(client, "box-0", "more"),
        |client| orders::start_order(client, "order-10", "box-0", 3000),
        |client| orders::start_order(client, "order-11", "box-0", 3000),
    ];
    calls.iter().filter_map(|call| call(&client).err()).collect()
}

#[test]
fn a_damaged_page_is_store_corrupt() {
    let scratch = Scratch::new();
    let path = scratch.path("whole.db");
    filled(&path);
    for name in ["turns", "turns_pk", "instances", "instances_id", "inbox", "meta", "timers"] {
        let damaged = scratch.path(&format!("{name}.db"));
        std::fs::copy(&path, &damaged).unwrap();
        damage(&damaged, name);
        let errors = errors_of(&damaged);
        assert!(!errors.is_empty(), "the damage of {name} was not seen");
        for error in errors {
            // Above all not `not_found`: what cannot be read is not gone.
            assert_eq!(error.kind(), ErrorKind::StoreCorrupt, "{name}: {error}");
            assert!(error.message().contains(".db"), "{error}");
        }
    }
}

#[test]
fn a_disk_that_cannot_be_written_is_permission_denied() {
    let scratch = Scratch::new();
    let Some(disk) = SmallDisk::mount(scratch.directory()) else {
        return eprintln!("skipped: this user cannot mount a small disk");
    };
    let path = scratch.path("a.db");
    let client = orders::open(&endpoint(&path)).unwrap();
    orders::start(&client, "box", "box-0", None).unwrap();
    drop(client);
    disk.make_read_only();
    for path in [path, scratch.path("new.db"), scratch.path("new/new.db")] {
        let error = refusal(orders::open(&endpoint(&path)));
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
        assert!(error.message().contains("name another path"), "{error}");
    }
}

#[test]
#[cfg(unix)]
fn a_directory_without_permission_is_permission_denied() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new();
    let allow = |mode| {
        std::fs::set_permissions(scratch.directory(), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    allow(0o500);
    let found = orders::open(&endpoint(&scratch.path("a.db")));
    allow(0o700);
    match found {
        Ok(_) => eprintln!("skipped: permissions do not hold for this user"),
        Err(error) => assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}"),
    }
}

#[test]
fn a_disk_that_is_really_full_is_resource_exhausted_until_there_is_room() {
    let scratch = Scratch::new();
    let Some(_disk) = SmallDisk::mount(scratch.directory()) else {
        return eprintln!("skipped: this user cannot mount a small disk");
    };
    let (path, filler) = (scratch.path("a.db"), scratch.path("filler"));
    std::fs::write(&filler, vec![1; 500_000]).unwrap();
    let client = orders::open(&endpoint(&path)).unwrap();
    let mut started = 0;
    let error = loop {
        match orders::start(&client, "leaf", &format!("leaf-{started}"), Some(format!("\"{:20000}\"", ""))) {
            Ok(()) => started += 1,
            Err(error) => break error,
        }
        assert!(started < 100, "the disk never fills");
    };
    assert_eq!(error.kind(), ErrorKind::ResourceExhausted, "{error}");
    assert!(started > 2);
    std::fs::remove_file(&filler).unwrap();
    let _workers = orders::workers(&client, None);
    for number in 0..started {
        orders::result(&client, &format!("leaf-{number}")).unwrap();
    }
    let refused = wait_on(client.get(None, &format!("leaf-{started}"), false), None);
    assert_eq!(refusal(refused).kind(), ErrorKind::NotFound);
    orders::start(&client, "leaf", &format!("leaf-{started}"), None).unwrap();
    orders::result(&client, &format!("leaf-{started}")).unwrap();
}
