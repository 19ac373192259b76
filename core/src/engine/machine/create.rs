//! How an instance begins: by a start, or by another instance.

use super::*;

/// What a new instance is made of.
#[derive(Clone, Debug, Default)]
pub struct NewInstance {
    /// The instance ID.
    pub id: String,
    /// The workflow's name.
    pub name: String,
    /// Its input.
    pub input: Payload,
    /// The named version asked for.
    pub version: Option<String>,
    /// Labels.
    pub tags: BTreeMap<String, String>,
    /// The earliest time of the first turn.
    pub start_at: Option<Micros>,
    /// The instance that waits for it.
    pub parent: Option<Parent>,
}

/// The parent of a child.
#[derive(Clone, Debug)]
pub struct Parent {
    /// Where the result goes.
    pub link: ParentLink,
    /// The parent's workflow name.
    pub name: String,
    /// The parent's execution ID.
    pub execution_id: String,
}

impl NewInstance {
    fn started_event(&self, execution_id: &str, now: Micros) -> Event {
        let instance = |id: &str, execution: &str| wire::WorkflowInstance {
            instance_id: id.to_owned(),
            execution_id: Some(execution.to_owned()),
        };
        let started = wire::ExecutionStartedEvent {
            name: self.name.clone(),
            version: self.version.clone(),
            input: self.input.clone(),
            workflow_instance: Some(instance(&self.id, execution_id)),
            parent_instance: self.parent.as_ref().map(|parent| wire::ParentInstanceInfo {
                task_scheduled_id: parent.link.task_id,
                name: Some(parent.name.clone()),
                workflow_instance: Some(instance(&parent.link.instance_id, &parent.execution_id)),
                ..Default::default()
            }),
            scheduled_start_timestamp: self.start_at.map(wire::timestamp),
            tags: self.tags.clone().into_iter().collect(),
            ..Default::default()
        };
        engine_event(now, EventType::ExecutionStarted(Box::new(started)))
    }
}

/// Accepts a new instance: its row and its first event are written, its first turn is handed out if it is due.
pub fn create(new: NewInstance, context: &mut Context<'_>, effects: &mut Vec<Effect>) -> Machine {
    let execution_id = context.ids.execution_id();
    let now = context.now;
    let event = new.started_event(&execution_id, now);
    let start_at = new.start_at.filter(|at| *at > now);
    let row = InstanceRow {
        key: context.ids.key(),
        id: new.id,
        execution_id,
        name: new.name,
        version: new.version,
        status: RuntimeStatus::Pending,
        created_at: now,
        updated_at: now,
        start_at,
        parent: new.parent.map(|parent| parent.link),
        ..InstanceRow::default()
    };
    let mut machine = Machine::from_row(row);
    // What was accepted is to be done; a delayed start is found by its timer.
    machine.row.has_work = start_at.is_none();
    machine.tags = new.tags;
    machine.input = new.input.map(Arc::from);
    effects.push(Effect::Store(Op::Insert(Box::new(machine.row.clone()))));
    let id = machine.store_inbox(&event, context, effects);
    machine.inbox.push_back(Inbox { event, row: Some(id) });
    if let Some(fire_at) = start_at {
        let timer = TimerRow { fire_at, key: machine.key(), timer_id: TimerRow::START };
        effects.push(Effect::Store(Op::PutTimer(timer)));
        effects.push(Effect::Timer(timer));
    }
    machine.dispatch(context, effects);
    machine
}

/// The execution ID of a generation. What callers see is the first one's, which stays for the whole run: a handle must
/// know its run again after it has continued as new.
pub(super) fn generation_id(first: &str, generation: u32) -> Arc<str> {
    if generation == 0 {
        return Arc::from(first);
    }
    let space = crate::bridge::random::namespace(first);
    Arc::from(Uuid::new_v5(&space, format!("generation {generation}").as_bytes()).to_string())
}

impl Machine {
    pub(super) fn from_row(row: InstanceRow) -> Machine {
        Machine {
            stored_turn: row.next_turn,
            dirty: false,
            // A new or newly loaded instance has not been published.
            news: true,
            wrote_turn: false,
            instance_id: Arc::from(row.id.as_str()),
            execution_id: generation_id(&row.execution_id, row.generation),
            seed_run: None,
            name: Arc::from(row.name.as_str()),
            version: row.version.as_deref().map(Arc::from),
            input: None,
            tags: BTreeMap::new(),
            identity: OnceCell::new(),
            outcome: Outcome::default(),
            inbox: VecDeque::new(),
            tasks: BTreeMap::new(),
            timers: BTreeMap::new(),
            children: BTreeMap::new(),
            family: Vec::new(),
            has_past: false,
            last_time: row.created_at,
            max_action: 0,
            turn: None,
            pause: None,
            stall: None,
            retry: false,
            recursion: None,
            row,
        }
    }
}
