//! Histories and worker traffic recorded from a real Dapr, and what everstep adds to events: everything must be read
//! as it was meant, and kept as it came.

#![allow(clippy::unwrap_used, clippy::print_stdout, unreachable_pub)]

mod damage;
mod diagrams;
mod expect;
mod links;
mod own;
mod recorded;
#[cfg(feature = "testkit")]
mod replay;
mod rerun;
#[cfg(feature = "testkit")]
mod shapes;
mod traffic;
mod vectors;
#[cfg(feature = "testkit")]
mod wired;
#[cfg(feature = "testkit")]
mod worked;
