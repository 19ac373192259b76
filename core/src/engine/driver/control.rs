//! What callers ask of one instance, and what instances tell each other.

use super::*;
use crate::engine::machine::child_failure;

impl Driver {
    pub(super) fn control(&mut self, id: &str, control: Control, reply: Reply<()>) {
        let found = self.lookup(id).and_then(|found| match found {
            Some((key, _)) => Ok(self.summon(key)?.then_some(key)),
            None => Ok(None),
        });
        let key = match found {
            Ok(Some(key)) => key,
            Ok(None) => return drop(reply.send(Err(not_found(id)))),
            Err(error) => return drop(reply.send(Err(error))),
        };
        if matches!(control, Control::Pause(_)) {
            self.withdraw_turn(key);
        }
        self.at(key, |machine, context, effects| match control {
            Control::Raise { name, data } => machine.raise(name, data, context, effects),
            Control::Pause(reason) => machine.suspend(reason, context, effects),
            Control::Resume(reason) => machine.resume(reason, context, effects),
            Control::Terminate { output, recursive } => {
                machine.terminate(output, recursive, context, effects);
            }
        });
        self.round.answers.push(Answer::Done(reply));
    }

    /// A turn that no worker has taken yet must not hold a pause up: without a worker that would be for ever.
    pub(super) fn withdraw_turn(&mut self, key: Key) {
        let Some(slot) = self.machines.get_mut(&key) else { return };
        let run = slot.machine.run();
        let queued = self.round.tasks.len() + self.round.tasks_after.len();
        self.round.tasks.retain(|task| task.run != run);
        self.round.tasks_after.retain(|task| task.run != run);
        let left = self.round.tasks.len() + self.round.tasks_after.len();
        if left < queued || self.dispatch.withdraw(run) {
            slot.machine.turn_withdrawn();
        }
    }

    /// Messages between instances belong to the same transaction.
    pub(super) fn deliver_messages(&mut self) {
        while let Some(message) = self.round.messages.pop_front() {
            if let Err(error) = self.deliver(message) {
                return self.fail(error);
            }
        }
    }

    pub(super) fn deliver(&mut self, message: Message) -> Result<()> {
        match message {
            Message::Start(new) => {
                let parent = new.parent.as_ref().map(|parent| parent.link.clone());
                let id = new.id.clone();
                match self.create(*new, false) {
                    Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                        let Some(parent) = parent else { return Ok(()) };
                        let message = format!(
                            "a workflow instance with the child's ID {id:?} exists and has not finished"
                        );
                        let failure = child_failure("WorkflowAlreadyExists", message);
                        self.deliver(Message::ChildDone { parent, result: Err(failure) })
                    }
                    other => other.map(drop),
                }
            }
            Message::ChildDone { parent, result } => {
                if self.summon(parent.key)? {
                    self.at(parent.key, |machine, context, effects| {
                        if machine.run().generation == parent.generation {
                            machine.child_done(parent.task_id, result, context, effects);
                        }
                    });
                }
                Ok(())
            }
            Message::Raise { instance_id, name, data } => {
                if let Some((key, _)) = self.lookup(&instance_id)?
                    && self.summon(key)?
                {
                    self.at(key, |machine, context, effects| machine.raise(name, data, context, effects));
                }
                Ok(())
            }
        }
    }
}
