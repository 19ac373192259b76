//! Files of other versions: older ones are brought up, newer ones refused.

use super::tests::{filled, kind, open};
use super::*;
use crate::engine::store::ParentLink;
use crate::testkit::scratch::Scratch;
use crate::testkit::stores;

#[test]
fn an_older_file_is_brought_up_and_keeps_what_it_has() {
    let scratch = Scratch::new();
    let path = scratch.path("a.db");
    let child = |key: i64, parent: &str| {
        let link = ParentLink { key: Key(9), generation: 0, task_id: 0, instance_id: parent.into() };
        InstanceRow { parent: Some(link), ..stores::row(key, &format!("child-{key}")) }
    };
    {
        let old = Connection::open(&path).unwrap();
        old.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA application_id = 1163285332; PRAGMA user_version = 1;",
        )
        .unwrap();
        old.execute_batch(include_str!("schema_1.sql")).unwrap();
        let ledger = Ledger::read(&old).unwrap();
        let ops = [stores::insert(1, "a"), stores::turn(1, 0, "t"), stores::inbox(1, 1, "event")];
        let children = [child(2, "a"), child(3, "b"), child(4, "a")].map(|row| Op::Insert(Box::new(row)));
        super::write::apply(&old, &ledger, &[&ops[..], &children[..]].concat()).unwrap();
    }
    assert_eq!(kind(open_reader(&path)), ErrorKind::StoreVersion, "who only reads changes nothing");
    for _ in 0..2 {
        let mut store = open(&path).unwrap();
        let loaded = store.load(Key(1)).unwrap().unwrap();
        assert_eq!((loaded.row, loaded.turns.len(), loaded.inbox.len()), (stores::row(1, "a"), 1, 1));
        let of_a = Filter { parent: Some("a".into()), ..Filter::default() };
        assert_eq!(store.list(&of_a, None, 10).unwrap(), [child(4, "a"), child(2, "a")]);
    }
    let schema = |path: &std::path::Path| {
        let connection = Connection::open(path).unwrap();
        let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
        let mut objects =
            connection.prepare("SELECT sql FROM sqlite_schema WHERE sql NOT NULL ORDER BY name").unwrap();
        let objects: Vec<String> =
            objects.query_map([], |row| row.get(0)).unwrap().map(|sql| sql.unwrap()).collect();
        (version, objects)
    };
    let fresh = scratch.path("fresh.db");
    drop(open(&fresh).unwrap());
    assert_eq!(schema(&path), schema(&fresh));
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let scratch = Scratch::new();
    let path = scratch.path("a.db");
    filled(&path, 1);
    let set =
        |version: i64| Connection::open(&path).unwrap().pragma_update(None, "user_version", version).unwrap();
    for version in [3, 1_000_000, -1] {
        set(version);
        let error = open(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StoreVersion);
        assert!(error.message().contains(&version.to_string()), "{error}");
        assert_eq!(kind(open_reader(&path)), ErrorKind::StoreVersion);
    }
    set(2);
    assert_eq!(open(&path).unwrap().load(Key(1)).unwrap().unwrap().turns.len(), 1);
}
