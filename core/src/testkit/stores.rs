//! What every store must do, as functions that panic when it does not.
//!
//! A store's own tests call [`validate`] with a [`Source`] of fresh stores. One function per behaviour, so that a
//! failure names what is broken.

use bytes::Bytes;

use crate::engine::store::{InboxRow, InstanceRow, Key, Op, ParentLink, Store, TimerRow};
use crate::error::ErrorKind;
use crate::model::{Filter, Micros, RuntimeStatus};

/// Makes the stores that are tried.
pub trait Source {
    /// An empty store.
    fn fresh(&mut self) -> Box<dyn Store>;

    /// Closes the store and opens it again on the same content. A store without a place beyond itself gives itself back.
    fn reopen(&mut self, store: Box<dyn Store>) -> Box<dyn Store>;
}

type Case = (&'static str, fn(&mut dyn Source));

const CASES: &[Case] = &[
    ("an empty store has nothing", an_empty_store_has_nothing),
    ("an inserted instance is found and loaded", an_inserted_instance_is_found_and_loaded),
    ("every column comes back", every_column_comes_back),
    ("an update changes the row", an_update_changes_the_row),
    ("an update never changes what is fixed", an_update_never_changes_what_is_fixed),
    ("a stale update is refused whole", a_stale_update_is_refused_whole),
    ("a failed batch leaves nothing", a_failed_batch_leaves_nothing),
    ("an id and a key are unique", an_id_and_a_key_are_unique),
    ("a second turn of one number is refused", a_second_turn_of_one_number_is_refused),
    ("rows of nobody are refused", rows_of_nobody_are_refused),
    ("turns come back in order", turns_come_back_in_order),
    ("dropped turns are gone and numbers go on", dropped_turns_are_gone_and_numbers_go_on),
    ("the inbox keeps its order", the_inbox_keeps_its_order),
    ("ends are the first and the last turn", ends_are_the_first_and_the_last_turn),
    ("delete removes everything", delete_removes_everything),
    ("an id can be taken over in one batch", an_id_can_be_taken_over_in_one_batch),
    ("timers come in order and in pages", timers_come_in_order_and_in_pages),
    ("dropped timers are gone", dropped_timers_are_gone),
    ("work comes in pages and without the finished", work_comes_in_pages),
    ("a list is filtered", a_list_is_filtered),
    ("a list is paged newest first", a_list_is_paged_newest_first),
    ("keys and numbers are never used again", keys_and_numbers_are_never_used_again),
    ("time does not go back", time_does_not_go_back),
    ("everything is there after reopening", everything_is_there_after_reopening),
    ("readers see commits from other threads", readers_see_commits_from_other_threads),
    ("large and empty records come back", large_and_empty_records_come_back),
    ("commits are counted", commits_are_counted),
];

/// Runs every behaviour on a fresh store and gives their number.
///
/// # Panics
/// When the store does not behave, with the behaviour's name on the standard error output above the panic.
pub fn validate(source: &mut dyn Source) -> usize {
    for (name, case) in CASES {
        let _named = Named(name);
        case(source);
    }
    CASES.len()
}

/// Says which behaviour panicked.
struct Named(&'static str);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the store fails: {}", self.0);
        }
    }
}

/// A row of a running instance: created and updated at `key` seconds.
pub fn row(key: i64, id: &str) -> InstanceRow {
    InstanceRow {
        key: Key(key),
        id: id.into(),
        execution_id: "6f1c8c1e-9d3a-4d3c-8a55-0b7d2a6f1e90".into(),
        name: "Order".into(),
        status: RuntimeStatus::Running,
        created_at: Micros(key * 1_000_000),
        updated_at: Micros(key * 1_000_000),
        ..InstanceRow::default()
    }
}

/// An [`Op::Insert`] of [`row`].
pub fn insert(key: i64, id: &str) -> Op {
    Op::Insert(Box::new(row(key, id)))
}

/// An [`Op::Turn`] whose record is `text`.
pub fn turn(key: i64, turn: u32, text: &str) -> Op {
    Op::Turn { key: Key(key), turn, data: Bytes::copy_from_slice(text.as_bytes()) }
}

