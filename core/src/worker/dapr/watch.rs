//! The one timer of a hub: it ends the waiting for names and versions that no worker has.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use futures_channel::oneshot;

use super::hub::Hub;

/// Wakes the watch.
#[derive(Default)]
pub(super) struct Alarm(Mutex<Option<oneshot::Sender<()>>>);

impl Alarm {
    fn set(&self) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        receiver
    }

    fn ring(&self) {
        if let Some(sender) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = sender.send(());
        }
    }
}

impl Hub {
    /// Has the watch look again, if somebody waits for what no worker has.
    pub(super) fn look(&self) {
        if self.dispatch.next_overdue().is_some() {
            self.watch.ring();
        }
    }
}

/// Runs until the hub closes.
pub(super) async fn keep(hub: Arc<Hub>) {
    loop {
        let mut rung = hub.watch.set();
        match hub.dispatch.next_overdue() {
            Some(at) if at <= Instant::now() => hub.give_up(),
            Some(at) => {
                let left = at.saturating_duration_since(Instant::now());
                let _ = tokio::time::timeout(left, &mut rung).await;
            }
            None => {
                let _ = rung.await;
            }
        }
    }
}
