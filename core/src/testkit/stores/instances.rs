//! Instances: rows, batches, deletion, unfinished work.

use super::*;

pub(super) fn an_empty_store_has_nothing(source: &mut dyn Source) {
    let mut store = source.fresh();
    let facts = store.facts().expect("facts work");
    assert_eq!(facts.last_time, Micros(0));
    assert_eq!(found(&mut *store, "a"), None);
    assert_eq!(store.load(Key(facts.next_key)).expect("load works"), None);
    assert_eq!(store.with_work(Key(i64::MIN), 10).expect("with_work works"), Vec::<Key>::new());
    assert_eq!(all_timers(&mut *store), []);
    assert_eq!(listed(&*store, &Filter::default(), None, 10), Vec::<i64>::new());
    assert_eq!(store.reader().ends("a").expect("ends works"), None);
    assert_eq!(store.reader().load("a").expect("load works"), None);
}

pub(super) fn an_inserted_instance_is_found_and_loaded(source: &mut dyn Source) {
    let mut store = source.fresh();
    commit(&mut *store, &[insert(1, "a"), inbox(1, 1, "start")]);
    assert_eq!(found(&mut *store, "a"), Some(row(1, "a")));
    assert_eq!(found(&mut *store, "A"), None);
    let loaded = store.load(Key(1)).expect("load works").expect("the instance is there");
    assert_eq!((loaded.row.id.as_str(), loaded.turns.len(), loaded.inbox.len()), ("a", 0, 1));
    assert_eq!(store.reader().load("a").expect("load works"), Some(loaded));
}

pub(super) fn every_column_comes_back(source: &mut dyn Source) {
    let mut store = source.fresh();
    let full = InstanceRow {
        key: Key(7),
        id: "übung-7".into(),
        execution_id: "not a uuid".into(),
        generation: u32::MAX,
        name: "Name".into(),
        version: Some(String::new()),
        status: RuntimeStatus::Unknown(99),
        created_at: Micros(-1),
        updated_at: Micros(i64::MAX - 1),
        started_at: Some(Micros(0)),
        completed_at: Some(Micros(-5)),
        start_at: Some(Micros(9)),
        next_turn: u32::MAX,
        custom_status: Some("\"null\"".into()),
        parent: Some(ParentLink { key: Key(3), generation: 2, task_id: -4, instance_id: "p".into() }),
        has_work: true,
    };
    commit(&mut *store, &[Op::Insert(Box::new(full.clone()))]);
    assert_eq!(found(&mut *store, "übung-7"), Some(full));
    for (key, execution_id) in
        ["", "6F1C8C1E-9D3A-4D3C-8A55-0B7D2A6F1E90", "6f1c8c1e9d3a4d3c8a550b7d2a6f1e90"].iter().enumerate()
    {
        let id = format!("e{key}");
        let row = InstanceRow { execution_id: (*execution_id).into(), ..row(10 + key as i64, &id) };
        commit(&mut *store, &[Op::Insert(Box::new(row.clone()))]);
        assert_eq!(found(&mut *store, &id), Some(row));
    }
}

pub(super) fn an_update_changes_the_row(source: &mut dyn Source) {
    let mut store = source.fresh();
    commit(&mut *store, &[insert(1, "a")]);
    let mut changed = row(1, "a");
    for (turn, status) in RuntimeStatus::ALL.into_iter().enumerate() {
        let expected = turn as u32;
        changed.status = status;
        changed.next_turn = expected + 1;
        changed.has_work = turn % 2 == 0;
        changed.generation = expected;
        changed.execution_id = format!("execution {turn}");
        changed.updated_at = Micros(2_000_000 + i64::from(expected));
        changed.custom_status = (turn % 3 == 0).then(|| format!("\"{turn}\""));
        changed.started_at = Some(Micros(5));
        changed.completed_at = status.is_terminal().then_some(Micros(6));
        changed.version = Some("v2".into());
        commit(&mut *store, &[update(&changed, expected)]);
        assert_eq!(found(&mut *store, "a").as_ref(), Some(&changed));
    }
    changed.name = "Renamed".into();
    commit(&mut *store, &[update(&changed, changed.next_turn)]);
    assert_eq!(found(&mut *store, "a").as_ref(), Some(&changed));
    let named = Filter { name: Some("Renamed".into()), ..Filter::default() };
    assert_eq!(listed(&*store, &named, None, 10), [1]);
}

