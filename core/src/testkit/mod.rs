//! Tests for stores, components and hosts.

mod context;
pub mod disk;
mod expression;
mod fan_out;
#[cfg(feature = "testkit")]
pub mod fuzz;
mod group;
pub mod host;
pub mod mutants;
pub mod scratch;
mod script;
#[cfg(feature = "testkit")]
pub mod sidecar;
pub mod simulation;
pub mod stores;
pub mod text;
pub mod vfs;
mod vfs_shared;
pub mod workers;

pub use context::{ActivityOptions, ChildOptions, Ctx, Task};
