//! The client.

/// Starts workflows and asks about them.
pub struct Client {}
