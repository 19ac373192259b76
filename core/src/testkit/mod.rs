//! Tests for stores, components and hosts.
