//! Tests for stores, components and hosts.

pub mod stores;
