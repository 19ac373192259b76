//! Children, detached instances, events sent to others.

use super::super::*;
use super::bench::*;
use wire::workflow_action::WorkflowActionType as Action;

fn ended(bench: &mut Bench, id: i32, result: Result<Payload, Failure>) -> Out {
    bench.feed(|machine, context, effects| machine.child_done(id, result, context, effects))
}

#[test]
fn a_child_is_started_in_the_same_commit_and_its_end_is_stored() {
    let (mut bench, task) = Bench::begun();
    let out = bench.turn(&task, vec![child(1, "kid")]);
    let started = out.0.iter().find_map(|effect| match effect {
        Effect::Send(Message::Start(new)) => Some(new),
        _ => None,
    });
    let link = started.and_then(|new| new.parent.as_ref()).map(|parent| parent.link.clone());
    let key = bench.machine.key();
    assert_eq!(link, Some(ParentLink { key, generation: 0, task_id: 1, instance_id: "a".to_owned() }));
    let out = ended(&mut bench, 1, Ok(Some("3".to_owned())));
    assert_eq!(out.count(|op| matches!(op, Op::PutInbox { .. })), 1, "it is told exactly once");
    let task = bench.restart().task();
    assert_eq!(kinds(&task.events), ["WorkflowStarted", "ChildWorkflowInstanceCompleted"]);
    bench.turn(&task, vec![]);
    assert!(ended(&mut bench, 1, Ok(None)).is_empty());
    assert_eq!(bench.machine.family(), ["kid"]);
}

#[test]
fn children_that_fail_are_terminated_or_exist_already_say_so() {
    for cause in ["WorkflowTerminated", "WorkflowAlreadyExists"] {
        let mut bench = Bench::after(vec![child(1, "kid")]);
        let task = ended(&mut bench, 1, Err(child_failure(cause, "text".to_owned()))).task();
        let Some(EventType::ChildWorkflowInstanceFailed(failed)) = &task.events[1].message().event_type
        else {
            panic!("{:?}", kinds(&task.events));
        };
        let failure = Failure::from(failed.failure_details.as_ref().unwrap());
        assert_eq!(failure.error_type, "ChildWorkflowError");
        assert_eq!(failure.cause.map(|cause| cause.error_type).as_deref(), Some(cause));
    }
    let mut bench = Bench::after(vec![child(1, "kid")]);
    assert!(ended(&mut bench, 2, Ok(None)).is_empty(), "no such child");
}

#[test]
fn a_child_tells_its_parent_how_it_ended() {
    let link = ParentLink { key: Key(77), generation: 4, task_id: 5, instance_id: "parent".to_owned() };
    let parent = super::super::create::Parent {
        link: link.clone(),
        name: "p".to_owned(),
        execution_id: "e".to_owned(),
    };
    let told = |out: &Out| {
        out.0.iter().find_map(|effect| match effect {
            Effect::Send(Message::ChildDone { parent, result }) => Some((parent.clone(), result.clone())),
            _ => None,
        })
    };
    let (mut bench, out) = Bench::new(NewInstance { parent: Some(parent.clone()), ..new("kid") });
    let out = bench.turn(&out.task(), vec![complete(1, RuntimeStatus::Completed)]);
    assert_eq!(told(&out), Some((link.clone(), Ok(Some("9".to_owned())))));
    let (mut bench, _) = Bench::new(NewInstance { parent: Some(parent), ..new("kid") });
    let out = bench.terminate(false);
    let (to, result) = told(&out).expect("the parent is told");
    assert_eq!((to, result.unwrap_err().cause.unwrap().error_type.as_str()), (link, "WorkflowTerminated"));
}

#[test]
fn a_detached_instance_and_a_sent_event_have_no_answer() {
    let (mut bench, task) = Bench::begun();
    let detached = wire::CreateDetachedWorkflowAction { instance_id: "far".to_owned(), ..Default::default() };
    let send = wire::SendEventAction {
        instance: Some(wire::WorkflowInstance { instance_id: "b".to_owned(), execution_id: None }),
        name: "tick".to_owned(),
        data: Some("1".to_owned()),
    };
    let actions =
        vec![action(1, Action::CreateDetachedWorkflow(detached)), action(2, Action::SendEvent(send))];
    let out = bench.turn(&task, actions);
    assert!(out.has(|effect| matches!(effect, Effect::Send(Message::Start(new)) if new.parent.is_none())));
    assert!(out.has(
        |effect| matches!(effect, Effect::Send(Message::Raise { instance_id, .. }) if instance_id == "b")
    ));
    assert!(bench.machine.family().is_empty() && !bench.machine.row().has_work);
}
