//! The record of an instance: Dapr's history events, kept as bytes.

/// One event of a history.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {}
