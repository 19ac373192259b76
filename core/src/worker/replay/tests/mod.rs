//! Tests of the replay machine against a scripted host. The bench plays the engine: it writes turns as an engine does.

mod bench;
mod dialect;
mod events;
mod mismatch;
mod order;

mod table;
