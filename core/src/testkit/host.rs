//! A host in Rust: workflow functions as futures that are driven by jobs and answer with commands. It has no thread, no
//! clock and no engine, so that a simulation decides when anything happens.
//!
//! ```text
//! let mut host = Host::new();
//! host.workflow("greet", |ctx, input| async move { Ok(End::Return(ctx.activity("hello", input).await?)) });
//! let steps = host.apply("instance", "execution id", &jobs)?;
//! ```

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::context::Ctx;
use crate::bridge::{ActivityTask, Command, Job, Parent, Stall, StallCode, Step, TaskError, WorkflowName};
use crate::error::ErrorKind;
use crate::model::Payload;

/// How a workflow function ends when nothing goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// With an output.
    Return(Payload),
    /// With a new run.
    Continue {
        /// The new run's input.
        input: Payload,
        /// Whether events that nobody took go with it.
        keep_events: bool,
    },
}

/// How a workflow function ends otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails.
    Failed(TaskError),
    /// Its turn stalls.
    Stalled(Stall),
}

impl From<TaskError> for Fault {
    fn from(error: TaskError) -> Fault {
        Fault::Failed(error)
    }
}

/// What a workflow function gives.
pub type Run = Pin<Box<dyn Future<Output = Result<End, Fault>> + Send>>;
type WorkflowFn = Arc<dyn Fn(Ctx, Payload) -> Run + Send + Sync>;
type ActivityFn = Arc<dyn Fn(&ActivityTask) -> Result<Payload, TaskError> + Send + Sync>;

/// What a function knows of its run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunInfo {
    /// The instance ID.
    pub id: String,
    /// The execution ID.
    pub run: String,
    /// The workflow's name.
    pub name: String,
    /// The named version.
    pub version: Option<String>,
    /// The instance that started it.
    pub parent: Option<Parent>,
    /// Its labels.
    pub tags: BTreeMap<String, String>,
}

struct Instance {
    ctx: Ctx,
    /// Absent before the start and after the end.
    function: Option<Run>,
}

/// Workflow functions and activities by name, and the instances that run.
#[derive(Default)]
pub struct Host {
    workflows: HashMap<WorkflowName, WorkflowFn>,
    /// The workflows in the order of their registration.
    declared: Vec<WorkflowName>,
    activities: HashMap<String, ActivityFn>,
    instances: HashMap<(String, String), Instance>,
}

impl Host {
    /// A host that knows nothing yet.
    pub fn new() -> Host {
        Host::default()
    }

    /// Registers a workflow function without a version; the last one of a name counts for new instances and rebuilds.
    pub fn workflow<F, R>(&mut self, name: &str, function: F)
    where
        F: Fn(Ctx, Payload) -> R + Send + Sync + 'static,
        R: Future<Output = Result<End, Fault>> + Send + 'static,
    {
        self.version(name, None, function);
    }

    /// Registers a version of a workflow function. Of several the last one is the latest.
    pub fn version<F, R>(&mut self, name: &str, version: Option<&str>, function: F)
    where
        F: Fn(Ctx, Payload) -> R + Send + Sync + 'static,
        R: Future<Output = Result<End, Fault>> + Send + 'static,
    {
        let key = key(name, version);
        if !self.declared.contains(&key) {
            self.declared.push(key.clone());
        }
        self.workflows.insert(key, Arc::new(move |ctx, input| Box::pin(function(ctx, input))));
    }

    /// Registers an activity; the last one of a name counts.
    pub fn activity<F>(&mut self, name: &str, function: F)
    where
        F: Fn(&ActivityTask) -> Result<Payload, TaskError> + Send + Sync + 'static,
    {
        self.activities.insert(name.to_owned(), Arc::new(function));
    }

    /// The registered workflows, in the order of their registration.
    pub fn declared(&self) -> &[WorkflowName] {
        &self.declared
    }

    /// The names of the registered activities, sorted.
    pub fn activity_names(&self) -> Vec<String> {
        sorted(self.activities.keys())
    }

    /// How many instances are kept.
    pub fn cached(&self) -> usize {
        self.instances.len()
    }

