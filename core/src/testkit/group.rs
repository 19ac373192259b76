//! Waiting for several tasks of a [`Ctx`]. Groups are counters, so that a thousand tasks cost a thousand steps.

use std::task::Poll;

use super::context::{Ctx, Outcome, Shared, Task};
use crate::bridge::{Ref, TaskError};
use crate::model::Payload;

/// Several tasks that are waited for together.
#[derive(Default)]
pub(super) struct Group {
    open: usize,
    first: Option<Ref>,
    failed: Option<Ref>,
}

impl Group {
    pub(super) fn note(&mut self, reference: Ref, outcome: &Outcome) {
        self.open -= 1;
        self.first.get_or_insert(reference);
        if outcome.is_err() {
            self.failed.get_or_insert(reference);
        }
    }
}

impl Shared {
    fn group(&mut self, tasks: &[Task]) -> usize {
        self.groups.push(Group::default());
        let group = self.groups.len() - 1;
        tasks.iter().for_each(|task| self.join(group, task));
        group
    }

    fn join(&mut self, group: usize, task: &Task) {
        let Some(slot) = self.tasks.get_mut(&task.reference) else { return };
        slot.groups.push(group);
        self.groups[group].open += 1;
        if let Some(outcome) = &slot.outcome {
            self.groups[group].note(task.reference, outcome);
        }
    }
}

impl Ctx {
    /// Waits for all tasks; the results in the order of the tasks.
    ///
    /// # Errors
    /// The first failure in time, at once.
    pub async fn all(&self, tasks: &[Task]) -> Result<Vec<Payload>, TaskError> {
        let group = self.shared().group(tasks);
        let done = std::future::poll_fn(|_| {
            let shared = self.shared();
            let group = &shared.groups[group];
            if group.open == 0 || group.failed.is_some() { Poll::Ready(group.failed) } else { Poll::Pending }
        });
        let failed = done.await;
        let shared = self.shared();
        match failed {
            Some(reference) => Err(shared.outcome(reference).expect_err("it was noted as failed")),
            None => tasks.iter().map(|task| shared.outcome(task.reference)).collect(),
        }
    }

    /// Waits until all tasks have ended; their outcomes in the order of the tasks.
    pub async fn settled(&self, tasks: &[Task]) -> Vec<Outcome> {
        let group = self.shared().group(tasks);
        let ended = |open: usize| if open == 0 { Poll::Ready(()) } else { Poll::Pending };
        std::future::poll_fn(|_| ended(self.shared().groups[group].open)).await;
        let shared = self.shared();
        tasks.iter().map(|task| shared.outcome(task.reference)).collect()
    }

    /// Waits for the first task that ends, cancels the others unless `keep`, and gives its index and outcome.
    pub async fn any(&self, tasks: &[Task], keep: bool) -> (usize, Outcome) {
        let group = self.shared().group(tasks);
        let first = std::future::poll_fn(|_| match self.shared().groups[group].first {
            Some(reference) => Poll::Ready(reference),
            None => Poll::Pending,
        })
        .await;
        if !keep {
            tasks.iter().filter(|task| task.reference != first).for_each(|task| self.cancel(task));
        }
        let index = tasks.iter().position(|task| task.reference == first).expect("it is one of the tasks");
        (index, self.shared().outcome(first))
    }

    /// Takes tasks from `next`, at most `limit` at a time and the next as soon as one ends; the outcomes in the order
    /// of the tasks. Unless `keep`, the first failure ends it at once and cancels what runs.
    ///
    /// # Errors
    /// The first failure in time, unless `keep`; what `next` fails with.
    pub async fn map<E: From<TaskError>>(
        &self,
        limit: usize,
        keep: bool,
        mut next: impl FnMut() -> Option<Result<Task, E>>,
    ) -> Result<Vec<Outcome>, E> {
        let group = self.shared().group(&[]);
        let mut tasks: Vec<Task> = Vec::new();
        let mut more = true;
        loop {
            while more && self.shared().groups[group].open < limit {
                match next() {
                    Some(Ok(task)) => {
                        self.shared().join(group, &task);
                        tasks.push(task);
                    }
                    Some(Err(error)) => {
                        tasks.iter().for_each(|task| self.cancel(task));
                        return Err(error);
                    }
                    None => more = false,
                }
            }
            let failed = std::future::poll_fn(|_| {
                let shared = self.shared();
                let Group { open, failed, .. } = shared.groups[group];
                let failed = failed.filter(|_| !keep);
                let moves = failed.is_some() || open == 0 || (more && open < limit);
                if moves { Poll::Ready(failed) } else { Poll::Pending }
            })
            .await;
            if let Some(reference) = failed {
                tasks.iter().for_each(|task| self.cancel(task));
                return Err(self.shared().outcome(reference).expect_err("it was noted as failed").into());
            }
            let shared = self.shared();
            if !more && shared.groups[group].open == 0 {
                return Ok(tasks.iter().map(|task| shared.outcome(task.reference)).collect());
            }
        }
    }
}