pub(super) fn an_update_never_changes_what_is_fixed(source: &mut dyn Source) {
    let mut store = source.fresh();
    commit(&mut *store, &[insert(1, "a")]);
    let other = InstanceRow {
        id: "b".into(),
        created_at: Micros(77),
        start_at: Some(Micros(78)),
        parent: Some(ParentLink { key: Key(9), generation: 0, task_id: 0, instance_id: "p".into() }),
        ..row(1, "b")
    };
    commit(&mut *store, &[update(&other, 0)]);
    assert_eq!(found(&mut *store, "a"), Some(row(1, "a")));
    assert_eq!(found(&mut *store, "b"), None);
}

pub(super) fn a_stale_update_is_refused_whole(source: &mut dyn Source) {
    let mut store = source.fresh();
    commit(&mut *store, &[insert(1, "a")]);
    let next = InstanceRow { next_turn: 1, ..row(1, "a") };
    commit(&mut *store, &[update(&next, 0), turn(1, 0, "zero")]);
    let late = InstanceRow { custom_status: Some("late".into()), ..next.clone() };
    refuse(&mut *store, &[insert(2, "b"), turn(1, 1, "one"), update(&late, 0)]);
    refuse(&mut *store, &[insert(2, "b"), update(&row(3, "nobody"), 0)]);
    assert_eq!(found(&mut *store, "a"), Some(next));
    assert_eq!(found(&mut *store, "b"), None);
    assert_eq!(turns(&mut *store, 1), [(0, "zero".to_owned())]);
}

pub(super) fn a_failed_batch_leaves_nothing(source: &mut dyn Source) {
    let mut store = source.fresh();
    let (a, b) = (timer(50, 1, 1), timer(60, 2, 1));
    commit(&mut *store, &[insert(1, "a"), turn(1, 0, "t"), inbox(1, 1, "i"), Op::PutTimer(a)]);
    commit(&mut *store, &[insert(2, "b"), turn(2, 0, "u"), inbox(2, 2, "j"), Op::PutTimer(b)]);
    let before = (store.load(Key(1)).expect("load works"), store.load(Key(2)).expect("load works"));
    let facts = store.facts().expect("facts work");
    let changed = InstanceRow { status: RuntimeStatus::Failed, has_work: true, ..row(1, "a") };
    refuse(
        &mut *store,
        &[
            insert(3, "c"),
            inbox(3, 3, "k"),
            Op::PutTimer(timer(1, 3, 1)),
            update(&changed, 0),
            Op::DropInbox { key: Key(1), id: 1 },
            Op::DropTurns(Key(1)),
            turn(1, 1, "v"),
            Op::DropTimer(a),
            Op::Delete(Key(2)),
            insert(4, "b"),
            update(&row(1, "a"), 99),
        ],
    );
    let after = (store.load(Key(1)).expect("load works"), store.load(Key(2)).expect("load works"));
    assert_eq!(before, after);
    assert_eq!(all_timers(&mut *store), [a, b]);
    assert_eq!(found(&mut *store, "c"), None);
    assert_eq!(found(&mut *store, "b").map(|row| row.key), Some(Key(2)));
    assert_eq!(listed(&*store, &Filter::default(), None, 10), [2, 1]);
    assert_eq!(store.with_work(Key(0), 10).expect("with_work works"), []);
    assert_eq!(store.facts().expect("facts work"), facts);
    commit(&mut *store, &[insert(3, "c"), update(&changed, 0)]);
}

