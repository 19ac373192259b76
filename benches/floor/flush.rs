//! What one flush costs: 4, 8 and 16 KiB into a preallocated file, then fdatasync.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::raw::preallocated;
use crate::run::percentile;

const SIZE: u64 = 16 << 20;
const SAMPLES: usize = 2000;

/// The times of single flushes.
pub(crate) struct Flush {
    pub(crate) samples: usize,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
}

/// Measures up to 2,000 flushes, for `span` at most.
pub(crate) fn measure(dir: &Path, span: Duration) -> std::io::Result<Flush> {
    let path = dir.join("floor-flush.log");
    let mut file = preallocated(&path, SIZE)?;
    let bytes = vec![0xa5; 16 << 10];
    let (began, mut at, mut took) = (Instant::now(), 0, Vec::with_capacity(SAMPLES));
    for size in [4 << 10, 8 << 10, 16 << 10].into_iter().cycle().take(SAMPLES) {
        if began.elapsed() > span {
            break;
        }
        if at + size as u64 > SIZE {
            at = 0;
        }
        let before = Instant::now();
        file.seek(SeekFrom::Start(at))?;
        file.write_all(&bytes[..size])?;
        file.sync_data()?;
        took.push(before.elapsed());
        at += size as u64;
    }
    std::fs::remove_file(&path)?;
    took.sort_unstable();
    Ok(Flush { samples: took.len(), p50_us: percentile(&took, 0.50), p99_us: percentile(&took, 0.99) })
}
