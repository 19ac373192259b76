//! New instances.

use super::*;
use crate::engine::machine::{NewInstance, create};
use crate::model::{Reuse, StartRequest};

impl Driver {
    pub(super) fn start(&mut self, request: StartRequest, reply: Reply<Started>) {
        let reuse = request.reuse;
        let new = NewInstance {
            id: request.instance_id.unwrap_or_default(),
            name: request.name,
            input: request.input,
            version: request.version,
            tags: request.tags,
            start_at: request.start_at,
            parent: None,
        };
        match self.create(new, reuse == Reuse::Never) {
            Ok(started) => self.round.answers.push(Answer::Started(reply, started)),
            Err(error) => drop(reply.send(Err(error))),
        }
    }

    /// Creates an instance, in the place of a finished one of the same ID unless `unique`.
    pub(super) fn create(&mut self, new: NewInstance, unique: bool) -> Result<Started> {
        if let Some((key, status)) = self.lookup(&new.id)? {
            if !status.is_terminal() {
                let text = "a workflow instance with this ID exists and has not finished; choose another ID, or terminate it first";
                return Err(Error::new(ErrorKind::AlreadyExists, text).of_instance(new.id));
            }
            if unique {
                let text = "a finished workflow instance has this ID and the start must not replace it; choose another ID, or purge it first";
                return Err(Error::new(ErrorKind::AlreadyExists, text).of_instance(new.id));
            }
            self.delete(key, &new.id)?;
        }
        let mut context = Context { now: self.now, ids: &mut self.ids };
        let mut effects = std::mem::take(&mut self.effects);
        let machine = create(new, &mut context, &mut effects);
        let started = Started {
            instance_id: machine.instance_id().to_string(),
            execution_id: Some(machine.execution_id().to_string()),
        };
        let key = machine.key();
        self.insert(machine);
        if let Some(slot) = self.machines.get_mut(&key) {
            slot.touched = self.number;
        }
        self.round.touched.push(key);
        self.absorb(key, &mut effects);
        self.effects = effects;
        Ok(started)
    }
}
