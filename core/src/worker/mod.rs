//! Tasks for hosts.
pub mod replay;