/// An [`Op::PutInbox`] whose event is `text`.
pub fn inbox(key: i64, id: i64, text: &str) -> Op {
    Op::PutInbox { key: Key(key), row: InboxRow { id, event: Bytes::copy_from_slice(text.as_bytes()) } }
}

fn update(row: &InstanceRow, expected_turn: u32) -> Op {
    Op::Update { row: Box::new(row.clone()), expected_turn }
}

fn timer(fire_at: i64, key: i64, timer_id: i32) -> TimerRow {
    TimerRow { fire_at: Micros(fire_at), key: Key(key), timer_id }
}

fn commit(store: &mut dyn Store, ops: &[Op]) {
    store.commit(ops).expect("the store takes the batch");
}

fn refuse(store: &mut dyn Store, ops: &[Op]) {
    let error = store.commit(ops).expect_err("the store must refuse the batch");
    assert_eq!(error.kind(), ErrorKind::Internal, "{error}");
}

fn found(store: &mut dyn Store, id: &str) -> Option<InstanceRow> {
    let stored = store.find(id).expect("find works");
    let read = store.reader().find(id).expect("the reader's find works");
    assert_eq!(stored, read, "store and reader differ");
    stored
}

fn turns(store: &mut dyn Store, key: i64) -> Vec<(u32, String)> {
    let loaded = store.load(Key(key)).expect("load works");
    let stored = loaded.map(|loaded| loaded.turns).unwrap_or_default();
    assert_eq!(stored, store.reader().turns(Key(key)).expect("the reader's turns work"));
    stored.into_iter().map(|(turn, data)| (turn, text(&data))).collect()
}

fn inbox_ids(store: &mut dyn Store, key: i64) -> Vec<i64> {
    let loaded = store.load(Key(key)).expect("load works").expect("the instance is there");
    loaded.inbox.iter().map(|row| row.id).collect()
}

fn text(data: &Bytes) -> String {
    String::from_utf8(data.to_vec()).expect("the suite writes text")
}

fn listed(store: &dyn Store, filter: &Filter, before: Option<(Micros, Key)>, limit: usize) -> Vec<i64> {
    let rows = store.reader().list(filter, before, limit).expect("list works");
    rows.iter().map(|row| row.key.0).collect()
}

fn all_timers(store: &mut dyn Store) -> Vec<TimerRow> {
    store.timers(None, 1000).expect("timers work")
}

