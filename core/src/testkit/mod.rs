//! Tests for stores, components and hosts.

pub mod scratch;
pub mod stores;
