//! The raw log: records with length and checksum, one after the other into a preallocated file, one fdatasync per batch.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::run::{Failure, Log};
use crate::workload::{COMMITS, Commit};

/// Bytes of the file; the log begins again at its front when it is full.
const SIZE: u64 = 64 << 20;

/// The log of one run; its file is gone when it is dropped.
pub(crate) struct RawLog {
    file: File,
    path: PathBuf,
    at: u64,
    batch: Vec<u8>,
}

impl RawLog {
    pub(crate) fn create(dir: &Path) -> std::io::Result<Self> {
        let path = dir.join("floor-raw.log");
        let file = preallocated(&path, SIZE)?;
        Ok(Self { file, path, at: 0, batch: Vec::new() })
    }
}

impl Log for RawLog {
    const LINGER: Option<Duration> = None;

    fn write(&mut self, commits: &[Commit]) -> Result<(), Failure> {
        self.batch.clear();
        for commit in commits {
            self.batch.extend_from_slice(&commit.workflow.to_le_bytes());
            self.batch.extend_from_slice(&(commit.record.len() as u32).to_le_bytes());
            self.batch.extend_from_slice(&checksum(&commit.record).to_le_bytes());
            self.batch.extend_from_slice(&commit.record);
        }
        if self.at + self.batch.len() as u64 > SIZE {
            self.at = 0;
        }
        self.file.seek(SeekFrom::Start(self.at))?;
        self.file.write_all(&self.batch)?;
        self.file.sync_data()?;
        self.at += self.batch.len() as u64;
        Ok(())
    }

    fn check(mut self, workflows: usize, commits: usize) -> Result<(), Failure> {
        let mut last = vec![0; self.batch.len()];
        self.file.seek(SeekFrom::Start(self.at - self.batch.len() as u64))?;
        self.file.read_exact(&mut last)?;
        if last != self.batch || commits != workflows * COMMITS {
            return Err(
                format!("raw log: {commits} commits for {workflows} workflows, or other bytes").into()
            );
        }
        Ok(())
    }
}

impl Drop for RawLog {
    fn drop(&mut self) {
        // A file that stays behind is written over by the next run.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// What tells a torn record from a whole one (FNV-1a).
fn checksum(record: &[u8]) -> u64 {
    record
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |sum, &byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A file of `size` zero bytes that are on the disk, so that later writes change no metadata but its times.
pub(crate) fn preallocated(path: &Path, size: u64) -> std::io::Result<File> {
    let mut file = File::options().read(true).write(true).create(true).truncate(true).open(path)?;
    let zeros = vec![0; 1 << 20];
    for _ in 0..size >> 20 {
        file.write_all(&zeros)?;
    }
    file.sync_all()?;
    Ok(file)
}
