//! What callers were told, line by line: `?` before a call, `!` after its acknowledgement.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::orders::append;

/// Takes down calls and acknowledgements.
pub(crate) trait Register: Sync {
    fn note(&self, line: &str);
}

/// In a file, for a process that may die at any moment.
pub(crate) struct InFile(pub(crate) PathBuf);

impl Register for InFile {
    fn note(&self, line: &str) {
        append(&self.0, &format!("{line}\n"));
    }
}

/// In memory, for an engine that dies without its process.
#[derive(Default)]
pub(crate) struct InMemory(Mutex<Vec<String>>);

impl InMemory {
    pub(crate) fn read(&self) -> Told {
        Told::of(self.0.lock().expect("no test panics with it").iter().map(String::as_str))
    }
}

impl Register for InMemory {
    fn note(&self, line: &str) {
        self.0.lock().expect("no test panics with it").push(line.to_owned());
    }
}

/// What callers asked for and were told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Instance IDs; true: acknowledged.
    pub(crate) starts: BTreeMap<String, bool>,
    /// Items by the instance they were raised at, in the order of the calls; true: acknowledged.
    pub(crate) items: BTreeMap<String, Vec<(String, bool)>>,
    /// Outputs that callers have seen.
    pub(crate) outputs: BTreeMap<String, String>,
}

impl Told {
    pub(crate) fn in_file(path: &Path) -> Told {
        Told::of(std::fs::read_to_string(path).unwrap_or_default().lines())
    }

    fn of<'a>(lines: impl Iterator<Item = &'a str>) -> Told {
        let mut told = Told::default();
        for line in lines {
            let words: Vec<&str> = line.splitn(3, ' ').collect();
            match words.as_slice() {
                ["start?", id] => drop(told.starts.insert((*id).to_owned(), false)),
                ["start!", id] => drop(told.starts.insert((*id).to_owned(), true)),
                ["item?", id, item] => {
                    told.items.entry((*id).to_owned()).or_default().push(((*item).to_owned(), false));
                }
                ["item!", id, item] => {
                    let items = told.items.get_mut(*id).expect("asked before it was acknowledged");
                    let found = items.iter_mut().find(|(asked, _)| asked == item);
                    found.expect("asked before it was acknowledged").1 = true;
                }
                ["done!", id, output] => drop(told.outputs.insert((*id).to_owned(), (*output).to_owned())),
                _ => panic!("a line that no register writes: {line:?}"),
            }
        }
        told
    }

    /// How many starts and items were acknowledged.
    pub(crate) fn acknowledged(&self) -> usize {
        let items = self.items.values().flatten().filter(|(_, acknowledged)| *acknowledged).count();
        self.starts.values().filter(|acknowledged| **acknowledged).count() + items
    }
}
