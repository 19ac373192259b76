use std::io::{Seek, SeekFrom, Write};
use std::process::Command;

use super::*;
use crate::testkit::scratch::{Scratch, SmallDisk};
use crate::testkit::stores::{self, Source};

struct Files {
    scratch: Scratch,
    opened: usize,
    durability: Durability,
}

impl Files {
    fn open(&self) -> Box<dyn Store> {
        let path = self.scratch.path(&format!("new directory/{}.db", self.opened));
        Box::new(SqliteStore::open(path, self.durability).unwrap())
    }
}

impl Source for Files {
    fn fresh(&mut self) -> Box<dyn Store> {
        self.opened += 1;
        self.open()
    }

    fn reopen(&mut self, store: Box<dyn Store>) -> Box<dyn Store> {
        drop(store);
        self.open()
    }
}

pub(super) fn open(path: &Path) -> Result<SqliteStore> {
    SqliteStore::open(path, Durability::Full)
}

pub(super) fn kind<T>(result: Result<T>) -> ErrorKind {
    match result {
        Ok(_) => panic!("there was no error"),
        Err(error) => error.kind(),
    }
}

/// A store with one instance of `turns` turns, closed again.
pub(super) fn filled(path: &Path, turns: u32) {
    let mut store = open(path).unwrap();
    store.commit(&[stores::insert(1, "a"), stores::inbox(1, 1, "event")]).unwrap();
    let record = "x".repeat(500);
    for turn in 0..turns {
        store.commit(&[stores::turn(1, turn, &record)]).unwrap();
    }
}

#[test]
fn the_sqlite_store_passes_the_suite() {
    let mut files = Files { scratch: Scratch::new(), opened: 0, durability: Durability::Process };
    assert!(stores::validate(&mut files) > 10);
}

#[test]
fn a_full_flush_is_the_default() {
    let scratch = Scratch::new();
    for (name, durability, synchronous) in [("a", Durability::default(), 2), ("b", Durability::Process, 1)] {
        let store = SqliteStore::open(scratch.path(name), durability).unwrap();
        let pragma =
            |name| store.connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0));
        assert_eq!(pragma("synchronous").unwrap(), synchronous);
        assert_eq!(pragma("page_size").unwrap(), 4096);
    }
    let flushing = rusqlite::Connection::open_in_memory().unwrap();
    let options: Vec<String> = flushing
        .prepare("PRAGMA compile_options")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(|option| option.unwrap())
        .collect();
    assert!(
        options.contains(&"DEFAULT_MEMSTATUS=0".to_owned()),
        ".cargo/config.toml is not in use: {options:?}"
    );
}

#[test]
#[cfg(unix)]
fn files_and_directories_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new();
    let path = scratch.path("one/two/a.db");
    let mut store = open(&path).unwrap();
    store.commit(&[stores::insert(1, "a")]).unwrap();
    let mode = |name: &str| std::fs::metadata(scratch.path(name)).unwrap().permissions().mode() & 0o777;
    for name in ["one/two/a.db", "one/two/a.db-wal", "one/two/a.db-shm", "one/two/a.db.lock"] {
        assert_eq!(mode(name), 0o600, "{name}");
    }
    assert_eq!((mode("one"), mode("one/two")), (0o700, 0o700));
}

#[test]
fn one_process_opens_a_file_once_and_reads_it_as_often_as_it_likes() {
    let scratch = Scratch::new();
    let path = scratch.path("a.db");
    let mut store = open(&path).unwrap();
    assert_eq!(kind(open(&path)), ErrorKind::StoreLocked);
    #[cfg(unix)]
    {
        let link = scratch.path("link.db");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert_eq!(kind(open(&link)), ErrorKind::StoreLocked);
    }
    let reader = open_reader(&path).unwrap();
    assert_eq!(reader.find("a").unwrap(), None);
    store.commit(&[stores::insert(1, "a"), stores::turn(1, 0, "t")]).unwrap();
    assert_eq!(reader.load("a").unwrap().unwrap().turns.len(), 1);
    let kept = store.reader();
    drop(store);
    assert_eq!(kept.find("a").unwrap(), reader.find("a").unwrap());
    open(&path).unwrap().commit(&[stores::insert(2, "b")]).unwrap();
    assert!(kept.find("b").unwrap().is_some() && reader.find("b").unwrap().is_some());
}

