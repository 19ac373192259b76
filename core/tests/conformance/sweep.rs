//! What a case leaves behind on a sidecar is ended and taken away, so that the next one finds nothing.

use std::time::Duration;

use everstep::model::{ListRequest, WorkflowState};
use everstep::runtime::wait_on;
use everstep::{Client, Error};

/// How long a round waits for one instance.
const PATIENCE: Duration = Duration::from_secs(10);
/// Ending an instance may bring children to light.
const ROUNDS: usize = 4;

/// Ends and purges all instances; a worker must be connected.
pub(crate) fn sweep(client: &Client) -> Result<(), String> {
    let mut left = Vec::new();
    for _ in 0..ROUNDS {
        left = all(client).map_err(|error| format!("the leftovers cannot be listed: {error}"))?;
        if left.is_empty() {
            return Ok(());
        }
        for state in &left {
            // What went away with its parent meanwhile, or ends late, is seen in the next round.
            let _ = end(client, state);
        }
    }
    let named: Vec<String> = left
        .iter()
        .map(|state| format!("{} ({} {})", state.instance_id, state.name, state.status.name()))
        .collect();
    Err(format!("these cannot be taken away: {}", named.join(", ")))
}

fn all(client: &Client) -> Result<Vec<WorkflowState>, Error> {
    let (mut states, mut cursor) = (Vec::new(), None);
    loop {
        let request = ListRequest { limit: Some(1000), cursor, ..ListRequest::default() };
        let page = wait_on(client.list(None, request), Some(PATIENCE))?;
        states.extend(page.states);
        cursor = page.cursor;
        if cursor.is_none() {
            return Ok(states);
        }
    }
}

fn end(client: &Client, state: &WorkflowState) -> Result<(), Error> {
    let id = &state.instance_id;
    if !state.status.is_terminal() {
        wait_on(client.terminate(None, id, None, true), Some(PATIENCE))?;
        wait_on(client.wait_for_completion(None, id, Some(PATIENCE), false), Some(PATIENCE))?;
    }
    wait_on(client.purge(None, id, false), Some(PATIENCE)).map(drop)
}