pub(super) fn an_id_and_a_key_are_unique(source: &mut dyn Source) {
    let mut store = source.fresh();
    commit(&mut *store, &[insert(1, "a")]);
    refuse(&mut *store, &[insert(2, "a")]);
    refuse(&mut *store, &[insert(1, "b")]);
    refuse(&mut *store, &[insert(3, "c"), insert(4, "c")]);
    assert_eq!(listed(&*store, &Filter::default(), None, 10), [1]);
}

pub(super) fn delete_removes_everything(source: &mut dyn Source) {
    let mut store = source.fresh();
    let kept = timer(5, 2, 1);
    let working = InstanceRow { has_work: true, ..row(1, "a") };
    commit(&mut *store, &[Op::Insert(Box::new(working)), turn(1, 0, "t"), inbox(1, 1, "i")]);
    commit(&mut *store, &[Op::PutTimer(timer(4, 1, 1)), Op::PutTimer(timer(6, 1, TimerRow::START))]);
    commit(&mut *store, &[insert(2, "b"), turn(2, 0, "u"), inbox(2, 2, "j"), Op::PutTimer(kept)]);
    commit(&mut *store, &[Op::Delete(Key(1))]);
    assert_eq!(found(&mut *store, "a"), None);
    assert_eq!(store.load(Key(1)).expect("load works"), None);
    assert_eq!(turns(&mut *store, 1), []);
    assert_eq!(all_timers(&mut *store), [kept]);
    assert_eq!(store.with_work(Key(0), 10).expect("with_work works"), []);
    assert_eq!(listed(&*store, &Filter::default(), None, 10), [2]);
    assert_eq!(turns(&mut *store, 2), [(0, "u".to_owned())]);
    assert_eq!(inbox_ids(&mut *store, 2), [2]);
    commit(&mut *store, &[insert(3, "a")]);
    let fresh = store.load(Key(3)).expect("load works").expect("the instance is there");
    assert_eq!((fresh.turns.len(), fresh.inbox.len()), (0, 0));
}

pub(super) fn an_id_can_be_taken_over_in_one_batch(source: &mut dyn Source) {
    let mut store = source.fresh();
    commit(&mut *store, &[insert(1, "a"), turn(1, 0, "old")]);
    commit(&mut *store, &[Op::Delete(Key(1)), insert(2, "a"), turn(2, 0, "new")]);
    assert_eq!(found(&mut *store, "a"), Some(row(2, "a")));
    assert_eq!(turns(&mut *store, 1), []);
    assert_eq!(turns(&mut *store, 2), [(0, "new".to_owned())]);
}

pub(super) fn work_comes_in_pages(source: &mut dyn Source) {
    let mut store = source.fresh();
    for key in 1..=10 {
        let mut row = InstanceRow { has_work: key % 2 == 0, ..row(key, &key.to_string()) };
        if key == 4 {
            // Its children are still to be terminated.
            row.status = RuntimeStatus::Terminated;
        }
        commit(&mut *store, &[Op::Insert(Box::new(row))]);
    }
    let work =
        |store: &mut dyn Store, after, limit| store.with_work(Key(after), limit).expect("with_work works");
    assert_eq!(work(&mut *store, 0, 3), [Key(2), Key(4), Key(6)]);
    assert_eq!(work(&mut *store, 6, 2), [Key(8), Key(10)]);
    assert_eq!(work(&mut *store, 10, 2), []);
    let done = InstanceRow { next_turn: 1, ..row(2, "2") };
    let begun = InstanceRow { has_work: true, next_turn: 1, ..row(3, "3") };
    commit(&mut *store, &[update(&done, 0), update(&begun, 0)]);
    assert_eq!(work(&mut *store, 0, 100), [Key(3), Key(4), Key(6), Key(8), Key(10)]);
    let ended = InstanceRow { status: RuntimeStatus::Failed, ..row(6, "6") };
    commit(&mut *store, &[update(&ended, 0)]);
    assert_eq!(work(&mut *store, 0, 100), [Key(3), Key(4), Key(8), Key(10)]);
}
