//! One turn on its way through replay. Nothing here needs the worker's lock: this is where the time goes.

use super::replay::{Next, Replay};
use super::source::Session;
use super::sticky::Instance;
use super::too_large;
use crate::bridge::{Command, Stall, Step};
use crate::engine::Abilities;
use crate::engine::task::{Version, WorkflowTask};
use crate::model::Payload;

/// How much text one part of a rebuild holds.
const PART: usize = 1 << 20;

/// A turn that a host works on.
pub(super) struct Turn {
    /// Boxed, since it passes through maps and queues on its way.
    pub(super) instance: Box<Instance>,
    /// The source's token.
    pub(super) token: u64,
}

/// A turn and how far its replay got.
pub(super) struct Progress {
    pub(super) turn: Turn,
    pub(super) next: Result<Next, Stall>,
}

impl Turn {
    /// Applies the host's answer and looks for what follows.
    pub(super) fn answer(mut self, steps: Result<Vec<Step>, Stall>, max_payload: usize) -> Progress {
        let applied = steps.and_then(|steps| {
            check_sizes(&steps, max_payload)?;
            self.instance.replay.apply(steps)
        });
        match applied {
            Ok(()) => self.advance(),
            Err(stall) => Progress { turn: self, next: Err(stall) },
        }
    }

    fn advance(mut self) -> Progress {
        let next = self.instance.replay.next(PART);
        Progress { turn: self, next }
    }
}

/// Makes the first jobs of a turn: of a cached instance, or of one that is rebuilt from its history.
pub(super) fn begin(
    task: WorkflowTask,
    cached: Option<Box<Instance>>,
    session: &dyn Session,
    abilities: &Abilities,
) -> Option<Progress> {
    let mut instance = match cached {
        Some(instance) => instance,
        None => {
            let mut replay = Replay::new(&task.instance_id);
            replay.speak(session.dialect());
            if task.version == Version::Latest
                && let Some(latest) = abilities.latest(&task.name)
            {
                replay.default_version(latest);
            }
            if task.has_past {
                match session.past(&task) {
                    Ok(past) => replay.past(past),
                    Err(_) => {
                        session.give_back(task.run, task.token);
                        return None;
                    }
                }
            }
            Box::new(Instance {
                run: task.run,
                id: task.instance_id.clone(),
                execution_id: task.execution_id.clone(),
                replay,
                turn: task.turn,
            })
        }
    };
    instance.turn = task.turn;
    instance.replay.turn(task.events);
    Some(Turn { instance, token: task.token }.advance())
}

/// Payloads enter the core here; what is too large goes no further.
fn check_sizes(steps: &[Step], max: usize) -> Result<(), Stall> {
    let fits = |payload: &Payload| payload.as_ref().is_none_or(|text| text.len() <= max);
    let command_fits = |command: &Command| match command {
        Command::Activity { input, .. } | Command::Child { input, .. } | Command::Continue { input, .. } => {
            fits(input)
        }
        Command::Send { data, .. } => fits(data),
        Command::Status { status } => fits(status),
        Command::Complete { output } => fits(output),
        _ => true,
    };
    if steps.iter().flatten().all(command_fits) { Ok(()) } else { Err(too_large(max)) }
}
