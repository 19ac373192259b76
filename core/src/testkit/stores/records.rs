//! What belongs to an instance: turns, inbox, timers.

use bytes::Bytes;

use super::*;

pub(super) fn a_second_turn_of_one_number_is_refused(source: &mut dyn Source) {
    let mut store = source.fresh();
    commit(&mut *store, &[insert(1, "a"), insert(2, "b"), turn(1, 0, "first"), turn(2, 0, "other")]);
    refuse(&mut *store, &[turn(1, 0, "second")]);
    refuse(&mut *store, &[turn(1, 1, "x"), turn(1, 1, "y")]);
    refuse(&mut *store, &[inbox(1, 5, "x"), inbox(1, 5, "y")]);
    assert_eq!(turns(&mut *store, 1), [(0, "first".to_owned())]);
    assert_eq!(inbox_ids(&mut *store, 1), Vec::<i64>::new());
}

pub(super) fn rows_of_nobody_are_refused(source: &mut dyn Source) {
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

pub(super) fn turns_come_back_in_order(source: &mut dyn Source) {
    let mut store = source.fresh();
    commit(&mut *store, &[insert(1, "a"), insert(2, "b")]);
    for number in 0..300 {
        commit(&mut *store, &[turn(1, number, &number.to_string()), turn(2, number, "other")]);
    }
    let expected: Vec<_> = (0..300).map(|number: u32| (number, number.to_string())).collect();
    assert_eq!(turns(&mut *store, 1), expected);
}

pub(super) fn dropped_turns_are_gone_and_numbers_go_on(source: &mut dyn Source) {
    let mut store = source.fresh();
    commit(&mut *store, &[insert(1, "a"), insert(2, "b"), turn(1, 0, "x"), turn(1, 1, "y"), turn(2, 0, "z")]);
    commit(&mut *store, &[Op::DropTurns(Key(1)), turn(1, 2, "next")]);
    assert_eq!(turns(&mut *store, 1), [(2, "next".to_owned())]);
    assert_eq!(turns(&mut *store, 2), [(0, "z".to_owned())]);
}

pub(super) fn the_inbox_keeps_its_order(source: &mut dyn Source) {
    let mut store = source.fresh();
    commit(&mut *store, &[insert(1, "a"), insert(2, "b"), inbox(1, 10, "x"), inbox(2, 11, "y")]);
    commit(&mut *store, &[inbox(1, 300, "c"), inbox(1, 12, "b"), inbox(1, 9, "a")]);
    assert_eq!(inbox_ids(&mut *store, 1), [9, 10, 12, 300]);
    commit(&mut *store, &[Op::DropInbox { key: Key(1), id: 10 }, Op::DropInbox { key: Key(1), id: 10 }]);
    assert_eq!(inbox_ids(&mut *store, 1), [9, 12, 300]);
    assert_eq!(inbox_ids(&mut *store, 2), [11]);
}

pub(super) fn ends_are_the_first_and_the_last_turn(source: &mut dyn Source) {
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

pub(super) fn timers_come_in_order_and_in_pages(source: &mut dyn Source) {
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

pub(super) fn dropped_timers_are_gone(source: &mut dyn Source) {
    let mut store = source.fresh();
    commit(&mut *store, &[insert(1, "a"), insert(2, "b")]);
    let armed = [timer(1, 1, 1), timer(1, 2, 1), timer(2, 1, 2), timer(3, 1, 3)];
    commit(&mut *store, &armed.map(Op::PutTimer));
    commit(&mut *store, &[Op::DropTimer(armed[0]), Op::DropTimer(armed[0])]);
    assert_eq!(all_timers(&mut *store), armed[1..]);
    commit(&mut *store, &[Op::DropTimers(Key(1), vec![(Micros(2), 2), (Micros(3), 3), (Micros(4), 4)])]);
    assert_eq!(all_timers(&mut *store), [armed[1]]);
}

pub(super) fn large_and_empty_records_come_back(source: &mut dyn Source) {
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
