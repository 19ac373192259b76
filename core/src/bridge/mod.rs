//! The text that crosses to a host.
