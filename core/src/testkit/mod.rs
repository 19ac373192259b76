//! Tests for stores, components and hosts.

mod context;
mod expression;
pub mod host;
pub mod scratch;
mod script;
pub mod stores;
pub mod text;

pub use context::{ActivityOptions, ChildOptions, Ctx, Task};
