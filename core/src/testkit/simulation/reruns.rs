//! Reruns of what has ended, from an event by chance: they end as their source did.

use futures_channel::oneshot;

use super::{Case, Life, oracle};
use crate::engine::request::Request;
use crate::history::wire::history_event::EventType;
use crate::model::{RerunRequest, StartRequest};

/// How many instances of one life are reruns.
const MOST: usize = 2;

/// What a case goes on from.
#[derive(Clone)]
pub(super) struct Source {
    id: String,
    event: i32,
}

impl Case {
    /// Asks for the instance, by a start or a rerun.
    pub(super) fn ask(&mut self) -> Request {
        let (reply, answer) = oneshot::channel();
        self.starting = Some(answer);
        let Some(source) = &self.source else {
            let request = StartRequest {
                name: self.work.name.to_owned(),
                input: Some(self.work.input.to_string()),
                instance_id: Some(self.id.clone()),
                version: self.work.version.map(str::to_owned),
                ..StartRequest::default()
            };
            return Request::Start(Box::new(request), reply);
        };
        let request = RerunRequest {
            instance_id: source.id.clone(),
            from_event: source.event,
            new_instance_id: Some(self.id.clone()),
            input: None,
        };
        Request::Rerun(Box::new(request), reply)
    }
}

impl Life {
    /// Adds a case that goes on from an event of an instance that has ended, and asks for it.
    pub(super) fn rerun_one(&mut self) -> std::result::Result<(), String> {
        let index = self.pick(self.cases.len());
        let reruns = self.cases.iter().filter(|case| case.source.is_some()).count();
        if reruns == MOST {
            return Ok(());
        }
        let Some(loaded) = self.load(&self.cases[index].id)?.filter(|it| it.row.status.is_terminal()) else {
            return Ok(());
        };
        let events = oracle::history(&loaded)?;
        let asked: Vec<usize> = (0..events.len())
            .filter(|place| {
                matches!(
                    events[*place].message().event_type,
                    Some(
                        EventType::TaskScheduled(_)
                            | EventType::TimerCreated(_)
                            | EventType::ChildWorkflowInstanceCreated(_)
                    )
                )
            })
            .collect();
        if asked.is_empty() {
            return Ok(());
        }
        let place = asked[self.pick(asked.len())];
        let work = self.cases[index].work.clone();
        // Raised events are kept with what came before the event; the others have to be raised again.
        let kept: Vec<&str> = events[..place].iter().filter_map(oracle::raised).collect();
        let raised = work.events.iter().map(|(_, data)| kept.contains(&data.to_string().as_str())).collect();
        let source = Source { id: self.cases[index].id.clone(), event: events[place].message().event_id };
        let mut case = Case {
            id: format!("again-{reruns}"),
            work,
            source: Some(source),
            started: false,
            starting: None,
            raised,
            raising: None,
            paused: false,
        };
        drop(self.process.shared.inbox.push(case.ask()));
        self.cases.push(case);
        Ok(())
    }
}
