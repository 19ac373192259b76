//! A disk in memory that loses power, fills up and fails.
//!
//! Every file is what programs see (`live`), what a power loss cannot take (`durable`), and the changes between the two.
//! A sync makes the changes durable. [`Disk::after_power_loss`] gives a disk with what survives: each change that was not
//! synced is kept, lost, or torn into 512-byte sectors of which any may be lost, in no order. As on Linux, a failed sync
//! forgets its changes: programs go on seeing them, and no later sync makes them durable.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const SECTOR: usize = 512;

/// Why the disk refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The power is gone, or a fault was asked for.
    Fault,
    /// There is no room.
    Full,
    /// There is no such file.
    Missing,
}

/// A disk whose faults a test chooses. Everything that is random follows from its seed.
#[derive(Debug)]
pub struct Disk {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<String, File>,
    /// Deleted files whose deletion may be undone by a power loss.
    ghosts: BTreeMap<String, File>,
    random: u64,
    operations: u64,
    cut_after: Option<u64>,
    capacity: Option<usize>,
    failing_syncs: u32,
    deaf: bool,
}

#[derive(Clone, Debug, Default)]
struct File {
    live: Vec<u8>,
    /// Nothing until the first sync: a file that was never synced may be gone after a power loss.
    durable: Option<Vec<u8>>,
    pending: Vec<Change>,
}

#[derive(Clone, Debug)]
enum Change {
    Write { offset: usize, data: Vec<u8> },
    Resize(usize),
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Change::Write { offset, data } => put(content, *offset, data),
            Change::Resize(length) => content.resize(*length, 0),
        }
    }

    /// What is left of it when the power fails before a sync.
    fn tear(&self, content: &mut Vec<u8>, random: &mut u64) {
        match (self, below(random, 3)) {
            (_, 0) => {}
            (Change::Write { offset, data }, 1) => {
                let mut at = *offset;
                while at < offset + data.len() {
                    let end = ((at / SECTOR + 1) * SECTOR).min(offset + data.len());
                    if below(random, 2) == 0 {
                        put(content, at, &data[at - offset..end - offset]);
                    }
                    at = end;
                }
            }
            _ => self.apply(content),
        }
    }
}

fn put(content: &mut Vec<u8>, offset: usize, data: &[u8]) {
    let end = offset + data.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[offset..end].copy_from_slice(data);
}

/// A number below `limit`; splitmix64.
pub fn below(random: &mut u64, limit: u64) -> u64 {
    *random = random.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *random;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (mixed ^ (mixed >> 31)) % limit
}

impl Disk {
    /// An empty disk.
    pub fn new(seed: u64) -> Arc<Disk> {
        Disk::with(BTreeMap::new(), seed)
    }

