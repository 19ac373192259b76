//! What a watch has seen of an instance, and what makes a state news.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::{Failure, Micros, RuntimeStatus, WorkflowState};
use crate::error::Error;

/// A state that a watch had not given yet, and how to ask for the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The state as of now. States in between may have been passed over; the final one never is.
    pub state: WorkflowState,
    /// What to say that was seen, to get the next change.
    pub seen: Seen,
}

/// What a watch has seen of an instance. As text it is opaque, and means something to the component that gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// A number for everything that makes a state a change.
    pub(crate) print: u64,
    /// Whether it was a final state, so that nothing comes after it.
    pub(crate) last: bool,
}

impl Seen {
    /// Whether the watch is over.
    pub const fn is_last(self) -> bool {
        self.last
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{}", self.print, if self.last { "." } else { "" })
    }
}

impl std::str::FromStr for Seen {
    type Err = Error;

    /// # Errors
    /// `invalid_argument` for what no change gave.
    fn from_str(text: &str) -> Result<Seen, Self::Err> {
        let (digits, last) = text.strip_suffix('.').map_or((text, false), |digits| (digits, true));
        let print = u64::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 16);
        let wrong = || Error::invalid("seen is not what a change of this watch gave; begin without it");
        print.map(|print| Seen { print, last }).ok_or_else(wrong)
    }
}

/// What makes a state a change to whoever watches: the run, its input (a later generation has its own), where it stands and
/// why, and what it says or gave. Not the time alone: a turn that changes nothing else is no news.
#[derive(Hash)]
pub(crate) struct Look<'a> {
    /// What tells one run from another.
    pub(crate) run: (Option<&'a str>, Micros),
    pub(crate) input: Option<&'a str>,
    pub(crate) version: Option<&'a str>,
    pub(crate) status: RuntimeStatus,
    pub(crate) started: bool,
    pub(crate) custom_status: Option<&'a str>,
    pub(crate) output: Option<&'a str>,
    pub(crate) reason: Option<&'a str>,
    pub(crate) failure: Option<&'a Failure>,
}

impl<'a> Look<'a> {
    /// How a state with its payloads looks.
    pub(crate) fn of(state: &'a WorkflowState) -> Look<'a> {
        Look {
            run: (state.execution_id.as_deref(), state.created_at),
            input: state.input.as_deref(),
            version: state.version.as_deref(),
            status: state.status,
            started: state.started_at.is_some(),
            custom_status: state.custom_status.as_deref(),
            output: state.output.as_deref(),
            reason: state.reason.as_deref(),
            failure: state.failure.as_ref(),
        }
    }

    /// A number for all of it.
    pub(crate) fn print(&self) -> u64 {
        let mut hash = DefaultHasher::new();
        self.hash(&mut hash);
        hash.finish()
    }

    /// What a watch has seen that saw this.
    pub(crate) fn seen(&self) -> Seen {
        Seen { print: self.print(), last: self.status.is_terminal() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_news_by_what_it_says() {
        let state =
            WorkflowState { name: "flow".into(), input: Some("1".into()), ..WorkflowState::default() };
        let seen = |change: &dyn Fn(&mut WorkflowState)| {
            let mut changed = state.clone();
            change(&mut changed);
            Look::of(&changed).seen()
        };
        let before = seen(&|_| {});
        let news: [&dyn Fn(&mut WorkflowState); 7] = [
            &|state| state.status = RuntimeStatus::Running,
            &|state| state.custom_status = Some("half".into()),
            &|state| state.output = Some("1".into()),
            &|state| state.input = Some("2".into()),
            &|state| state.created_at = Micros(1),
            &|state| state.version = Some("v2".into()),
            &|state| state.failure = Some(Failure { message: "bad".into(), ..Failure::default() }),
        ];
        for change in news {
            assert_ne!(seen(change), before);
        }
        assert_eq!(seen(&|state| state.last_updated_at = Micros(9)), before);
        assert!(seen(&|state| state.status = RuntimeStatus::Completed).is_last());
        assert_eq!(before.to_string().parse::<Seen>().unwrap(), before);
    }
}
