//! Options.

/// Options of a client.
#[derive(Clone, Debug, Default)]
pub struct ClientOptions {}
