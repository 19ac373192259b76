//! What the connections to one file share in [`super::vfs`]: the file's lock and the memory of the log's index.
#![allow(unsafe_code)]

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::ffi;

/// The locks and memories of all files.
#[derive(Debug, Default)]
pub(super) struct Shared {
    files: Mutex<HashMap<String, Arc<Mutex<FileState>>>>,
}

#[derive(Debug, Default)]
struct FileState {
    next_holder: u64,
    levels: HashMap<u64, i32>,
    regions: Vec<Region>,
    mapped: u32,
    slots: [Slot; ffi::SQLITE_SHM_NLOCK as usize],
}

#[derive(Debug, Default)]
struct Slot {
    shared: u32,
    exclusive: bool,
}

/// Zeroed memory at an address that stays. SQLite alone reads and writes it.
#[derive(Debug)]
struct Region {
    address: *mut u64,
    words: usize,
}

// SAFETY: the memory is owned by the region and is never read or written from Rust.
unsafe impl Send for Region {}

impl Region {
    fn new(size: usize) -> Region {
        let words = size.div_ceil(8);
        Region { address: Box::into_raw(vec![0_u64; words].into_boxed_slice()).cast(), words }
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: `new` made it of a boxed slice of this length; regions are dropped when no connection has them mapped.
        drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(self.address, self.words)) });
    }
}

fn hold(state: &Mutex<FileState>) -> MutexGuard<'_, FileState> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn file(&self, name: &str) -> Arc<Mutex<FileState>> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(files.entry(name.to_owned()).or_default())
    }

    pub(super) fn locks(&self, name: &str) -> Locks {
        let file = self.file(name);
        let holder = {
            let mut state = hold(&file);
            state.next_holder += 1;
            state.next_holder
        };
        Locks { file, holder }
    }

    pub(super) fn memory(&self, name: &str) -> Memory {
        Memory { file: self.file(name), mapped: false, shared: 0, exclusive: 0 }
    }
}

/// One connection's lock on a file: none, shared, reserved, pending, exclusive.
#[derive(Debug)]
pub(super) struct Locks {
    file: Arc<Mutex<FileState>>,
    holder: u64,
}

impl Locks {
    /// Whether the level was reached.
    pub(super) fn raise(&self, level: i32) -> bool {
        let mut state = hold(&self.file);
        let others =
            state.levels.iter().filter(|(holder, _)| **holder != self.holder).map(|(_, level)| *level);
        let highest = others.max().unwrap_or(ffi::SQLITE_LOCK_NONE);
        let own = state.levels.get(&self.holder).copied().unwrap_or(ffi::SQLITE_LOCK_NONE);
        let allowed = match level {
            _ if own >= level => return true,
            ffi::SQLITE_LOCK_SHARED => highest < ffi::SQLITE_LOCK_PENDING,
            ffi::SQLITE_LOCK_EXCLUSIVE if highest == ffi::SQLITE_LOCK_SHARED => {
                state.levels.insert(self.holder, ffi::SQLITE_LOCK_PENDING);
                false
            }
            ffi::SQLITE_LOCK_EXCLUSIVE => highest == ffi::SQLITE_LOCK_NONE,
            _ => highest < ffi::SQLITE_LOCK_RESERVED,
        };
        if allowed {
            state.levels.insert(self.holder, level);
        }
        allowed
    }

    pub(super) fn lower(&self, level: i32) {
        hold(&self.file).levels.insert(self.holder, level);
    }

    pub(super) fn is_reserved(&self) -> bool {
        hold(&self.file).levels.values().any(|level| *level >= ffi::SQLITE_LOCK_RESERVED)
    }
}

impl Drop for Locks {
    fn drop(&mut self) {
        hold(&self.file).levels.remove(&self.holder);
    }
}

/// One connection's view of the shared memory, with the locks that it holds in it.
#[derive(Debug)]
pub(super) struct Memory {
    file: Arc<Mutex<FileState>>,
    mapped: bool,
    shared: u8,
    exclusive: u8,
}

impl Memory {
    pub(super) fn region(&mut self, index: usize, size: usize, extend: bool) -> Option<*mut u64> {
        let mut state = hold(&self.file);
        if !std::mem::replace(&mut self.mapped, true) {
            state.mapped += 1;
        }
        while extend && state.regions.len() <= index {
            state.regions.push(Region::new(size));
        }
        state.regions.get(index).map(|region| region.address)
    }

    /// Whether all of the slots were free for it.
    pub(super) fn lock(&mut self, slots: Range<usize>, exclusive: bool) -> bool {
        let mut state = hold(&self.file);
        let free = |slot: usize| {
            let (held, bit) = (&state.slots[slot], 1_u8 << slot);
            let by_others = held.shared - u32::from(self.shared & bit != 0);
            self.exclusive & bit != 0 || !held.exclusive && (!exclusive || by_others == 0)
        };
        if !slots.clone().all(free) {
            return false;
        }
        for slot in slots {
            let bit = 1_u8 << slot;
            if exclusive {
                state.slots[slot].exclusive = true;
                self.exclusive |= bit;
            } else if self.shared & bit == 0 {
                state.slots[slot].shared += 1;
                self.shared |= bit;
            }
        }
        true
    }

    pub(super) fn unlock(&mut self, slots: Range<usize>) {
        let mut state = hold(&self.file);
        for slot in slots {
            let bit = 1_u8 << slot;
            if self.exclusive & bit != 0 {
                state.slots[slot].exclusive = false;
            }
            if self.shared & bit != 0 {
                state.slots[slot].shared -= 1;
            }
            self.exclusive &= !bit;
            self.shared &= !bit;
        }
    }

    /// The first connection after the last one begins with zeroed memory, as on a file system.
    pub(super) fn unmap(&mut self) {
        self.unlock(0..ffi::SQLITE_SHM_NLOCK as usize);
        let mut state = hold(&self.file);
        if std::mem::replace(&mut self.mapped, false) {
            state.mapped -= 1;
        }
        if state.mapped == 0 {
            state.regions.clear();
        }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.unmap();
    }
}
