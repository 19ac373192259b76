//! What became of a start whose answer was lost.

use std::time::Duration;

use crate::error::{ErrorKind, Result};
use crate::model::{Micros, WorkflowState};

/// An instance that was created so much before the start began is another one's, even if two clocks differ a little.
const SKEW: Duration = Duration::from_secs(5);

/// Whether a start landed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Landed {
    /// The instance was created since.
    Yes,
    /// There is none, or an older one.
    No,
    /// It cannot be told.
    Unclear,
}

/// Judges by what the sidecar has under the ID now; `began` is when the start was sent. Dapr wipes a finished instance of
/// the ID and runs it anew, so a start is repeated only where it has certainly not landed.
pub(super) fn landed(found: &Result<WorkflowState>, began: Micros) -> Landed {
    match found {
        Ok(state) if state.created_at >= began => Landed::Yes,
        // One that has not run yet has no time of creation in Dapr.
        Ok(state) if state.created_at.0 > 0 && state.created_at.plus(SKEW) < began => Landed::No,
        Err(error) if error.kind() == ErrorKind::NotFound => Landed::No,
        _ => Landed::Unclear,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn the_time_of_creation_decides() {
        let began = Micros::from_millis(1_000_000);
        let at = |millis| {
            Ok(WorkflowState { created_at: Micros::from_millis(millis), ..WorkflowState::default() })
        };
        assert_eq!(landed(&at(1_000_000), began), Landed::Yes);
        assert_eq!(landed(&at(999_000), began), Landed::Unclear);
        assert_eq!(landed(&at(900_000), began), Landed::No);
        assert_eq!(landed(&at(0), began), Landed::Unclear);
        assert_eq!(landed(&Err(Error::new(ErrorKind::NotFound, "none")), began), Landed::No);
        assert_eq!(landed(&Err(Error::new(ErrorKind::Timeout, "late")), began), Landed::Unclear);
    }
}