/// Runs `in_the_second_process` in a process of its own on the file.
fn second_process(path: &Path) -> String {
    let name = "engine::store::sqlite::tests::in_the_second_process";
    let output = Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--ignored", "--nocapture"])
        .env("EVERSTEP_TEST_STORE", path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let begin = text.find("answer: ").expect("the second process answers");
    text[begin..].lines().next().unwrap().to_owned()
}

#[test]
#[ignore = "is the second process of other tests"]
fn in_the_second_process() {
    let Some(path) = std::env::var_os("EVERSTEP_TEST_STORE") else { return };
    let opened = match open(Path::new(&path)) {
        Ok(_) => "opened".to_owned(),
        Err(error) => format!("{} {}", error.code(), error.message()),
    };
    let turns = open_reader(&path).and_then(|reader| reader.load("a")).unwrap().unwrap().turns.len();
    println!("answer: {turns} turns; {opened}");
}

#[test]
fn a_second_process_reads_and_is_told_who_owns_the_file() {
    let scratch = Scratch::new();
    let path = scratch.path("a.db");
    let mut store = open(&path).unwrap();
    store.commit(&[stores::insert(1, "a"), stores::turn(1, 0, "t"), stores::turn(1, 1, "u")]).unwrap();
    let answer = second_process(&path);
    assert!(answer.starts_with("answer: 2 turns; store_locked"), "{answer}");
    assert!(answer.contains(&format!("process {} (", std::process::id())), "{answer}");
    store.commit(&[stores::turn(1, 2, "v")]).unwrap();
    drop(store);
    assert_eq!(second_process(&path), "answer: 3 turns; opened");
}

#[test]
fn files_of_others_are_refused_and_left_alone() {
    let scratch = Scratch::new();
    let foreign = scratch.path("foreign.db");
    Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE users (name TEXT)").unwrap();
    let before = std::fs::read(&foreign).unwrap();
    assert_eq!(kind(open(&foreign)), ErrorKind::InvalidArgument);
    assert_eq!(kind(open_reader(&foreign)), ErrorKind::InvalidArgument);
    assert_eq!(std::fs::read(&foreign).unwrap(), before);
    let text = scratch.path("text.db");
    std::fs::write(&text, "not a database ".repeat(1000)).unwrap();
    assert_eq!(kind(open(&text)), ErrorKind::StoreCorrupt);
    assert_eq!(kind(open_reader(&text)), ErrorKind::StoreCorrupt);
    assert_eq!(kind(open(scratch.directory())), ErrorKind::InvalidArgument);
    assert_eq!(kind(open_reader(scratch.directory())), ErrorKind::InvalidArgument);
    assert_eq!(kind(open(&text.join("below a file.db"))), ErrorKind::InvalidArgument);
    assert_eq!(kind(open_reader(scratch.path("nothing.db"))), ErrorKind::NotFound);
    assert!(!scratch.path("nothing.db").exists());
}

#[test]
fn an_empty_file_becomes_a_store() {
    let scratch = Scratch::new();
    let path = scratch.path("a.db");
    std::fs::write(&path, "").unwrap();
    assert_eq!(kind(open_reader(&path)), ErrorKind::Unavailable);
    filled(&path, 1);
    assert!(open_reader(&path).is_ok());
}

/// Overwrites the root page of a table or index.
fn damage(path: &Path, name: &str) {
    let connection = Connection::open(path).unwrap();
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
    let page: i64 = connection.query_row(sql, [name], |row| row.get(0)).unwrap();
    drop(connection);
    let mut file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start((page as u64 - 1) * 4096)).unwrap();
    file.write_all(&[0xA5; 4096]).unwrap();
}

#[test]
fn a_damaged_page_is_an_error_that_says_so() {
    for name in ["turns", "turns_pk", "instances", "instances_id", "inbox", "meta", "timers"] {
        let scratch = Scratch::new();
        let path = scratch.path("a.db");
        filled(&path, 50);
        damage(&path, name);
        let failed = match open(&path) {
            Err(error) => error,
            Ok(mut store) => {
                let next = stores::turn(1, 50, "next");
                let put =
                    Op::PutTimer(TimerRow { fire_at: crate::model::Micros(1), key: Key(1), timer_id: 1 });
                let tried = [
                    store.find("a").err(),
                    store.load(Key(1)).err(),
                    store.reader().load("a").err(),
                    store.timers(None, 10).err(),
                    store.commit(&[next, stores::insert(2, "b"), stores::inbox(1, 2, "e"), put]).err(),
                ];
                tried.into_iter().flatten().next().unwrap_or_else(|| panic!("damage of {name} was not seen"))
            }
        };
        assert_eq!(failed.kind(), ErrorKind::StoreCorrupt, "{name}: {failed}");
        assert!(failed.message().contains("a.db"), "{failed}");
    }
}

#[test]
fn a_damaged_file_takes_no_further_commits() {
    let scratch = Scratch::new();
    let path = scratch.path("a.db");
    filled(&path, 50);
    damage(&path, "turns_pk");
    let mut store = open(&path).unwrap();
    assert_eq!(kind(store.commit(&[stores::turn(1, 50, "next")])), ErrorKind::StoreCorrupt);
    assert_eq!(kind(store.commit(&[stores::insert(2, "b")])), ErrorKind::StoreCorrupt);
    assert_eq!(kind(store.facts()), ErrorKind::StoreCorrupt);
}

