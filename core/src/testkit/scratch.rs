//! Directories that tests may fill.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A new empty directory that is removed with everything in it when this is dropped.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes a directory in the system's place for temporary files.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it makes a directory")]
    pub fn new() -> Scratch {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("everstep-{}-{number}", std::process::id()));
        // A process that was killed and had the same number may have left one.
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("the directory for temporary files can be written");
        Scratch(path)
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.0
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A file system of one megabyte in a directory; gone when this is dropped. Only an administrator gets one.
#[derive(Debug)]
pub struct SmallDisk<'s>(&'s Path);

impl SmallDisk<'_> {
    /// Mounts one, if this user may.
    pub fn mount(directory: &Path) -> Option<SmallDisk<'_>> {
        let arguments = ["-t", "tmpfs", "-o", "size=1m", "tmpfs"];
        let done = Command::new("mount").args(arguments).arg(directory).output();
        done.is_ok_and(|output| output.status.success()).then_some(SmallDisk(directory))
    }

    /// Takes no more changes. Tried for a while: a process that another test is just starting holds open what is open
    /// here until its program begins.
    ///
    /// # Panics
    /// When the system refuses what it allowed before.
    pub fn make_read_only(&self) {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let done = Command::new("mount").args(["-o", "remount,ro"]).arg(self.0).output();
            let done = done.expect("a disk was mounted, so there is the program for it");
            if done.status.success() {
                return;
            }
            assert!(Instant::now() < until, "{done:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).output();
    }
}
