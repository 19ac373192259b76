//! Listing and counting.

use super::*;
use crate::bridge::random::Random;

pub(super) fn listable(store: &mut dyn Store) {
    let statuses = [RuntimeStatus::Running, RuntimeStatus::Completed, RuntimeStatus::Unknown(40)];
    for key in 1..=30 {
        let row = InstanceRow {
            name: if key % 2 == 0 { "Even".into() } else { "Odd".into() },
            status: statuses[key as usize % 3],
            // Three instances share each time, so that the key decides.
            created_at: Micros(key / 3 * 100),
            parent: (key % 5 < 2).then(|| ParentLink {
                key: Key(99),
                generation: 0,
                task_id: 0,
                instance_id: if key % 5 == 0 { "five".into() } else { "one".into() },
            }),
            ..row(key, &format!("i{key}"))
        };
        commit(store, &[Op::Insert(Box::new(row))]);
    }
}

pub(super) fn a_list_is_filtered(source: &mut dyn Source) {
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

pub(super) fn a_list_is_paged_newest_first(source: &mut dyn Source) {
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

pub(super) fn criteria_combine(source: &mut dyn Source) {
    let mut store = source.fresh();
    listable(&mut *store);
    let reader = store.reader();
    let all = reader.list(&Filter::default(), None, 100).expect("list works");
    assert_eq!(all.len(), 30);
    let some = |text: &str| Some(text.to_owned());
    let at = |time: i64| Some(Micros(time));
    let two = vec![RuntimeStatus::Running, RuntimeStatus::Unknown(40)];
    for name in [None, some("Even"), some("Odd"), some("Nobody")] {
        for parent in [None, some("five"), some("one"), some("nobody")] {
            for statuses in [vec![], vec![RuntimeStatus::Completed], two.clone(), vec![RuntimeStatus::Failed]]
            {
                for (from, to) in [(None, None), (at(200), None), (None, at(700)), (at(300), at(600))] {
                    let filter = Filter {
                        name: name.clone(),
                        statuses: statuses.clone(),
                        created_from: from,
                        created_to: to,
                        parent: parent.clone(),
                    };
                    let expected: Vec<_> = all.iter().filter(|row| row.matches(&filter)).cloned().collect();
                    assert_eq!(reader.list(&filter, None, 100).expect("list works"), expected, "{filter:?}");
                    assert_eq!(store.list(&filter, None, 100).expect("list works"), expected, "{filter:?}");
                    let mut counts = std::collections::BTreeMap::new();
                    for row in &expected {
                        *counts.entry(row.status.number()).or_insert(0_u64) += 1;
                    }
                    let counted = reader.count(&filter).expect("count works");
                    let counted: Vec<_> =
                        counted.iter().map(|(status, count)| (status.number(), *count)).collect();
                    assert_eq!(counted, counts.into_iter().collect::<Vec<_>>(), "{filter:?}");
                    let page = reader.list(&filter, Some((Micros(400), Key(13))), 3).expect("list works");
                    let older = expected.iter().filter(|row| row.position() < (Micros(400), Key(13)));
                    assert_eq!(page, older.take(3).cloned().collect::<Vec<_>>(), "{filter:?}");
                }
            }
        }
    }
}

pub(super) fn a_list_with_ends_stops_at_its_size(source: &mut dyn Source) {
    let mut store = source.fresh();
    for key in 1..=4 {
        let record = "x".repeat(100);
        commit(
            &mut *store,
            &[insert(key, &format!("i{key}")), turn(key, 0, &record), turn(key, 1, "between")],
        );
        commit(&mut *store, &[turn(key, 2, &record), inbox(key, key, "event")]);
    }
    let reader = store.reader();
    let keys = |limit, bytes| {
        let found = reader.list_ends(&Filter::default(), None, limit, bytes).expect("list_ends works");
        for loaded in &found {
            assert_eq!(Some(loaded), reader.ends(&loaded.row.id).expect("ends works").as_ref());
        }
        found.iter().map(|loaded| loaded.row.key.0).collect::<Vec<_>>()
    };
    assert_eq!(keys(10, 10_000), [4, 3, 2, 1]);
    assert_eq!(keys(3, 10_000), [4, 3, 2]);
    assert_eq!(keys(10, 300), [4, 3], "the one that exceeds it is the last");
    assert_eq!(keys(10, 0), [4], "one is always given");
}

/// Instances come, change, go and are replaced between the pages.
pub(super) fn pages_are_stable(source: &mut dyn Source) {
    let statuses = [RuntimeStatus::Pending, RuntimeStatus::Running, RuntimeStatus::Completed];
    for seed in 0..12_u64 {
        let mut random = Random::new(seed);
        let mut below = |limit: u64| i64::try_from(random.next_u64() % limit).expect("it is small");
        let mut store = source.fresh();
        let mut rows: Vec<InstanceRow> = Vec::new();
        let mut next = 1;
        let mut turn = |store: &mut dyn Store, rows: &mut Vec<InstanceRow>, creates: bool| {
            let victim = usize::try_from(below(rows.len().max(1) as u64)).unwrap_or_default();
            match below(if creates || rows.is_empty() { 2 } else { 6 }) {
                0 | 1 => {
                    // Several share a moment, and some take over an ID of one that is gone.
                    let mut row = row(next, &format!("i{next}"));
                    row.created_at = Micros(next / 3);
                    row.status = statuses[below(3) as usize];
                    row.name = ["a", "b"][below(2) as usize].to_owned();
                    if below(4) == 0 && !rows.is_empty() {
                        let old = rows.swap_remove(victim);
                        row.id.clone_from(&old.id);
                        commit(store, &[Op::Delete(old.key)]);
                    }
                    next += 1;
                    commit(store, &[Op::Insert(Box::new(row.clone()))]);
                    rows.push(row);
                }
                2 => commit(store, &[Op::Delete(rows.swap_remove(victim).key)]),
                _ => {
                    let row = &mut rows[victim];
                    row.status = statuses[below(3) as usize];
                    row.next_turn += 1;
                    commit(store, &[update(row, row.next_turn - 1)]);
                }
            }
        };
        for _ in 0..60 {
            turn(&mut *store, &mut rows, true);
        }
        for filter in [
            Filter::default(),
            Filter { statuses: vec![RuntimeStatus::Running, RuntimeStatus::Pending], ..Filter::default() },
            Filter { name: Some("a".into()), statuses: vec![RuntimeStatus::Completed], ..Filter::default() },
        ] {
            let matching = |rows: &[InstanceRow]| -> Vec<Key> {
                rows.iter().filter(|row| row.matches(&filter)).map(|row| row.key).collect()
            };
            let size = 1 + seed as usize % 7;
            let mut throughout = matching(&rows);
            let (mut seen, mut before) = (Vec::new(), None);
            loop {
                let page = store.reader().list(&filter, before, size).expect("list works");
                let Some(last) = page.last() else { break };
                before = Some(last.position());
                seen.extend(page.into_iter().map(|row| (row.key, row.id)));
                for _ in 0..3 {
                    turn(&mut *store, &mut rows, false);
                    let now = matching(&rows);
                    throughout.retain(|key| now.contains(key));
                }
            }
            let keys: std::collections::BTreeSet<_> = seen.iter().map(|(key, _)| *key).collect();
            let ids: std::collections::BTreeSet<_> = seen.iter().map(|(_, id)| id).collect();
            assert_eq!((keys.len(), ids.len()), (seen.len(), seen.len()), "seed {seed}: one was shown twice");
            let skipped: Vec<_> = throughout.iter().filter(|key| !keys.contains(key)).collect();
            assert!(skipped.is_empty(), "seed {seed}: {skipped:?} matched all the time");
        }
    }
}
