//! What became of a start whose answer was lost.

use std::time::{Duration, Instant};

use super::connection::pause;
use crate::error::{ErrorKind, Result};
use crate::model::{Micros, WorkflowState};

/// An instance that was created so much before the start began is another one's, even if two clocks differ a little.
const SKEW: Duration = Duration::from_secs(5);
/// How long an instance is looked for that is not there: its start may be under way.
const SETTLED: Duration = Duration::from_millis(500);
/// How long it is asked when an instance was created that has not run yet: until then Dapr has no time of creation for it.
const PATIENCE: Duration = Duration::from_secs(10);

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

/// Finds out by what the sidecar has under the ID; `began` is when the start was sent. Dapr wipes a finished instance of
/// the ID and runs it anew, so a start is repeated only where it has certainly not landed.
pub(super) async fn landed<F>(look: impl Fn() -> F, began: Micros) -> Landed
where
    F: Future<Output = Result<WorkflowState>>,
{
    let since = Instant::now();
    for attempt in 1.. {
        let found = judge(&look().await, began);
        let patience = match found {
            Found::Since => return Landed::Yes,
            Found::Nothing => SETTLED,
            Found::Older => return Landed::No,
            Found::Untimed => PATIENCE,
            Found::Unclear => return Landed::Unclear,
        };
        if since.elapsed() >= patience {
            return if matches!(found, Found::Nothing) { Landed::No } else { Landed::Unclear };
        }
        tokio::time::sleep(pause(attempt)).await;
    }
    Landed::Unclear
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Since,
    Older,
    Nothing,
    /// There is one that has not run yet.
    Untimed,
    Unclear,
}

fn judge(found: &Result<WorkflowState>, began: Micros) -> Found {
    match found {
        Ok(state) if state.created_at >= began => Found::Since,
        Ok(state) if state.created_at.0 <= 0 => Found::Untimed,
        Ok(state) if state.created_at.plus(SKEW) < began => Found::Older,
        Ok(_) => Found::Unclear,
        Err(error) if error.kind() == ErrorKind::NotFound => Found::Nothing,
        Err(_) => Found::Unclear,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::error::Error;
    use crate::runtime::reactor::{handle, within};
    use crate::runtime::wait_on;

    #[test]
    fn the_time_of_creation_decides() {
        let began = Micros::from_millis(1_000_000);
        let at = |millis| {
            Ok(WorkflowState { created_at: Micros::from_millis(millis), ..WorkflowState::default() })
        };
        assert_eq!(judge(&at(1_000_000), began), Found::Since);
        assert_eq!(judge(&at(999_000), began), Found::Unclear);
        assert_eq!(judge(&at(900_000), began), Found::Older);
        assert_eq!(judge(&at(0), began), Found::Untimed);
        assert_eq!(judge(&Err(Error::new(ErrorKind::NotFound, "none")), began), Found::Nothing);
        assert_eq!(judge(&Err(Error::new(ErrorKind::Timeout, "late")), began), Found::Unclear);
    }

    #[test]
    fn what_is_under_way_is_waited_for() {
        let asked = Cell::new(0);
        let look = || {
            asked.set(asked.get() + 1);
            std::future::ready(match asked.get() {
                1 => Err(Error::new(ErrorKind::NotFound, "none")),
                2 => Ok(WorkflowState::default()),
                _ => Ok(WorkflowState { created_at: Micros(7), ..WorkflowState::default() }),
            })
        };
        let found = within(&handle().unwrap(), async { Ok(landed(look, Micros(5)).await) });
        assert_eq!(wait_on(found, Some(Duration::from_secs(30))).unwrap(), Landed::Yes);
    }
}
