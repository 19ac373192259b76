//! A worker's activities: those that wait to be handed over, those at the host, and those to be stopped.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::batches::{Batches, Kept};
use crate::bridge::{self, ActivityAnswer, PayloadMode};
use crate::engine::ActivityWork;
use crate::engine::task::{ActivityKey, ActivityResult, ActivityTask};
use crate::error::ErrorKind;
use crate::model::Failure;

pub(super) struct Activities {
    /// How many may be with the host at a time.
    slots: usize,
    /// Those at the host, by the text's token.
    at_host: HashMap<String, ActivityKey>,
    tokens: HashMap<ActivityKey, String>,
    /// Those that the next polls hand over.
    fetched: VecDeque<Arc<ActivityTask>>,
    /// Tokens of those that the host is to stop.
    cancels: Vec<String>,
}

impl Activities {
    pub(super) fn new(slots: usize) -> Activities {
        Activities {
            slots,
            at_host: HashMap::new(),
            tokens: HashMap::new(),
            fetched: VecDeque::new(),
            cancels: Vec::new(),
        }
    }

    /// How many more activities may be taken.
    pub(super) fn free(&self, max: usize) -> usize {
        max.min(self.slots.saturating_sub(self.at_host.len() + self.fetched.len()))
    }

    /// Takes in what the source gave.
    pub(super) fn accept(&mut self, work: ActivityWork) {
        for key in work.cancels {
            if let Some(token) = self.tokens.remove(&key) {
                self.at_host.remove(&token);
                self.cancels.push(token);
            }
            self.fetched.retain(|task| task.activity_key() != key);
        }
        self.fetched.extend(work.tasks);
    }

    /// The batch of activities that a poll hands over, if there is one.
    pub(super) fn write(
        &mut self,
        batches: &mut Batches,
        max: usize,
        max_bytes: usize,
        mode: PayloadMode,
    ) -> Option<String> {
        let cancels = std::mem::take(&mut self.cancels);
        let mut tasks = Vec::with_capacity(max.max(1).min(self.fetched.len()));
        let mut bytes = 0;
        while tasks.len() < max.max(1)
            && (tasks.is_empty() || bytes < max_bytes)
            && let Some(task) = self.fetched.pop_front()
        {
            bytes += 160 + task.input.as_ref().map_or(0, String::len);
            let token = batches.token();
            self.at_host.insert(token.clone(), task.activity_key());
            self.tokens.insert(task.activity_key(), token.clone());
            tasks.push(activity_text(token, &task));
        }
        if tasks.is_empty() && cancels.is_empty() {
            return None;
        }
        let batch = batches.number();
        let text = bridge::write_activity_tasks(&batch, &tasks, &cancels, mode);
        batches.keep(batch, Kept::Activities(tasks, cancels));
        Some(text)
    }

    /// What an activity ended with; a stale or repeated answer gives nothing.
    pub(super) fn answer(
        &mut self,
        answer: ActivityAnswer,
        max_payload: usize,
    ) -> Option<(ActivityKey, ActivityResult)> {
        let key = self.at_host.remove(&answer.token)?;
        self.tokens.remove(&key);
        let result = match answer.result {
            Ok(Some(value)) if value.len() > max_payload => Err(Failure {
                error_type: ErrorKind::PayloadTooLarge.code().to_owned(),
                message: format!(
                    "the activity's result has {} bytes, the limit is {max_payload}; return a reference instead, or raise max_payload_bytes",
                    value.len()
                ),
                non_retriable: true,
                ..Failure::default()
            }),
            Ok(value) => Ok(value),
            Err(error) => Err(Failure::from(&error)),
        };
        Some((key, result))
    }

    /// Forgets what the host has not answered.
    pub(super) fn abandon(&mut self) {
        self.at_host.clear();
        self.tokens.clear();
        self.fetched.clear();
    }

    /// Whether nothing is at the host or on its way there.
    pub(super) fn is_drained(&self) -> bool {
        self.at_host.is_empty() && self.fetched.is_empty()
    }
}

fn activity_text(token: String, task: &ActivityTask) -> bridge::ActivityTask {
    bridge::ActivityTask {
        token,
        name: task.name.clone(),
        input: task.input.clone(),
        id: task.instance_id.to_string(),
        run: task.execution_id.to_string(),
        task: task.task_id,
        attempt: u32::try_from(task.attempt).unwrap_or(1),
        key: task.execution_key.clone(),
        deadline: task.deadline.map(|deadline| deadline.as_millis()),
    }
}
