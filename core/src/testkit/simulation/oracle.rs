//! What must hold, whatever happened.

use std::collections::HashSet;

use serde_json::Value;

use super::Life;
use crate::engine::machine::Machine;
use crate::engine::store::Loaded;
use crate::history::wire::history_event::EventType;
use crate::history::{Event, record, wire};
use crate::model::{Filter, Micros, RuntimeStatus};

type Verdict = Result<(), String>;

pub(super) fn history(loaded: &Loaded) -> Result<Vec<Event>, String> {
    let mut events = Vec::new();
    for (_, data) in &loaded.turns {
        events.extend(record::unframe(data).map_err(|error| error.to_string())?);
    }
    Ok(events)
}

fn inbox(loaded: &Loaded) -> Result<Vec<Event>, String> {
    loaded
        .inbox
        .iter()
        .map(|row| Event::decode(row.event.clone()).map_err(|error| error.to_string()))
        .collect()
}

pub(super) fn raised(event: &Event) -> Option<&str> {
    match &event.message().event_type {
        Some(EventType::EventRaised(raised)) => raised.input.as_deref(),
        _ => None,
    }
}

impl Life {
    pub(super) fn load(&self, id: &str) -> Result<Option<Loaded>, String> {
        self.disk.reader().load(id).map_err(|error| error.to_string())
    }

    /// What was acknowledged is there; what was neither acknowledged nor refused is looked up.
    pub(super) fn check_after_death(&mut self) -> Verdict {
        self.check_indexes()?;
        for index in 0..self.cases.len() {
            let loaded = self.load(&self.cases[index].id)?;
            let case = &mut self.cases[index];
            case.starting = None;
            case.raising = None;
            let Some(loaded) = loaded else {
                if case.started {
                    return Err(format!("{}: an acknowledged start is lost", case.id));
                }
                continue;
            };
            case.started = true;
            if loaded.row.status.is_terminal() {
                case.raised.fill(true);
                continue;
            }
            let mut there: HashSet<String> = HashSet::new();
            for event in history(&loaded)?.iter().chain(inbox(&loaded)?.iter()) {
                there.extend(raised(event).map(str::to_owned));
            }
            for (number, (_, data)) in case.work.events.iter().enumerate() {
                let found = there.contains(&data.to_string());
                if case.raised[number] && !found {
                    return Err(format!("{}: an acknowledged event is lost", case.id));
                }
                case.raised[number] = found;
            }
        }
        Ok(())
    }

    /// An activity whose result is recorded is not asked for again.
    pub(super) fn note_activity(&mut self, task: &Value) -> Verdict {
        let text = |key: &str| task[key].as_str().unwrap_or_default().to_owned();
        let (id, run, number) = (text("id"), text("run"), task["task"].as_i64().unwrap_or_default());
        *self.ran.entry((id.clone(), run.clone(), number)).or_default() += 1;
        let Some(loaded) = self.load(&id)? else {
            return Err(format!("{id}: an activity of an instance that is not stored"));
        };
        if loaded.row.execution_id != run {
            return Ok(());
        }
        let recorded = |event: &Event| match &event.message().event_type {
            Some(EventType::TaskCompleted(done)) => i64::from(done.task_scheduled_id) == number,
            Some(EventType::TaskFailed(done)) => i64::from(done.task_scheduled_id) == number,
            _ => false,
        };
        if history(&loaded)?.iter().chain(inbox(&loaded)?.iter()).any(recorded) {
            return Err(format!("{id}: task {number} is asked for again, its result is recorded"));
        }
        Ok(())
    }

    pub(super) fn all_ended(&self) -> bool {
        self.cases.iter().all(|case| {
            let row = self.disk.reader().find(&case.id).ok().flatten();
            row.is_some_and(|row| row.status.is_terminal())
        })
    }

    pub(super) fn stuck(&self) -> String {
        let open: Vec<String> = self
            .cases
            .iter()
            .filter_map(|case| {
                let row = self.disk.reader().find(&case.id).ok().flatten();
                match row {
                    None => Some(format!("{} ({}): never started", case.id, case.work.name)),
                    Some(row) if row.status.is_terminal() => None,
                    Some(row) => Some(self.describe(case, &row)),
                }
            })
            .collect();
        format!("stuck: {}", open.join(", "))
    }

    /// An instance that does not move, for whoever looks for the reason.
    fn describe(&self, case: &super::Case, row: &crate::engine::store::InstanceRow) -> String {
        let kinds = |events: Result<Vec<Event>, String>| -> String {
            let name = |event: &Event| {
                let debug = format!("{:?}", event.message().event_type);
                format!("{}:{}", event.message().event_id, debug.chars().skip(5).take(60).collect::<String>())
            };
            events.unwrap_or_default().iter().map(name).collect::<Vec<_>>().join("\n    ")
        };
        let loaded = self.load(&case.id).ok().flatten();
        let (past, waiting) =
            loaded.map_or_else(Default::default, |loaded| (kinds(history(&loaded)), kinds(inbox(&loaded))));
        format!(
            "{} ({}): {}\n  history\n    {past}\n  inbox\n    {waiting}",
            case.id, case.work.name, row.status
        )
    }

