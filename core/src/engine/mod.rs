//! The embedded durable engine: machine (sans-IO), driver (the one thread), store.

pub mod machine;
pub mod store;
