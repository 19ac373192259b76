//! Replay.
use crate::bridge::{Job, Stall, Step};
pub use crate::engine::task::TurnResult;
use crate::history::Event;
/// x
pub enum Next {
    /// x
    Jobs {
        /// x
        jobs: Vec<Job>,
        /// x
        more: bool,
    },
    /// x
    Done(TurnResult),
}
/// x
pub struct Replay;
impl Replay {
    /// x
    pub fn new(_: &str) -> Replay {
        Replay
    }
    /// x
    pub fn past(&mut self, _: Vec<Event>) {}
    /// x
    pub fn turn(&mut self, _: Vec<Event>) {}
    /// x
    pub fn next(&mut self, _: usize) -> Result<Next, Stall> {
        Ok(Next::Done(TurnResult::default()))
    }
    /// x
    pub fn apply(&mut self, _: Vec<Step>) -> Result<(), Stall> {
        Ok(())
    }
}
