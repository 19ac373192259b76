use super::*;
use crate::testkit::scratch::Scratch;
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

#[test]
fn the_sqlite_store_passes_the_suite() {
    let mut files = Files { scratch: Scratch::new(), opened: 0, durability: Durability::Process };
    assert!(stores::validate(&mut files) > 10);
}
