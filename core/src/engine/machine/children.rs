//! What an instance does to others: children, detached instances, events.

use super::create::Parent;
use super::*;

impl Machine {
    pub(super) fn start_child(
        &mut self,
        id: i32,
        child: wire::CreateChildWorkflowAction,
        own: Option<Box<wire::OwnData>>,
        now: Micros,
        events: &mut Vec<Event>,
        effects: &mut Vec<Effect>,
    ) {
        let tags = own.as_ref().map(|own| own.tags.clone()).unwrap_or_default();
        let created = wire::ChildWorkflowInstanceCreatedEvent {
            instance_id: child.instance_id,
            name: child.name,
            version: child.version,
            input: child.input,
            ..Default::default()
        };
        self.children.insert(id, created.instance_id.clone());
        self.family.push(created.instance_id.clone());
        effects.push(Effect::Send(Message::Start(Box::new(self.child(id, &created, tags)))));
        events.push(event(id, now, EventType::ChildWorkflowInstanceCreated(created), own));
    }

    /// The child that an event of this instance creates.
    pub(super) fn child(
        &self,
        id: i32,
        created: &wire::ChildWorkflowInstanceCreatedEvent,
        tags: BTreeMap<String, String>,
    ) -> NewInstance {
        NewInstance {
            id: created.instance_id.clone(),
            name: created.name.clone(),
            input: created.input.clone(),
            version: created.version.clone(),
            tags,
            start_at: None,
            parent: Some(Parent {
                link: ParentLink {
                    key: self.row.key,
                    generation: self.row.generation,
                    task_id: id,
                    instance_id: self.row.id.clone(),
                },
                name: self.row.name.clone(),
                execution_id: self.execution_id.to_string(),
            }),
        }
    }

    pub(super) fn start_detached(
        &mut self,
        id: i32,
        child: wire::CreateDetachedWorkflowAction,
        own: Option<Box<wire::OwnData>>,
        now: Micros,
        events: &mut Vec<Event>,
        effects: &mut Vec<Effect>,
    ) {
        let created = wire::DetachedWorkflowInstanceCreatedEvent { instance_id: child.instance_id.clone() };
        events.push(event(id, now, EventType::DetachedWorkflowInstanceCreated(created), own));
        effects.push(Effect::Send(Message::Start(Box::new(NewInstance {
            id: child.instance_id,
            name: child.name,
            input: child.input,
            version: child.version,
            tags: child.tags.into_iter().collect(),
            start_at: child.scheduled_start_timestamp.as_ref().map(wire::micros_ceil),
            parent: None,
        }))));
    }

    pub(super) fn send_event(
        &mut self,
        id: i32,
        send: wire::SendEventAction,
        now: Micros,
        events: &mut Vec<Event>,
        effects: &mut Vec<Effect>,
    ) {
        let instance_id = send.instance.map(|instance| instance.instance_id).unwrap_or_default();
        let sent = wire::EventSentEvent {
            instance_id: instance_id.clone(),
            name: send.name.clone(),
            input: send.data.clone(),
        };
        events.push(event(id, now, EventType::EventSent(sent), None));
        effects.push(Effect::Send(Message::Raise { instance_id, name: send.name, data: send.data }));
    }
}
