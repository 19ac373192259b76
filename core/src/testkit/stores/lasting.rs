//! What holds over commits, threads and openings.

use super::*;

pub(super) fn keys_and_numbers_are_never_used_again(source: &mut dyn Source) {
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

pub(super) fn time_does_not_go_back(source: &mut dyn Source) {
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

pub(super) fn everything_is_there_after_reopening(source: &mut dyn Source) {
    let mut store = source.fresh();
    listing::listable(&mut *store);
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

pub(super) fn readers_see_commits_from_other_threads(source: &mut dyn Source) {
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

pub(super) fn commits_are_counted(source: &mut dyn Source) {
    let mut store = source.fresh();
    let before = store.commits();
    commit(&mut *store, &[insert(1, "a"), insert(2, "b")]);
    commit(&mut *store, &[turn(1, 0, "t")]);
    refuse(&mut *store, &[turn(1, 0, "t")]);
    assert_eq!(store.commits() - before, 2);
}