#[test]
fn the_journal_is_folded_in_when_nothing_happens() {
    let scratch = Scratch::new();
    let path = scratch.path("a.db");
    let mut store = open(&path).unwrap();
    store.commit(&[stores::insert(1, "a"), stores::inbox(1, 1, &"x".repeat(100_000))]).unwrap();
    let before = store.journal_bytes();
    assert!((100_000..JOURNAL_KEPT).contains(&before));
    store.idle().unwrap();
    assert_eq!(store.journal_bytes(), before);
    std::fs::copy(&path, scratch.path("copy.db")).unwrap();
    assert!(open(&scratch.path("copy.db")).unwrap().find("a").unwrap().is_some());
    store.commit(&[stores::turn(1, 0, &"x".repeat(17 << 20))]).unwrap();
    assert!(store.journal_bytes() > JOURNAL_KEPT);
    store.idle().unwrap();
    assert_eq!(store.journal_bytes(), 0);
    store.commit(&[stores::turn(1, 1, "t")]).unwrap();
    drop(store);
    assert!(!scratch.path("a.db-wal").exists());
}

#[test]
fn idling_does_not_wait_for_readers() {
    let scratch = Scratch::new();
    let path = scratch.path("a.db");
    let mut store = open(&path).unwrap();
    store.commit(&[stores::insert(1, "a")]).unwrap();
    let reading = Connection::open(&path).unwrap();
    reading.execute_batch("BEGIN; SELECT count(*) FROM instances").unwrap();
    store.commit(&[stores::insert(2, "b"), stores::turn(2, 0, &"x".repeat(17 << 20))]).unwrap();
    let began = std::time::Instant::now();
    store.idle().unwrap();
    assert!(began.elapsed() < BUSY_TIMEOUT / 2);
    assert_ne!(store.folded, store.commits);
    reading.execute_batch("COMMIT").unwrap();
    store.idle().unwrap();
    assert_eq!(store.folded, store.commits);
    assert_eq!(store.journal_bytes(), 0);
}

#[test]
fn a_disk_that_is_really_full_loses_nothing() {
    let scratch = Scratch::new();
    let Some(_mounted) = SmallDisk::mount(scratch.directory()) else {
        eprintln!("skipped: this user cannot mount a small disk");
        return;
    };
    let (path, filler) = (scratch.path("a.db"), scratch.path("filler"));
    std::fs::write(&filler, vec![1; 400_000]).unwrap();
    let mut store = open(&path).unwrap();
    store.commit(&[stores::insert(1, "a")]).unwrap();
    let record = "x".repeat(20_000);
    let mut acknowledged = 0;
    let error = loop {
        match store.commit(&[stores::turn(1, acknowledged, &record)]) {
            Ok(()) => acknowledged += 1,
            Err(error) => break error,
        }
        assert!(acknowledged < 1000, "the disk never fills");
    };
    assert_eq!(error.kind(), ErrorKind::ResourceExhausted, "{error}");
    assert!(acknowledged > 5);
    assert_eq!(store.load(Key(1)).unwrap().unwrap().turns.len(), acknowledged as usize);
    assert_eq!(kind(open(&scratch.path("b.db"))), ErrorKind::ResourceExhausted);
    std::fs::remove_file(&filler).unwrap();
    store.commit(&[stores::turn(1, acknowledged, &record)]).unwrap();
    drop(store);
    let mut store = open(&path).unwrap();
    assert_eq!(store.load(Key(1)).unwrap().unwrap().turns.len(), acknowledged as usize + 1);
}

#[test]
fn a_directory_that_cannot_be_written_is_permission_denied() {
    let scratch = Scratch::new();
    let Some(mounted) = SmallDisk::mount(scratch.directory()) else {
        eprintln!("skipped: this user cannot mount a small disk");
        return;
    };
    let path = scratch.path("a.db");
    filled(&path, 1);
    mounted.make_read_only();
    for path in [path, scratch.path("new.db"), scratch.path("new/new.db")] {
        let error = open(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
        assert!(error.message().contains("name another path"), "{error}");
    }
}

#[test]
#[cfg(unix)]
fn a_directory_without_permission_is_permission_denied() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new();
    std::fs::set_permissions(scratch.directory(), std::fs::Permissions::from_mode(0o500)).unwrap();
    let found = open(&scratch.path("a.db"));
    std::fs::set_permissions(scratch.directory(), std::fs::Permissions::from_mode(0o700)).unwrap();
    match found {
        Ok(_) => eprintln!("skipped: permissions do not hold for this user"),
        Err(error) => assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}"),
    }
}