    /// Each case ended with its result, and every history is sound.
    pub(super) fn verify(&self) -> Verdict {
        for case in &self.cases {
            let loaded = self.load(&case.id)?.ok_or_else(|| format!("{}: lost", case.id))?;
            let snapshot = Machine::load(loaded).map_err(|error| error.to_string())?.snapshot();
            if snapshot.status != RuntimeStatus::Completed {
                return Err(format!("{} ({}): {}", case.id, case.work.name, snapshot.status));
            }
            let output: Value =
                serde_json::from_str(snapshot.output.as_deref().unwrap_or("null")).unwrap_or_default();
            let expected = case.work.output_of(snapshot.version.as_deref());
            if output != expected {
                return Err(format!("{} ({}): ended with {output}, not {expected}", case.id, case.work.name));
            }
            let chosen = case.work.version.is_none_or(|version| snapshot.version.as_deref() == Some(version));
            if !chosen {
                return Err(format!("{}: ran {:?}, not {:?}", case.id, snapshot.version, case.work.version));
            }
        }
        let reader = self.disk.reader();
        let rows = reader.list(&Filter::default(), None, 10_000).map_err(|error| error.to_string())?;
        for row in rows {
            let loaded = self.load(&row.id)?.ok_or_else(|| format!("{}: lost", row.id))?;
            sound(&row.id, &loaded)?;
        }
        self.check_indexes()
    }

    /// How many cases have stalled on their way.
    pub(super) fn stalled(&self) -> Result<u64, String> {
        let stalled = |event: &Event| event.kind() == "ExecutionStalled";
        let mut count = 0;
        for case in &self.cases {
            let past = self.load(&case.id)?.map_or_else(|| Ok(Vec::new()), |loaded| history(&loaded))?;
            count += u64::from(past.iter().any(stalled));
        }
        Ok(count)
    }

    /// Rows and timers say nothing that the turns and the inbox do not.
    fn check_indexes(&self) -> Verdict {
        let words = |error: crate::error::Error| error.to_string();
        let armed = self.disk.open().timers(None, 100_000).map_err(words)?;
        let reader = self.disk.reader();
        for row in reader.list(&Filter::default(), None, 10_000).map_err(words)? {
            let Some(loaded) = self.load(&row.id)? else { continue };
            let (mut rebuilt, timers) = Machine::index(&loaded).map_err(words)?;
            if rebuilt.updated_at > row.updated_at {
                return Err(format!("{}: an event is later than the row", row.id));
            }
            rebuilt.updated_at = row.updated_at;
            if rebuilt != row {
                return Err(format!("{}: the turns say {rebuilt:?}, the row says {row:?}", row.id));
            }
            let stored: Vec<_> = armed.iter().filter(|timer| timer.key == row.key).copied().collect();
            if timers != stored {
                return Err(format!("{}: the turns arm {timers:?}, the store has {stored:?}", row.id));
            }
        }
        Ok(())
    }
}

/// Nothing twice, time rises, nothing left over.
fn sound(id: &str, loaded: &Loaded) -> Verdict {
    let mut seen: HashSet<String> = HashSet::new();
    let mut time = Micros(0);
    for event in history(loaded)? {
        let message = event.message();
        let name = match &message.event_type {
            Some(EventType::WorkflowStarted(_)) => {
                if event.timestamp() <= time {
                    return Err(format!("{id}: the time of a turn does not rise"));
                }
                time = event.timestamp();
                continue;
            }
            Some(EventType::ExecutionStarted(_)) => "start".to_owned(),
            Some(EventType::TaskCompleted(done)) => format!("result of {}", done.task_scheduled_id),
            Some(EventType::TaskFailed(done)) => format!("result of {}", done.task_scheduled_id),
            Some(EventType::TimerFired(fired)) => format!("timer {}", fired.timer_id),
            Some(EventType::ChildWorkflowInstanceCompleted(done)) => {
                format!("child {}", done.task_scheduled_id)
            }
            Some(EventType::ChildWorkflowInstanceFailed(done)) => format!("child {}", done.task_scheduled_id),
            Some(EventType::EventRaised(event)) => {
                format!("event {}", event.input.as_deref().unwrap_or_default())
            }
            Some(EventType::ExecutionSuspended(_) | EventType::ExecutionResumed(_)) => continue,
            Some(EventType::ExecutionStalled(stalled))
                if stalled.reason() == wire::StalledReason::VersionNotAvailable =>
            {
                continue;
            }
            Some(EventType::ExecutionStalled(stalled)) => {
                return Err(format!("{id}: stalled: {}", stalled.description.clone().unwrap_or_default()));
            }
            _ => format!("action {}", message.event_id),
        };
        if !seen.insert(name.clone()) {
            return Err(format!("{id}: {name} stands twice in the history"));
        }
    }
    if loaded.row.status.is_terminal() && !loaded.inbox.is_empty() {
        return Err(format!("{id}: the inbox of a finished instance is not empty"));
    }
    Ok(())
}
