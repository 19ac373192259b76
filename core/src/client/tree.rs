//! Histories with those of their children.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Client;
use crate::component::{Pending, Workflow};
use crate::error::ErrorKind;
use crate::history::HistoryTree;

/// How many histories of children one call reads at most.
const CHILDREN: usize = 1_000;

/// How deep a tree is at most, whatever was asked for.
const DEPTH: usize = 64;

impl Client {
    /// The decoded history of an instance, with those of its children down to `depth` levels: 0 is the instance alone. At
    /// most 1,000 histories of children are read; of a child that was purged, or whose ID another workflow has taken over,
    /// there is none.
    ///
    /// # Errors
    /// `invalid_argument`, `not_found` for the instance itself.
    pub fn history_tree(
        &self,
        component: Option<&str>,
        instance_id: &str,
        depth: usize,
    ) -> Pending<'static, HistoryTree> {
        self.of_instance("get_workflow_history", component, instance_id, Ok(()), move |component, id| {
            grow(component, id.to_owned(), depth.min(DEPTH), Arc::new(AtomicUsize::new(CHILDREN)))
        })
    }
}

fn grow(
    component: &dyn Workflow,
    id: String,
    depth: usize,
    left: Arc<AtomicUsize>,
) -> Pending<'_, HistoryTree> {
    Box::pin(async move {
        let mut tree = HistoryTree::new(id.as_str(), &component.history(&id).await?);
        if depth == 0 {
            return Ok(tree);
        }
        let children: Vec<String> = tree.child_ids().into_iter().map(str::to_owned).collect();
        for child in children {
            if left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err() {
                break;
            }
            match grow(component, child.clone(), depth - 1, left.clone()).await {
                Ok(grown) if grown.is_child_of(&id) => {
                    tree.children.insert(child, Arc::new(grown));
                }
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(tree)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::future::ready;
    use std::time::Duration;

    use super::*;
    use crate::component::Registry;
    use crate::error::{Error, Result};
    use crate::history::{Event, wire};
    use crate::options::{ClientOptions, Environment};
    use crate::runtime::wait_on;

    /// Each instance: who started it, and whom it starts.
    struct Family(HashMap<&'static str, (&'static str, Vec<String>)>);

    impl Workflow for Family {
        fn endpoint(&self) -> &str {
            "test:family"
        }

        fn history<'a>(&'a self, id: &'a str) -> Pending<'a, Vec<Event>> {
            Box::pin(ready(self.events(id)))
        }
    }

    impl Family {
        fn events(&self, id: &str) -> Result<Vec<Event>> {
            use wire::history_event::EventType;
            let missing = || Error::new(ErrorKind::NotFound, "no such instance");
            let (parent, children) = self.0.get(id).ok_or_else(missing)?;
            let event =
                |kind| Event::new(wire::HistoryEvent { event_type: Some(kind), ..Default::default() });
            let instance_id = (*parent).to_owned();
            let parent = wire::ParentInstanceInfo {
                workflow_instance: Some(wire::WorkflowInstance { instance_id, execution_id: None }),
                ..Default::default()
            };
            let started = wire::ExecutionStartedEvent { parent_instance: Some(parent), ..Default::default() };
            let mut events = vec![event(EventType::ExecutionStarted(Box::new(started)))];
            for child in children {
                let created = wire::ChildWorkflowInstanceCreatedEvent {
                    instance_id: child.clone(),
                    ..Default::default()
                };
                events.push(event(EventType::ChildWorkflowInstanceCreated(created)));
            }
            Ok(events)
        }
    }

    fn family(members: &[(&'static str, &'static str, &[&str])]) -> Client {
        let members = members.iter().map(|(id, parent, children)| {
            (*id, (*parent, children.iter().map(|child| (*child).to_owned()).collect()))
        });
        open(Family(members.collect()))
    }

    fn open(family: Family) -> Client {
        let mut registry = Registry::default();
        registry.register("dapr", Arc::new(family)).unwrap();
        Client::open_in(&Environment::new(|_| None, "/"), registry, ClientOptions::default()).unwrap()
    }

    fn tree(client: &Client, id: &str, depth: usize) -> Result<HistoryTree> {
        wait_on(client.history_tree(None, id, depth), Some(Duration::from_secs(10)))
    }

    #[test]
    fn a_tree_grows_to_its_depth() {
        let client = family(&[
            ("a", "", &["b", "gone", "b", "taken"]),
            ("b", "a", &["c"]),
            ("c", "b", &[]),
            ("taken", "z", &[]),
        ]);
        let found = tree(&client, "a", 0).unwrap();
        assert_eq!(found.child_ids(), ["b", "gone", "taken"]);
        assert!(found.children.is_empty());
        let found = tree(&client, "a", 1).unwrap();
        assert_eq!(found.children.keys().collect::<Vec<_>>(), ["b"], "one is purged, one is another's");
        assert!(found.children["b"].children.is_empty());
        assert_eq!(tree(&client, "a", 9).unwrap().children["b"].children["c"].instance_id, "c");
        assert_eq!(tree(&client, "gone", 1).unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn a_tree_ends_somewhere() {
        let client = family(&[("a", "a", &["a"])]);
        let found = tree(&client, "a", usize::MAX).unwrap();
        let depth =
            std::iter::successors(Some(&found), |tree| tree.children.get("a").map(|child| &**child)).count();
        assert_eq!(depth, DEPTH + 1);
        let ids: Vec<String> = (0..2 * CHILDREN).map(|number| format!("c{number}")).collect();
        let mut members = HashMap::from([("p", ("", ids.clone()))]);
        for id in ids {
            members.insert(Box::leak(id.into_boxed_str()), ("p", Vec::new()));
        }
        assert_eq!(tree(&open(Family(members)), "p", 1).unwrap().children.len(), CHILDREN);
    }
}