fn an_empty_store_has_nothing(source: &mut dyn Source) {
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

fn an_inserted_instance_is_found_and_loaded(source: &mut dyn Source) {
    let mut store = source.fresh();
    commit(&mut *store, &[insert(1, "a"), inbox(1, 1, "start")]);
    assert_eq!(found(&mut *store, "a"), Some(row(1, "a")));
    assert_eq!(found(&mut *store, "A"), None);
    let loaded = store.load(Key(1)).expect("load works").expect("the instance is there");
    assert_eq!((loaded.row.id.as_str(), loaded.turns.len(), loaded.inbox.len()), ("a", 0, 1));
    assert_eq!(store.reader().load("a").expect("load works"), Some(loaded));
}

fn every_column_comes_back(source: &mut dyn Source) {
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

fn an_update_changes_the_row(source: &mut dyn Source) {
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

fn an_update_never_changes_what_is_fixed(source: &mut dyn Source) {
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

fn a_stale_update_is_refused_whole(source: &mut dyn Source) {
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

fn a_failed_batch_leaves_nothing(source: &mut dyn Source) {
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

fn an_id_and_a_key_are_unique(source: &mut dyn Source) {
    let mut store = source.fresh();
    commit(&mut *store, &[insert(1, "a")]);
    refuse(&mut *store, &[insert(2, "a")]);
    refuse(&mut *store, &[insert(1, "b")]);
    refuse(&mut *store, &[insert(3, "c"), insert(4, "c")]);
    assert_eq!(listed(&*store, &Filter::default(), None, 10), [1]);
}

fn a_second_turn_of_one_number_is_refused(source: &mut dyn Source) {
    let mut store = source.fresh();
    commit(&mut *store, &[insert(1, "a"), insert(2, "b"), turn(1, 0, "first"), turn(2, 0, "other")]);
    refuse(&mut *store, &[turn(1, 0, "second")]);
    refuse(&mut *store, &[turn(1, 1, "x"), turn(1, 1, "y")]);
    refuse(&mut *store, &[inbox(1, 5, "x"), inbox(1, 5, "y")]);
    assert_eq!(turns(&mut *store, 1), [(0, "first".to_owned())]);
    assert_eq!(inbox_ids(&mut *store, 1), Vec::<i64>::new());
}

fn rows_of_nobody_are_refused(source: &mut dyn Source) {
    let mut store = source.fresh();
    commit(&mut *store, &[insert(1, "a"), insert(2, "b")]);
    refuse(&mut *store, &[turn(9, 0, "x")]);
    refuse(&mut *store, &[inbox(9, 1, "x")]);
    refuse(&mut *store, &[Op::PutTimer(timer(1, 9, 1))]);
    refuse(&mut *store, &[Op::Delete(Key(1)), inbox(1, 1, "x")]);
    refuse(&mut *store, &[turn(3, 0, "x"), insert(3, "c")]);
    commit(
        &mut *store,
        &[
            Op::DropInbox { key: Key(9), id: 1 },
            Op::DropTurns(Key(9)),
            Op::DropTimer(timer(1, 9, 1)),
            Op::DropTimers(Key(9), vec![(Micros(1), 1)]),
            Op::Delete(Key(9)),
            inbox(2, 1, "kept"),
            Op::DropInbox { key: Key(1), id: 1 },
        ],
    );
    assert_eq!(inbox_ids(&mut *store, 2), [1]);
}

fn turns_come_back_in_order(source: &mut dyn Source) {
    let mut store = source.fresh();
    commit(&mut *store, &[insert(1, "a"), insert(2, "b")]);
    for number in 0..300 {
        commit(&mut *store, &[turn(1, number, &number.to_string()), turn(2, number, "other")]);
    }
    let expected: Vec<_> = (0..300).map(|number: u32| (number, number.to_string())).collect();
    assert_eq!(turns(&mut *store, 1), expected);
}

fn dropped_turns_are_gone_and_numbers_go_on(source: &mut dyn Source) {
    let mut store = source.fresh();
    commit(&mut *store, &[insert(1, "a"), insert(2, "b"), turn(1, 0, "x"), turn(1, 1, "y"), turn(2, 0, "z")]);
    commit(&mut *store, &[Op::DropTurns(Key(1)), turn(1, 2, "next")]);
    assert_eq!(turns(&mut *store, 1), [(2, "next".to_owned())]);
    assert_eq!(turns(&mut *store, 2), [(0, "z".to_owned())]);
}

fn the_inbox_keeps_its_order(source: &mut dyn Source) {
    let mut store = source.fresh();
    commit(&mut *store, &[insert(1, "a"), insert(2, "b"), inbox(1, 10, "x"), inbox(2, 11, "y")]);
    commit(&mut *store, &[inbox(1, 300, "c"), inbox(1, 12, "b"), inbox(1, 9, "a")]);
    assert_eq!(inbox_ids(&mut *store, 1), [9, 10, 12, 300]);
    commit(&mut *store, &[Op::DropInbox { key: Key(1), id: 10 }, Op::DropInbox { key: Key(1), id: 10 }]);
    assert_eq!(inbox_ids(&mut *store, 1), [9, 12, 300]);
    assert_eq!(inbox_ids(&mut *store, 2), [11]);
}

fn ends_are_the_first_and_the_last_turn(source: &mut dyn Source) {
    let mut store = source.fresh();
    let ends = |store: &dyn Store| {
        let loaded = store.reader().ends("a").expect("ends works").expect("the instance is there");
        let turns: Vec<_> = loaded.turns.iter().map(|(turn, data)| (*turn, text(data))).collect();
        (loaded.row, turns, loaded.inbox.len())
    };
    commit(&mut *store, &[insert(1, "a"), insert(2, "b"), turn(2, 0, "other"), inbox(1, 1, "start")]);
    assert_eq!(ends(&*store), (row(1, "a"), vec![], 1));
    commit(&mut *store, &[turn(1, 5, "first")]);
    assert_eq!(ends(&*store), (row(1, "a"), vec![(5, "first".to_owned())], 1));
    commit(&mut *store, &[turn(1, 6, "between"), Op::DropInbox { key: Key(1), id: 1 }]);
    commit(&mut *store, &[turn(1, 7, "last")]);
    let both = vec![(5, "first".to_owned()), (7, "last".to_owned())];
    assert_eq!(ends(&*store), (row(1, "a"), both, 0));
}

fn delete_removes_everything(source: &mut dyn Source) {
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

fn an_id_can_be_taken_over_in_one_batch(source: &mut dyn Source) {
    let mut store = source.fresh();
    commit(&mut *store, &[insert(1, "a"), turn(1, 0, "old")]);
    commit(&mut *store, &[Op::Delete(Key(1)), insert(2, "a"), turn(2, 0, "new")]);
    assert_eq!(found(&mut *store, "a"), Some(row(2, "a")));
    assert_eq!(turns(&mut *store, 1), []);
    assert_eq!(turns(&mut *store, 2), [(0, "new".to_owned())]);
}

fn timers_come_in_order_and_in_pages(source: &mut dyn Source) {
    let mut store = source.fresh();
    let mut expected = Vec::new();
    for key in 1..=5 {
        commit(&mut *store, &[insert(key, &key.to_string())]);
        for (fire_at, timer_id) in
            [(i64::from(7 - key as i32), 3), (9, 2), (9, i32::MIN), (253_402_300_799_999_999, 1)]
        {
            expected.push(timer(fire_at, key, timer_id));
            commit(&mut *store, &[Op::PutTimer(timer(fire_at, key, timer_id))]);
        }
    }
    commit(&mut *store, &[Op::PutTimer(timer(9, 1, 2))]);
    expected.sort();
    assert_eq!(all_timers(&mut *store), expected);
    for size in [1, 3, 20] {
        let mut pages = Vec::new();
        loop {
            let page = store.timers(pages.last().copied(), size).expect("timers work");
            assert!(page.len() <= size);
            if page.is_empty() {
                break;
            }
            pages.extend(page);
        }
        assert_eq!(pages, expected);
    }
}

fn dropped_timers_are_gone(source: &mut dyn Source) {
    let mut store = source.fresh();
    commit(&mut *store, &[insert(1, "a"), insert(2, "b")]);
    let armed = [timer(1, 1, 1), timer(1, 2, 1), timer(2, 1, 2), timer(3, 1, 3)];
    commit(&mut *store, &armed.map(Op::PutTimer));
    commit(&mut *store, &[Op::DropTimer(armed[0]), Op::DropTimer(armed[0])]);
    assert_eq!(all_timers(&mut *store), armed[1..]);
    commit(&mut *store, &[Op::DropTimers(Key(1), vec![(Micros(2), 2), (Micros(3), 3), (Micros(4), 4)])]);
    assert_eq!(all_timers(&mut *store), [armed[1]]);
}

fn work_comes_in_pages(source: &mut dyn Source) {
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

fn listable(store: &mut dyn Store) {
    let statuses = [RuntimeStatus::Running, RuntimeStatus::Completed, RuntimeStatus::Unknown(40)];
    for key in 1..=30 {
        let row = InstanceRow {
            name: if key % 2 == 0 { "Even".into() } else { "Odd".into() },
            status: statuses[key as usize % 3],
            // Three instances share each time, so that the key decides.
            created_at: Micros(key / 3 * 100),
            ..row(key, &format!("i{key}"))
        };
        commit(store, &[Op::Insert(Box::new(row))]);
    }
}

fn a_list_is_filtered(source: &mut dyn Source) {
    let mut store = source.fresh();
    listable(&mut *store);
    let keys = |want: &dyn Fn(i64) -> bool| (1..=30).rev().filter(|&key| want(key)).collect::<Vec<i64>>();
    let all = |filter: Filter| listed(&*store, &filter, None, 100);
    assert_eq!(all(Filter::default()), keys(&|_| true));
    let named = |name: &str| Filter { name: Some(name.into()), ..Filter::default() };
    assert_eq!(all(named("Even")), keys(&|key| key % 2 == 0));
    assert_eq!(all(named("Nobody")), keys(&|_| false));
    let completed = Filter { statuses: vec![RuntimeStatus::Completed], ..Filter::default() };
    assert_eq!(all(completed), keys(&|key| key % 3 == 1));
    let two = vec![RuntimeStatus::Unknown(40), RuntimeStatus::Running, RuntimeStatus::Running];
    assert_eq!(all(Filter { statuses: two.clone(), ..Filter::default() }), keys(&|key| key % 3 != 1));
    let both = Filter { statuses: two, ..named("Odd") };
    assert_eq!(all(both), keys(&|key| key % 3 != 1 && key % 2 == 1));
    let range =
        Filter { created_from: Some(Micros(200)), created_to: Some(Micros(400)), ..Filter::default() };
    assert_eq!(all(range), keys(&|key| (6..12).contains(&key)));
    let empty = Filter { created_from: Some(Micros(400)), created_to: Some(Micros(200)), ..named("Odd") };
    assert_eq!(all(empty), keys(&|_| false));
}

fn a_list_is_paged_newest_first(source: &mut dyn Source) {
    let mut store = source.fresh();
    listable(&mut *store);
    let named = Filter { name: Some("Odd".into()), created_to: Some(Micros(900)), ..Filter::default() };
    for (filter, expected) in [
        (Filter::default(), (1..=30).rev().collect::<Vec<i64>>()),
        (named, (1..27).rev().filter(|key| key % 2 == 1).collect()),
    ] {
        for size in [1, 2, 4, 7, 31] {
            let (mut seen, mut before) = (Vec::new(), None);
            loop {
                let page = store.reader().list(&filter, before, size).expect("list works");
                assert!(page.len() <= size);
                let Some(last) = page.last() else { break };
                before = Some((last.created_at, last.key));
                seen.extend(page.iter().map(|row| row.key.0));
            }
            assert_eq!(seen, expected);
        }
    }
}

fn keys_and_numbers_are_never_used_again(source: &mut dyn Source) {
    let mut store = source.fresh();
    commit(&mut *store, &[insert(40, "a"), insert(41, "b"), inbox(40, 90, "x"), inbox(41, 91, "y")]);
    commit(&mut *store, &[Op::DropInbox { key: Key(40), id: 90 }, Op::DropInbox { key: Key(41), id: 91 }]);
    for _ in 0..2 {
        let facts = store.facts().expect("facts work");
        assert!(facts.next_key > 41 && facts.next_inbox > 91, "{facts:?}");
        store = source.reopen(store);
    }
    commit(&mut *store, &[Op::Delete(Key(41))]);
    commit(&mut *store, &[Op::Delete(Key(40))]);
    store = source.reopen(store);
    let facts = store.facts().expect("facts work");
    assert!(facts.next_key > 41 && facts.next_inbox > 91, "{facts:?}");
    commit(&mut *store, &[insert(facts.next_key, "c"), inbox(facts.next_key, facts.next_inbox, "z")]);
}

fn time_does_not_go_back(source: &mut dyn Source) {
    let last_time = |store: &mut dyn Store| store.facts().expect("facts work").last_time;
    let mut store = source.fresh();
    let at = |turn: u32, time: i64| InstanceRow { next_turn: turn, updated_at: Micros(time), ..row(1, "a") };
    commit(&mut *store, &[Op::Insert(Box::new(at(0, 10))), inbox(1, 1, "start")]);
    let steps: [(&[Op], i64); 8] = [
        (&[turn(1, 0, "t"), update(&at(1, 20), 0), Op::DropInbox { key: Key(1), id: 1 }], 20),
        (&[inbox(1, 2, "event"), update(&at(1, 30), 1)], 30),
        (&[update(&at(1, 40), 1)], 40),
        (&[Op::DropTurns(Key(1)), turn(1, 1, "t"), update(&at(2, 50), 1)], 50),
        (&[Op::Insert(Box::new(InstanceRow { updated_at: Micros(60), ..row(2, "b") })), turn(2, 0, "t")], 60),
        (&[update(&at(3, 70), 2), turn(1, 2, "t")], 70),
        (&[Op::Delete(Key(1)), Op::Delete(Key(2))], 70),
        (&[Op::Insert(Box::new(InstanceRow { updated_at: Micros(65), ..row(3, "c") })), turn(3, 0, "t")], 70),
    ];
    for (ops, time) in steps {
        commit(&mut *store, ops);
        assert_eq!(last_time(&mut *store), Micros(time));
        store = source.reopen(store);
        assert_eq!(last_time(&mut *store), Micros(time), "after reopening");
    }
}

fn everything_is_there_after_reopening(source: &mut dyn Source) {
    let mut store = source.fresh();
    listable(&mut *store);
    let armed = timer(77, 5, 1);
    commit(&mut *store, &[turn(5, 0, "t"), inbox(5, 1, "i"), inbox(6, 2, "j"), Op::PutTimer(armed)]);
    let before = (store.load(Key(5)).expect("load works"), store.load(Key(6)).expect("load works"));
    let mut store = source.reopen(store);
    let after = (store.load(Key(5)).expect("load works"), store.load(Key(6)).expect("load works"));
    assert_eq!(before, after);
    assert_eq!(all_timers(&mut *store), [armed]);
    assert_eq!(listed(&*store, &Filter::default(), None, 100).len(), 30);
    store.idle().expect("idle works");
    assert_eq!(store.load(Key(5)).expect("load works"), after.0);
}

fn readers_see_commits_from_other_threads(source: &mut dyn Source) {
    let mut store = source.fresh();
    let readers: Vec<_> = (0..8).map(|_| store.reader()).collect();
    commit(&mut *store, &[insert(1, "a")]);
    std::thread::scope(|scope| {
        for reader in &readers {
            scope.spawn(move || {
                let mut seen = 0;
                while seen < 50 {
                    let loaded = reader.load("a").expect("load works").expect("the instance is there");
                    assert!(loaded.turns.len() >= seen, "a commit vanished");
                    assert_eq!(loaded.turns.len(), loaded.row.next_turn as usize, "half a commit is visible");
                    seen = loaded.turns.len();
                }
            });
        }
        for number in 0..50 {
            let next = InstanceRow { next_turn: number + 1, ..row(1, "a") };
            commit(&mut *store, &[turn(1, number, "t"), update(&next, number)]);
        }
    });
}

fn large_and_empty_records_come_back(source: &mut dyn Source) {
    let mut store = source.fresh();
    let large = "x".repeat(3_000_000);
    commit(
        &mut *store,
        &[insert(1, "a"), turn(1, 0, &large), turn(1, 1, ""), inbox(1, 1, &large), inbox(1, 2, "")],
    );
    let mut store = source.reopen(store);
    let loaded = store.load(Key(1)).expect("load works").expect("the instance is there");
    let lengths = |parts: Vec<&Bytes>| parts.iter().map(|part| part.len()).collect::<Vec<_>>();
    assert_eq!(lengths(loaded.turns.iter().map(|turn| &turn.1).collect()), [large.len(), 0]);
    assert_eq!(lengths(loaded.inbox.iter().map(|row| &row.event).collect()), [large.len(), 0]);
    assert!(loaded.turns[0].1 == large.as_bytes() && loaded.inbox[0].event == large.as_bytes());
}

fn commits_are_counted(source: &mut dyn Source) {
    let mut store = source.fresh();
    let before = store.commits();
    commit(&mut *store, &[insert(1, "a"), insert(2, "b")]);
    commit(&mut *store, &[turn(1, 0, "t")]);
    refuse(&mut *store, &[turn(1, 0, "t")]);
    assert_eq!(store.commits() - before, 2);
}
