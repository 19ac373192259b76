//! The end of a round: one transaction, and what leaves after its flush.

use super::*;

impl Driver {
    /// Writes the round and releases what waited. Gives whether anything was written.
    pub(super) fn commit(&mut self) -> bool {
        if self.broken.is_some() {
            return false;
        }
        self.collect_rows();
        let mut round = std::mem::take(&mut self.round);
        // Turns do not wait for the flush: all that they can do comes back through here.
        self.dispatch.turns(round.tasks.drain(..));
        if mutant!("acknowledge_before_flush") {
            round.answers.drain(..).for_each(Answer::send);
        }
        let wrote = !round.ops.is_empty();
        if wrote && let Err(error) = self.store.commit(&round.ops) {
            self.round = round;
            self.fail(error);
            return false;
        }
        if wrote {
            self.find_room();
        }
        self.release(&mut round);
        round.clear();
        self.round = round;
        self.evict_machines();
        wrote
    }

    /// The changed rows of all machines that the round touched.
    fn collect_rows(&mut self) {
        let mut effects = std::mem::take(&mut self.effects);
        for key in &self.round.touched {
            if let Some(slot) = self.machines.get_mut(key) {
                slot.machine.flush(&mut effects);
            }
        }
        for effect in effects.drain(..) {
            if let Effect::Store(op) = effect {
                self.round.ops.push(op);
            }
        }
        self.effects = effects;
    }

    fn release(&mut self, round: &mut Round) {
        let mut states = Vec::with_capacity(round.touched.len());
        for key in round.touched.drain(..) {
            let Some(slot) = self.machines.get_mut(&key) else { continue };
            let machine = &mut slot.machine;
            // A staged result changes nothing that callers see.
            if machine.take_news() {
                states.push((machine.instance_id().clone(), machine.snapshot()));
            }
            if machine.is_finished() && machine.is_idle() {
                self.remove(key);
            }
        }
        // Gone first: an instance may have come in the place of a purged one.
        for id in &round.purged {
            self.hub.gone(id);
        }
        self.hub.publish(states);
        self.dispatch.stop(&round.stops);
        self.dispatch.activities(round.activities.drain(..));
        self.dispatch.turns(round.tasks_after.drain(..));
        round.answers.drain(..).for_each(Answer::send);
    }

    /// Nothing of the round happened: machines that it touched are rebuilt from the store, callers get the error.
    pub(super) fn fail(&mut self, error: Error) {
        let round = std::mem::take(&mut self.round);
        for answer in round.answers {
            answer.fail(&error);
        }
        // What goes on in slices begins anew from what the store has: its last slice, or what asked for it, is not there.
        let recursions = std::mem::take(&mut self.recursions).into_iter().map(|(key, _)| key);
        for key in round.touched.into_iter().chain(round.gone).chain(recursions) {
            if let Some(machine) = self.remove(key) {
                self.dispatch.evict(machine.run(), Evict::Stalled);
            }
            self.reload.insert(key);
        }
        for purge in self.purges.drain(..) {
            purge.fail(&error);
        }
        // One that is refused while others wait already does not put them off.
        if self.reload_at <= self.now {
            self.reload_at = self.now.plus(self.backoff);
            self.backoff = (self.backoff * 2).min(LONGEST_BACKOFF);
        }
        // A full disk may have room again; after any other fault of the store nothing can be trusted but a new opening.
        if error.kind() != ErrorKind::ResourceExhausted {
            self.stop(error);
        }
    }

    /// A commit went through: there is room again for what waits.
    fn find_room(&mut self) {
        if self.backoff > BACKOFF {
            self.backoff = BACKOFF;
            self.reload_at = self.now;
        }
    }

    /// Stops for good: every call from now on gets the error.
    pub(super) fn stop(&mut self, error: Error) {
        self.hub.close(&error);
        self.bulks.fail(&error);
        self.machines.clear();
        self.by_id.clear();
        self.reload.clear();
        self.recursions.clear();
        self.staged.clear();
        self.stalled.clear();
        self.broken = Some(error);
    }
}