    fn with(files: BTreeMap<String, File>, seed: u64) -> Arc<Disk> {
        Arc::new(Disk { state: Mutex::new(State { files, random: seed, ..State::default() }) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets this many more changes happen; at the next one the power fails, and nothing works any more.
    pub fn cut_after(&self, operations: u64) {
        let mut state = self.state();
        state.cut_after = Some(state.operations + operations);
    }

    /// Whether the power has failed.
    pub fn is_cut(&self) -> bool {
        let state = self.state();
        state.cut_after.is_some_and(|cut| state.operations > cut)
    }

    /// How many changes were asked for.
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Refuses what would make all files together larger than this.
    pub fn limit(&self, capacity: Option<usize>) {
        self.state().capacity = capacity;
    }

    /// How large all files are together.
    pub fn used(&self) -> usize {
        self.state().used()
    }

    /// Fails the next syncs.
    pub fn fail_syncs(&self, count: u32) {
        self.state().failing_syncs = count;
    }

    /// Lets syncs succeed without doing anything, as drives have been seen to.
    pub fn ignore_syncs(&self) {
        self.state().deaf = true;
    }

    /// The content of a file as programs see it.
    pub fn content(&self, name: &str) -> Option<Vec<u8>> {
        self.state().files.get(name).map(|file| file.live.clone())
    }

    /// Puts a file there, all of it durable.
    pub fn place(&self, name: &str, content: Vec<u8>) {
        let file = File { durable: Some(content.clone()), live: content, pending: Vec::new() };
        self.state().files.insert(name.to_owned(), file);
    }

    /// Puts a file as it is, with what was not synced, on another disk: what a program finds that starts after this one
    /// was killed.
    pub fn hand_over(&self, name: &str, to: &Disk) {
        let file = self.state().files.get(name).cloned();
        to.state().files.extend(file.map(|file| (name.to_owned(), file)));
    }

    /// The disk as it is found after the power failed now.
    pub fn after_power_loss(&self) -> Arc<Disk> {
        let state = &mut *self.state();
        let mut files = BTreeMap::new();
        // One power loss in four loses everything that can be lost.
        let all = below(&mut state.random, 4) == 0;
        for (name, ghost) in &state.ghosts {
            if all || below(&mut state.random, 2) == 0 {
                files.extend(ghost.surviving(all, &mut state.random).map(|file| (name.clone(), file)));
            }
        }
        for (name, file) in &state.files {
            files.extend(file.surviving(all, &mut state.random).map(|file| (name.clone(), file)));
        }
        Disk::with(files, state.random)
    }

    pub(super) fn create(&self, name: &str) -> Result<(), Refusal> {
        let mut state = self.state();
        if !state.files.contains_key(name) {
            state.change()?;
            state.files.insert(name.to_owned(), File::default());
        }
        Ok(())
    }

    pub(super) fn exists(&self, name: &str) -> bool {
        self.state().files.contains_key(name)
    }

    pub(super) fn size(&self, name: &str) -> Result<usize, Refusal> {
        self.state().file(name).map(|file| file.live.len())
    }

    /// Reads what is there and gives its length.
    pub(super) fn read(&self, name: &str, offset: usize, into: &mut [u8]) -> Result<usize, Refusal> {
        let mut state = self.state();
        let live = &state.file(name)?.live;
        let found = live.get(offset..).unwrap_or_default();
        let length = found.len().min(into.len());
        into[..length].copy_from_slice(&found[..length]);
        Ok(length)
    }

    pub(super) fn write(&self, name: &str, offset: usize, data: &[u8]) -> Result<(), Refusal> {
        let mut state = self.state();
        let growth = (offset + data.len()).saturating_sub(state.file(name)?.live.len());
        if growth > 0 && state.capacity.is_some_and(|capacity| state.used() + growth > capacity) {
            return Err(Refusal::Full);
        }
        state.record(name, Change::Write { offset, data: data.to_vec() })
    }

    pub(super) fn truncate(&self, name: &str, length: usize) -> Result<(), Refusal> {
        self.state().record(name, Change::Resize(length))
    }

    pub(super) fn sync(&self, name: &str) -> Result<(), Refusal> {
        let mut state = self.state();
        state.change()?;
        if state.deaf {
            return Ok(());
        }
        let failing = state.failing_syncs > 0;
        state.failing_syncs = state.failing_syncs.saturating_sub(1);
        let file = state.file(name)?;
        let pending = std::mem::take(&mut file.pending);
        if failing {
            return Err(Refusal::Fault);
        }
        let durable = file.durable.get_or_insert_default();
        pending.iter().for_each(|change| change.apply(durable));
        state.ghosts.remove(name);
        Ok(())
    }

    pub(super) fn delete(&self, name: &str, durably: bool) -> Result<(), Refusal> {
        let mut state = self.state();
        state.file(name)?;
        state.change()?;
        let file = state.files.remove(name).ok_or(Refusal::Missing)?;
        if durably {
            state.ghosts.remove(name);
        } else {
            state.ghosts.insert(name.to_owned(), file);
        }
        Ok(())
    }
}

impl File {
    fn surviving(&self, all_lost: bool, random: &mut u64) -> Option<File> {
        let mut content = match &self.durable {
            Some(durable) => durable.clone(),
            None if all_lost || below(random, 2) == 0 => return None,
            None => Vec::new(),
        };
        if !all_lost {
            self.pending.iter().for_each(|change| change.tear(&mut content, random));
        }
        Some(File { live: content.clone(), durable: Some(content), pending: Vec::new() })
    }
}

impl State {
    fn used(&self) -> usize {
        self.files.values().map(|file| file.live.len()).sum()
    }

    fn file(&mut self, name: &str) -> Result<&mut File, Refusal> {
        if self.cut_after.is_some_and(|cut| self.operations > cut) {
            return Err(Refusal::Fault);
        }
        self.files.get_mut(name).ok_or(Refusal::Missing)
    }

    /// Counts a change and fails it when the power has gone.
    fn change(&mut self) -> Result<(), Refusal> {
        self.operations += 1;
        match self.cut_after {
            Some(cut) if self.operations > cut => Err(Refusal::Fault),
            _ => Ok(()),
        }
    }

    /// The change at which the power fails may have reached the medium as well.
    fn record(&mut self, name: &str, change: Change) -> Result<(), Refusal> {
        let file = self.file(name)?;
        change.apply(&mut file.live);
        file.pending.push(change);
        self.change()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(disk: &Disk) -> Option<usize> {
        disk.content("f").map(|content| content.len())
    }

    #[test]
    fn what_was_synced_survives() {
        for seed in 0..50 {
            let disk = Disk::new(seed);
            disk.create("f").unwrap();
            disk.write("f", 0, &[1; 2000]).unwrap();
            disk.sync("f").unwrap();
            disk.write("f", 3000, &[2; 2000]).unwrap();
            let found = disk.after_power_loss().content("f").unwrap();
            assert_eq!(&found[..2000], &[1; 2000]);
            assert_eq!(lengths(&disk), Some(5000));
        }
    }

    #[test]
    fn what_was_not_synced_is_kept_lost_or_torn() {
        let (mut kept, mut lost, mut torn) = (0, 0, 0);
        for seed in 0..200 {
            let disk = Disk::new(seed);
            disk.place("f", vec![0; 4096]);
            disk.write("f", 0, &[1; 4096]).unwrap();
            let found = disk.after_power_loss().content("f").unwrap();
            match found.iter().filter(|byte| **byte == 1).count() {
                0 => lost += 1,
                4096 => kept += 1,
                part => {
                    assert_eq!(part % SECTOR, 0);
                    torn += 1;
                }
            }
        }
        assert!(kept > 20 && lost > 20 && torn > 20, "{kept} {lost} {torn}");
    }

    #[test]
    fn the_power_fails_where_it_is_told_to() {
        let disk = Disk::new(1);
        disk.create("f").unwrap();
        disk.cut_after(2);
        disk.write("f", 0, b"a").unwrap();
        disk.sync("f").unwrap();
        assert!(!disk.is_cut());
        assert_eq!(disk.sync("f"), Err(Refusal::Fault));
        assert!(disk.is_cut());
        assert_eq!(disk.read("f", 0, &mut [0]), Err(Refusal::Fault));
        assert_eq!(disk.after_power_loss().content("f").unwrap(), b"a");
    }

    #[test]
    fn a_failed_sync_forgets_its_changes_for_good() {
        let disk = Disk::new(3);
        disk.place("f", b"old".to_vec());
        disk.write("f", 0, b"new").unwrap();
        disk.fail_syncs(1);
        assert_eq!(disk.sync("f"), Err(Refusal::Fault));
        assert_eq!(disk.sync("f"), Ok(()));
        assert_eq!(disk.content("f").unwrap(), b"new");
        assert_eq!(disk.after_power_loss().content("f").unwrap(), b"old");
    }

    #[test]
    fn a_full_disk_takes_no_growth() {
        let disk = Disk::new(3);
        disk.place("f", vec![0; 100]);
        disk.limit(Some(100));
        assert_eq!(disk.write("f", 50, &[1; 50]), Ok(()));
        assert_eq!(disk.write("f", 51, &[1; 50]), Err(Refusal::Full));
    }
}
