//! The sans-IO state machine of one instance.