    /// Runs an activity here and now.
    ///
    /// # Errors
    /// What the activity fails with; `activity_not_registered` for an unknown name.
    pub fn run_activity(&self, task: &ActivityTask) -> Result<Payload, TaskError> {
        match self.activities.get(&task.name) {
            Some(function) => function(task),
            None => {
                let message = format!("no activity {:?} is registered", task.name);
                Err(TaskError::new("ActivityNotRegistered", ErrorKind::ActivityNotRegistered, message))
            }
        }
    }

    /// Drops an instance. Nothing happens when it is not here.
    pub fn evict(&mut self, id: &str, run: &str) {
        self.instances.remove(&(id.to_owned(), run.to_owned()));
    }

    /// Applies jobs one at a time and gives one step for each.
    ///
    /// # Errors
    /// The stall of the turn; the instance is dropped then, as the next task rebuilds it.
    pub fn apply(&mut self, id: &str, run: &str, jobs: &[Job]) -> Result<Vec<Step>, Stall> {
        let key = (id.to_owned(), run.to_owned());
        let mut instance = self
            .instances
            .remove(&key)
            .unwrap_or_else(|| Instance { ctx: Ctx::new(id, run), function: None });
        let mut steps = Vec::with_capacity(jobs.len());
        let mut keep = true;
        for job in jobs {
            if let Job::Evict { .. } = job {
                keep = false;
            }
            self.apply_one(&mut instance, job);
            steps.push(instance.poll()?);
        }
        if keep {
            self.instances.insert(key, instance);
        }
        Ok(steps)
    }

    fn apply_one(&self, instance: &mut Instance, job: &Job) {
        match job {
            Job::Turn { now, replay, patches } => instance.ctx.shared().turn(*now, *replay, patches),
            Job::Start { name, version, input, seed, parent, tags } => {
                let fresh = instance.ctx.restarted(name, *seed, version, parent, tags);
                instance.ctx = fresh.clone();
                instance.function = Some(match self.workflows.get(&key(name, version.as_deref())) {
                    Some(function) => function(fresh, input.clone()),
                    None => unregistered(name, version.as_deref()),
                });
            }
            Job::Done { reference, value } => instance.ctx.shared().resolve(*reference, Ok(value.clone())),
            Job::Failed { reference, error } => instance.ctx.shared().resolve(*reference, Err(error.clone())),
            Job::Evict { .. } => instance.function = None,
        }
    }
}

fn sorted<'a>(names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut names: Vec<String> = names.cloned().collect();
    names.sort();
    names
}

fn key(name: &str, version: Option<&str>) -> WorkflowName {
    WorkflowName { name: name.to_owned(), version: version.map(str::to_owned), latest: false }
}

/// The core asks only for what was declared.
fn unregistered(name: &str, version: Option<&str>) -> Run {
    let message = format!("no workflow {name:?} with version {version:?} is registered");
    let stall = Stall::new(StallCode::VersionNotAvailable, message);
    Box::pin(async move { Err(Fault::Stalled(stall)) })
}

impl Instance {
    /// Lets the function run until it waits, and gives what it asked for meanwhile.
    fn poll(&mut self) -> Result<Step, Stall> {
        if !self.ctx.shared().take_woken() {
            return Ok(Step::new());
        }
        let Some(function) = &mut self.function else { return Ok(Step::new()) };
        let Poll::Ready(end) = function.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
            let pending = self.ctx.shared().has_pending();
            let step = self.ctx.shared().take_commands();
            if !pending {
                let message = "the workflow waits for something that is not durable";
                return Err(Stall::new(StallCode::NonDurable, message));
            }
            return Ok(step);
        };
        self.function = None;
        let mut step = self.ctx.shared().take_commands();
        step.push(match end {
            Ok(End::Return(output)) => Command::Complete { output },
            Ok(End::Continue { input, keep_events }) => Command::Continue { input, keep_events },
            Err(Fault::Failed(error)) => Command::Fail { error },
            Err(Fault::Stalled(stall)) => return Err(stall),
        });
        Ok(step)
    }
}
