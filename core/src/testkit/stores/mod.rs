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

mod instances;
mod lasting;
mod listing;
mod records;

type Case = (&'static str, fn(&mut dyn Source));

const CASES: &[Case] = &[
    ("an empty store has nothing", instances::an_empty_store_has_nothing),
    ("an inserted instance is found and loaded", instances::an_inserted_instance_is_found_and_loaded),
    ("every column comes back", instances::every_column_comes_back),
    ("an update changes the row", instances::an_update_changes_the_row),
    ("an update never changes what is fixed", instances::an_update_never_changes_what_is_fixed),
    ("a stale update is refused whole", instances::a_stale_update_is_refused_whole),
    ("a failed batch leaves nothing", instances::a_failed_batch_leaves_nothing),
    ("an id and a key are unique", instances::an_id_and_a_key_are_unique),
    ("a second turn of one number is refused", records::a_second_turn_of_one_number_is_refused),
    ("rows of nobody are refused", records::rows_of_nobody_are_refused),
    ("turns come back in order", records::turns_come_back_in_order),
    ("dropped turns are gone and numbers go on", records::dropped_turns_are_gone_and_numbers_go_on),
    ("the inbox keeps its order", records::the_inbox_keeps_its_order),
    ("ends are the first and the last turn", records::ends_are_the_first_and_the_last_turn),
    ("delete removes everything", instances::delete_removes_everything),
    ("an id can be taken over in one batch", instances::an_id_can_be_taken_over_in_one_batch),
    ("timers come in order and in pages", records::timers_come_in_order_and_in_pages),
    ("dropped timers are gone", records::dropped_timers_are_gone),
    ("work comes in pages and without the finished", instances::work_comes_in_pages),
    ("a list is filtered", listing::a_list_is_filtered),
    ("a list is paged newest first", listing::a_list_is_paged_newest_first),
    ("criteria combine", listing::criteria_combine),
    ("a list with ends stops at its size", listing::a_list_with_ends_stops_at_its_size),
    ("pages are stable", listing::pages_are_stable),
    ("keys and numbers are never used again", lasting::keys_and_numbers_are_never_used_again),
    ("time does not go back", lasting::time_does_not_go_back),
    ("everything is there after reopening", lasting::everything_is_there_after_reopening),
    ("readers see commits from other threads", lasting::readers_see_commits_from_other_threads),
    ("large and empty records come back", records::large_and_empty_records_come_back),
    ("commits are counted", lasting::commits_are_counted),
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
