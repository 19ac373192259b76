//! Components by name.

/// The components of a client, by name.
#[derive(Default)]
pub struct Registry {}
