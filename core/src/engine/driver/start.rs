//! New instances: started, created by another one, or made of a part of a finished one.

use super::*;
use crate::engine::machine::{NewInstance, Rerun, create, rerun};
use crate::model::{RerunRequest, Reuse, StartRequest};

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
        Ok(self.adopt(machine, effects))
    }

    /// Goes on from an event of a finished instance: one that is made of a part of its record, in this round's commit.
    pub(super) fn rerun(&mut self, request: RerunRequest, reply: Reply<Started>) {
        let id = request.instance_id.clone();
        match self.repeat(request) {
            Ok(started) => self.round.answers.push(Answer::Started(reply, started)),
            Err(error) => drop(reply.send(Err(error.of_instance(id)))),
        }
    }

    fn repeat(&mut self, request: RerunRequest) -> Result<Started> {
        let new_id = request.new_instance_id.unwrap_or_default();
        let Some((key, status)) = self.lookup(&request.instance_id)? else {
            return Err(not_found(&request.instance_id));
        };
        if !status.is_terminal() {
            let text = format!(
                "the workflow instance has not finished (it is {status}); wait for its end, or terminate it first"
            );
            return Err(Error::new(ErrorKind::FailedPrecondition, text));
        }
        if self.lookup(&new_id)?.is_some() {
            let text = "a workflow instance with the new ID exists; choose another ID, or purge it first";
            return Err(Error::new(ErrorKind::AlreadyExists, text).of_instance(new_id));
        }
        let Some(source) = self.loaded(key)? else { return Err(not_found(&request.instance_id)) };
        if let Some(parent) = &source.row.parent {
            let text =
                format!("a child workflow cannot be rerun alone; rerun its parent {:?}", parent.instance_id);
            return Err(Error::invalid(text));
        }
        let mut effects = std::mem::take(&mut self.effects);
        let mut context = Context { now: self.now, ids: &mut self.ids };
        let asked = Rerun { id: new_id, from: request.from_event, input: request.input };
        let machine = rerun(&source, asked, &mut context, &mut effects)?;
        Ok(self.adopt(machine, effects))
    }

    /// Takes a new machine in, with what it begins with.
    fn adopt(&mut self, machine: Machine, mut effects: Vec<Effect>) -> Started {
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
        started
    }
}
