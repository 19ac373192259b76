//! Every reader of the test kit over the corpus of `fuzz/` and over what is made of it by damage: no panic, and no more memory
//! than the input allows.

#![allow(clippy::unwrap_used, unreachable_pub)]

use std::fs;
use std::path::PathBuf;

use everstep::testkit::fuzz::{TARGETS, Target};

mod counted {
    //! Counts what this thread has allocated and not freed.
    #![allow(unsafe_code)]

    use std::alloc::{GlobalAlloc, Layout, System};
    use std::cell::Cell;

    struct Counted;

    #[global_allocator]
    static COUNTED: Counted = Counted;

    thread_local! {
        static HELD: Cell<usize> = const { Cell::new(0) };
        static MOST: Cell<usize> = const { Cell::new(0) };
    }

    fn grown(size: usize) {
        // A thread that ends has no counters any more.
        let _ = HELD.try_with(|held| {
            held.set(held.get().wrapping_add(size));
            let _ = MOST.try_with(|most| most.set(most.get().max(held.get())));
        });
    }

    fn shrunk(size: usize) {
        let _ = HELD.try_with(|held| held.set(held.get().saturating_sub(size)));
    }

    // SAFETY: every call is passed on to the system's allocator as it came; the counters are plain cells of the thread and
    // allocate nothing.
    unsafe impl GlobalAlloc for Counted {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            grown(layout.size());
            // SAFETY: the caller's promises are the system allocator's.
            unsafe { System.alloc(layout) }
        }

        unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
            shrunk(layout.size());
            // SAFETY: as above.
            unsafe { System.dealloc(pointer, layout) }
        }

        unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
            grown(size);
            shrunk(layout.size());
            // SAFETY: as above.
            unsafe { System.realloc(pointer, layout, size) }
        }
    }

    /// Runs something; gives the most memory that it held at a time, in bytes.
    pub fn most(run: impl FnOnce()) -> usize {
        let before = HELD.get();
        MOST.set(before);
        run();
        MOST.get() - before
    }
}

/// What a reader may hold whatever it reads, and for each byte that it reads. An event of two bytes becomes a struct of
/// hundreds, so the second is large; what counts is that a length without its bytes costs nothing.
const ONCE: usize = 512 << 10;
const PER_BYTE: usize = 600;

fn corpus(target: &Target) -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target.name);
    let mut files: Vec<(String, Vec<u8>)> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| {
            let entry = entry.unwrap();
            let name = format!("{}/{}", target.name, entry.file_name().into_string().unwrap());
            (name, fs::read(entry.path()).unwrap())
        })
        .collect();
    files.sort();
    files
}

fn run(target: &Target, name: &str, what: &str, bytes: &[u8]) {
    let done = std::panic::catch_unwind(|| counted::most(|| (target.run)(bytes)));
    let Ok(most) = done else { panic!("{name}, {what}: the reader panics on {bytes:x?}") };
    let allowed = ONCE + PER_BYTE * bytes.len();
    assert!(most <= allowed, "{name}, {what}: {} bytes took {most} bytes of memory", bytes.len());
}

/// Places all over a file, at most this many.
fn places(length: usize, most: usize) -> impl Iterator<Item = usize> {
    (0..length).step_by((length / most).max(1))
}

#[test]
fn every_reader_bears_its_corpus() {
    let mut count = 0;
    for target in &TARGETS {
        let files = corpus(target);
        assert!(files.len() >= 5, "{} has {} files", target.name, files.len());
        for (name, bytes) in files {
            run(target, &name, "whole", &bytes);
            count += 1;
        }
    }
    assert!(count > 300, "{count} files");
}

#[test]
fn every_reader_bears_files_that_end_early() {
    for target in &TARGETS {
        for (name, bytes) in corpus(target) {
            for end in places(bytes.len(), 60) {
                run(target, &name, &format!("the first {end} bytes"), &bytes[..end]);
            }
        }
    }
}

#[test]
fn every_reader_bears_flipped_bits() {
    for target in &TARGETS {
        for (name, bytes) in corpus(target) {
            for at in places(bytes.len(), 40) {
                for bit in [1, 4, 0x10, 0x80] {
                    let mut damaged = bytes.clone();
                    damaged[at] ^= bit;
                    run(target, &name, &format!("bit {bit:#x} of byte {at}"), &damaged);
                }
            }
        }
    }
}

/// Lengths of 127 bytes, 268 MB, 2 GiB and more than there can be, in the place of any byte.
#[test]
fn a_length_without_its_bytes_costs_nothing() {
    const BOMBS: [&[u8]; 4] =
        [b"\x7f", b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff\x07", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"];
    for target in &TARGETS {
        for (name, bytes) in corpus(target) {
            for at in places(bytes.len(), 40) {
                for bomb in BOMBS {
                    let damaged = [&bytes[..at], bomb, &bytes[at + 1..]].concat();
                    run(target, &name, &format!("a length at byte {at}"), &damaged);
                }
            }
        }
    }
}

/// Parts of one file in another, at their borders.
#[test]
fn every_reader_bears_files_that_are_mixed() {
    for target in &TARGETS {
        let files = corpus(target);
        for ((name, left), (other, right)) in files.iter().zip(files.iter().skip(1)) {
            for at in places(left.len().min(right.len()), 20) {
                let mixed = [&left[..at], &right[at..]].concat();
                run(target, name, &format!("with {other} from byte {at}"), &mixed);
            }
        }
    }
}

#[test]
fn every_reader_is_a_target_of_the_fuzzer() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    for target in &TARGETS {
        let path = format!("fuzz_targets/{}.rs", target.name);
        assert!(manifest.contains(&format!("path = \"{path}\"")), "{path} is missing in Cargo.toml");
        assert!(fs::read_to_string(root.join(&path)).unwrap().contains("fuzz_target!"), "{path}");
    }
    assert_eq!(manifest.matches("[[bin]]").count(), TARGETS.len());
}

/// The count of what is allocated is one: an allocation is seen.
#[test]
fn memory_is_counted() {
    let most = counted::most(|| drop(std::hint::black_box(vec![0_u8; 1 << 20])));
    assert!((1 << 20..2 << 20).contains(&most), "{most}");
}
