//! Patches: what the function asked for and was answered yes, against what history says of that.

use std::collections::VecDeque;

use crate::bridge::{Stall, StallCode};

/// The patches of one run, in the order in which they were first asked for.
#[derive(Default)]
pub(super) struct Patches {
    /// What the function has asked for, of the past and new.
    asked: Vec<String>,
    /// Patches of the history that the function has not asked for yet.
    due: VecDeque<String>,
    /// What it asked for in this turn for the first time.
    new: Vec<String>,
}

impl Patches {
    /// Takes in the patches of a past turn. Some SDKs record one as often as it is asked for.
    pub(super) fn note(&mut self, patches: &[String]) {
        for patch in patches {
            if !self.asked.contains(patch) && !self.due.contains(patch) {
                self.due.push_back(patch.clone());
            }
        }
    }

    /// The function asked for a patch and was answered yes; asking again changes nothing.
    ///
    /// # Errors
    /// `patch_mismatch` when it is not the next one of the history.
    pub(super) fn ask(&mut self, name: String, live: bool) -> Result<(), Stall> {
        if self.asked.contains(&name) {
            return Ok(());
        }
        match self.due.front() {
            Some(due) if *due == name => drop(self.due.pop_front()),
            Some(due) => {
                let message = format!(
                    "{}, but the function asks for {name:?} where {due:?} is next; keep the order of the patches",
                    self.shown()
                );
                return Err(Stall::new(StallCode::PatchMismatch, message));
            }
            None if live => self.new.push(name.clone()),
            None => {
                let message = format!("{}, but the function took {name:?} while it replays", self.shown());
                return Err(Stall::new(StallCode::PatchMismatch, message));
            }
        }
        self.asked.push(name);
        Ok(())
    }

    /// Checks that the function has asked for all that history has.
    ///
    /// # Errors
    /// `patch_mismatch` when it has not.
    pub(super) fn check_end(&self) -> Result<(), Stall> {
        let Some(due) = self.due.front() else { return Ok(()) };
        let message = format!(
            "{}, but the function asked for {:?} only; ask for {due:?} where it was asked for, until the runs that took \
             it have ended (the answer may be ignored)",
            self.shown(),
            self.asked
        );
        Err(Stall::new(StallCode::PatchMismatch, message))
    }

    /// Names a patch that may be why the function went another way than its history.
    pub(super) fn suspect(&self, mut stall: Stall) -> Stall {
        if let Some(due) = self.due.front() {
            stall.message += &format!("; {}, and {due:?} has not been asked for so far", self.shown());
        }
        stall
    }

    /// Takes what was asked for in this turn for the first time.
    pub(super) fn take_new(&mut self) -> Vec<String> {
        std::mem::take(&mut self.new)
    }

    /// All that was asked for, of the past and new.
    pub(super) fn all(&self) -> Vec<String> {
        self.asked.clone()
    }

    fn shown(&self) -> String {
        let all: Vec<&String> = self.asked.iter().chain(&self.due).collect();
        format!("history has the patches {all:?}")
    }
}
