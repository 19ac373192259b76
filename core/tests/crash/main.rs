//! Death, power loss and broken disks beneath a live engine: what was acknowledged is there afterwards, what was not is
//! told by a typed error.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends there, also in what its tests share")]

#[cfg(unix)]
mod child;
mod disk;
mod faults;
mod files;
#[cfg(unix)]
mod kill;
mod load;
mod orders;
#[cfg(unix)]
mod phase;
mod power;
#[cfg(unix)]
mod recovery;
mod refused;
mod register;
mod shared;
mod verify;

use std::time::Duration;

/// How long anything may take that must happen; far more than it does on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
