//! The worker at a sidecar that breaks down as the test wants: on the wire, without a real runtime.

#![allow(clippy::unwrap_used, unreachable_pub)]

mod answers;
mod bench;
mod connection;
mod delivery;
mod histories;
mod limits;
