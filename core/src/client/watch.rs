//! Watching instances.

use super::Client;
use super::wait::same_run;
use crate::component::Pending;
use crate::model::{Change, Seen};

impl Client {
    /// Waits for the next change of an instance: another status, custom status, output, failure or reason, the first turn, a
    /// new input (of a later generation or another run), another version. Begin without `seen` to get the present state at
    /// once, then give back what each change says; a turn that changes none of these is no change. Nothing is polled.
    ///
    /// Who is slow gets the latest state, so some may be passed over. The final state never is, and after it the answer is
    /// `None`, at once. With an execution ID it watches that run and no other. Stalled or paused is not final.
    ///
    /// # Errors
    /// `invalid_argument`, `not_found` (also when another run has taken the instance ID over, or the instance is purged),
    /// `closed`, `store_locked` where another process owns the file.
    pub fn next_change(
        &self,
        component: Option<&str>,
        instance_id: &str,
        execution_id: Option<&str>,
        seen: Option<Seen>,
        payloads: bool,
    ) -> Pending<'static, Option<Change>> {
        let run = execution_id.map(str::to_owned);
        self.waiting("watch_workflow", component, instance_id, move |component, id| {
            Box::pin(async move {
                if seen.is_some_and(Seen::is_last) {
                    return Ok(None);
                }
                let change = component.next_change(id, seen, payloads).await?;
                same_run(&change.state, run.as_deref())?;
                Ok(Some(change))
            })
        })
    }
}
