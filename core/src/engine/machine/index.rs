//! Rebuilding a row and the timers from the turns and the inbox: what the record is worth if all beside it is lost.

use super::load::{Kind, kind};
use super::*;
use crate::engine::store::Loaded;
use crate::error::Result;

impl Machine {
    /// The row and the timers that an instance must have. Of the row that is there only what never changes counts (`key`,
    /// `id`, `created_at`, `start_at`, `parent`) and its `generation`; of `updated_at` the record knows the latest event.
    ///
    /// # Errors
    /// `store_corrupt` if a record cannot be read.
    pub fn index(loaded: &Loaded) -> Result<(InstanceRow, Vec<TimerRow>)> {
        let (machine, timers) = Machine::rebuild(loaded)?;
        Ok((machine.row, timers))
    }

    /// The machine with the row that its turns and inbox say, and the timers.
    pub(super) fn rebuild(loaded: &Loaded) -> Result<(Machine, Vec<TimerRow>)> {
        let InstanceRow { key, id, created_at, start_at, parent, generation, .. } = loaded.row.clone();
        let mut row = InstanceRow {
            status: RuntimeStatus::Pending,
            updated_at: created_at,
            ..InstanceRow { key, id, created_at, start_at, parent, generation, ..InstanceRow::default() }
        };
        for waiting in &loaded.inbox {
            let event = Event::decode(waiting.event.clone())?;
            row.index_start(&event);
            row.updated_at = row.updated_at.max(event.timestamp());
        }
        let mut stalled = false;
        for (number, data) in &loaded.turns {
            let events = record::unframe(data)?;
            events.iter().for_each(|event| row.index_start(event));
            row.next_turn = number + 1;
            if kind(&events) == Kind::Worker {
                stalled = false;
                row.index_turn(&events);
            }
            for event in &events {
                row.index_event(event, &mut stalled);
            }
        }
        let mut machine =
            Machine::load(Loaded { row, turns: loaded.turns.clone(), inbox: loaded.inbox.clone() })?;
        machine.row.has_work = machine.has_work();
        let mut timers: Vec<TimerRow> = machine
            .timers
            .iter()
            .filter_map(|(id, timer)| timer.fire_at.map(|fire_at| TimerRow { fire_at, key, timer_id: *id }))
            .collect();
        timers.extend(machine.start_timer().filter(|_| !machine.is_finished()));
        timers.sort_unstable();
        Ok((machine, timers))
    }
}

impl InstanceRow {
    /// What the start of a generation says.
    fn index_start(&mut self, event: &Event) {
        let Some(EventType::ExecutionStarted(started)) = &event.message().event_type else { return };
        self.name.clone_from(&started.name);
        self.version.clone_from(&started.version);
        let own = event.message().own.as_ref().and_then(|own| own.run.as_ref());
        match own {
            Some(run) => {
                self.execution_id.clone_from(&run.execution_id);
                self.started_at = Some(Micros(run.started_at));
                self.next_turn = run.turn;
                self.custom_status.clone_from(&run.custom_status);
                self.status = RuntimeStatus::Running;
            }
            None => {
                let instance = started.workflow_instance.as_ref();
                self.execution_id =
                    instance.and_then(|instance| instance.execution_id.clone()).unwrap_or_default();
            }
        }
    }

    /// What the first event of a worker's turn says.
    fn index_turn(&mut self, events: &[Event]) {
        self.status = RuntimeStatus::Running;
        // The events that a rerun does anew are a record without a turn.
        let Some(first) = events.first() else { return };
        let Some(EventType::WorkflowStarted(started)) = &first.message().event_type else { return };
        if self.started_at.is_none() {
            self.started_at = Some(first.timestamp());
        }
        self.custom_status = first.message().own.as_ref().and_then(|own| own.custom_status.clone());
        if let Some(name) = started.version.as_ref().and_then(|version| version.name.clone()) {
            self.version = Some(name);
        }
    }

    fn index_event(&mut self, event: &Event, stalled: &mut bool) {
        self.updated_at = self.updated_at.max(event.timestamp());
        match &event.message().event_type {
            Some(EventType::ExecutionSuspended(_)) => self.status = RuntimeStatus::Suspended,
            Some(EventType::ExecutionResumed(_)) => {
                self.status = match (*stalled, self.started_at) {
                    (true, _) => RuntimeStatus::Stalled,
                    (false, Some(_)) => RuntimeStatus::Running,
                    (false, None) => RuntimeStatus::Pending,
                };
            }
            Some(EventType::ExecutionStalled(_)) => {
                *stalled = true;
                self.status = RuntimeStatus::Stalled;
            }
            Some(EventType::ExecutionCompleted(done)) => {
                self.status = RuntimeStatus::from_number(done.workflow_status);
                self.completed_at = Some(event.timestamp());
            }
            _ => {}
        }
    }
}
