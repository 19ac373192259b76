//! Activities that workers of this process have, and the answers of those that ended.
//!
//! A runtime delivers at least once: again after its stream broke, and after it was restarted. An activity that still runs is
//! not run a second time, and one whose answer is known is answered with that.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::engine::store::Key;
use crate::engine::task::{ActivityKey, ActivityResult, RunKey};
use crate::history::wire;

/// How many answers are kept for redeliveries, and how much they may take together.
const KEPT: usize = 2_048;
const KEPT_BYTES: usize = 8 << 20;

/// The runtime's name of an activity: instance and action.
pub(super) type Name = (Arc<str>, i32);

/// One delivered activity.
struct Entry {
    key: ActivityKey,
    /// The key of the call. Of an instance that began anew under the same ID it is another one.
    execution_key: String,
    completion_token: String,
    /// The stream of the latest delivery.
    stream: u64,
    /// How often it was delivered, and how often it had been when the answer was sent last.
    deliveries: u32,
    sent_for: u32,
    /// What it ended with, until the runtime has taken that.
    answer: Option<wire::ActivityResponse>,
}

/// Activities that run, and answers.
#[derive(Default)]
pub(super) struct Activities {
    entries: HashMap<Name, Entry>,
    names: HashMap<ActivityKey, Name>,
    recent: HashMap<Name, (String, wire::ActivityResponse)>,
    order: VecDeque<(Name, String)>,
    bytes: usize,
    keys: i64,
}

/// What to do with a delivery.
#[derive(Debug, PartialEq)]
pub(super) enum Offer {
    /// Run it under this key. The other one, if there is one, is not wanted any more.
    Run(ActivityKey, Option<ActivityKey>),
    /// It runs, or its answer is under way.
    Known,
    /// It was answered before: with this.
    Answered(wire::ActivityResponse),
}

impl Activities {
    /// Takes a delivery in.
    pub(super) fn offer(
        &mut self,
        name: &Name,
        execution_key: &str,
        completion_token: String,
        stream: u64,
    ) -> Offer {
        if let Some(entry) = self.entries.get_mut(name)
            && entry.execution_key == execution_key
            // Without a key it could be the same action of the next run, which an answer under way is not for.
            && (entry.answer.is_none() || !execution_key.is_empty())
        {
            (entry.completion_token, entry.stream) = (completion_token, stream);
            entry.deliveries += 1;
            return Offer::Known;
        }
        // Without a key of the call an answer could be that of another run.
        if !execution_key.is_empty()
            && let Some((key, answer)) = self.recent.get(name)
            && key == execution_key
        {
            return Offer::Answered(wire::ActivityResponse { completion_token, ..answer.clone() });
        }
        let old = self.entries.remove(name).map(|old| old.key);
        if let Some(old) = &old {
            self.names.remove(old);
        }
        self.keys += 1;
        let key = ActivityKey { run: RunKey { key: Key(self.keys), generation: 0 }, task_id: name.1 };
        let entry = Entry {
            key,
            execution_key: execution_key.to_owned(),
            completion_token,
            stream,
            deliveries: 1,
            sent_for: 1,
            answer: None,
        };
        self.names.insert(key, name.clone());
        self.entries.insert(name.clone(), entry);
        Offer::Run(key, old)
    }

    /// An activity ended. Whether somebody waits for that.
    pub(super) fn ended(&mut self, key: ActivityKey, result: ActivityResult) -> bool {
        let Some(name) = self.names.get(&key) else { return false };
        let Some(entry) = self.entries.get_mut(name) else { return false };
        if entry.answer.is_some() {
            return false;
        }
        let (result, failure) = match result {
            Ok(value) => (value, None),
            Err(failure) => (None, Some((&failure).into())),
        };
        entry.answer = Some(wire::ActivityResponse {
            instance_id: name.0.to_string(),
            task_id: name.1,
            result,
            failure_details: failure,
            completion_token: String::new(),
        });
        true
    }

    /// The key of an activity that runs.
    pub(super) fn running(&self, name: &Name) -> Option<ActivityKey> {
        self.entries.get(name).filter(|entry| entry.answer.is_none()).map(|entry| entry.key)
    }

    /// Those that came on a stream and have not ended.
    pub(super) fn of_stream(&self, stream: u64) -> Vec<ActivityKey> {
        let open = self.entries.values().filter(|entry| entry.stream == stream && entry.answer.is_none());
        open.map(|entry| entry.key).collect()
    }

    /// Forgets an activity that no worker has had.
    pub(super) fn forget(&mut self, key: ActivityKey) {
        if let Some(name) = self.names.remove(&key) {
            self.entries.remove(&name);
        }
    }

    /// What is to be sent, with the token of the latest delivery.
    pub(super) fn answer(&mut self, key: ActivityKey) -> Option<wire::ActivityResponse> {
        let entry = self.entries.get_mut(self.names.get(&key)?)?;
        let answer = entry.answer.as_ref()?;
        entry.sent_for = entry.deliveries;
        Some(wire::ActivityResponse { completion_token: entry.completion_token.clone(), ..answer.clone() })
    }

    /// Replaces an answer that the runtime cannot take.
    pub(super) fn replace(&mut self, key: ActivityKey, failure: wire::TaskFailureDetails) {
        let entry = self.names.get(&key).and_then(|name| self.entries.get_mut(name));
        if let Some(answer) = entry.and_then(|entry| entry.answer.as_mut()) {
            (answer.result, answer.failure_details) = (None, Some(failure));
        }
    }

    /// The runtime took the answer. It is kept for a while. False: it was delivered once more meanwhile, and what the runtime took
    /// may have been of no use any more, so it is to be sent again.
    pub(super) fn accepted(&mut self, key: ActivityKey) -> bool {
        let entry = self.names.get(&key).and_then(|name| self.entries.get(name));
        if entry.is_some_and(|entry| entry.sent_for != entry.deliveries) {
            return false;
        }
        let Some(name) = self.names.remove(&key) else { return true };
        let Some(Entry { execution_key, answer: Some(answer), .. }) = self.entries.remove(&name) else {
            return true;
        };
        let size = size(&answer);
        if execution_key.is_empty() || size > KEPT_BYTES / 8 {
            return true;
        }
        self.bytes += size;
        self.order.push_back((name.clone(), execution_key.clone()));
        if let Some((_, old)) = self.recent.insert(name, (execution_key, answer)) {
            self.bytes -= self::size(&old);
        }
        while (self.order.len() > KEPT || self.bytes > KEPT_BYTES)
            && let Some((name, execution_key)) = self.order.pop_front()
        {
            if self.recent.get(&name).is_some_and(|(key, _)| *key == execution_key)
                && let Some((_, old)) = self.recent.remove(&name)
            {
                self.bytes -= self::size(&old);
            }
        }
        true
    }

    /// How many are not answered yet, and how many answers are kept.
    #[cfg(test)]
    fn sizes(&self) -> (usize, usize, usize) {
        assert_eq!(self.entries.len(), self.names.len());
        (self.entries.len(), self.recent.len(), self.bytes)
    }
}

fn size(answer: &wire::ActivityResponse) -> usize {
    256 + prost::Message::encoded_len(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Failure;

    fn name(task: i32) -> Name {
        (Arc::from("a"), task)
    }

    fn run(activities: &mut Activities, task: i32, execution: &str) -> ActivityKey {
        match activities.offer(&name(task), execution, "t1".into(), 1) {
            Offer::Run(key, _) => key,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_redelivery_of_what_runs_is_not_run_again_and_its_token_counts() {
        let mut activities = Activities::default();
        let key = run(&mut activities, 1, "e");
        assert_eq!(activities.offer(&name(1), "e", "t2".into(), 2), Offer::Known);
        assert_eq!(activities.answer(key), None);
        assert!(activities.ended(key, Ok(Some("1".into()))));
        assert!(!activities.ended(key, Ok(None)), "a second answer");
        assert_eq!(activities.answer(key).unwrap().completion_token, "t2");
        assert_eq!(activities.offer(&name(1), "e", "t3".into(), 2), Offer::Known);
        assert_eq!(activities.answer(key).unwrap().completion_token, "t3");
    }

    #[test]
    fn a_redelivery_while_the_answer_is_under_way_is_answered_too() {
        let mut activities = Activities::default();
        let key = run(&mut activities, 1, "e");
        activities.ended(key, Ok(Some("1".into())));
        assert_eq!(activities.answer(key).unwrap().completion_token, "t1");
        assert_eq!(activities.offer(&name(1), "e", "t2".into(), 1), Offer::Known);
        assert!(!activities.accepted(key), "what was accepted was sent before");
        assert_eq!(activities.answer(key).unwrap().completion_token, "t2");
        assert!(activities.accepted(key));
        assert_eq!(activities.answer(key), None);
    }

    #[test]
    fn without_a_key_of_the_call_an_answer_under_way_serves_nobody_else() {
        let mut activities = Activities::default();
        let key = run(&mut activities, 1, "");
        assert_eq!(activities.offer(&name(1), "", String::new(), 1), Offer::Known, "it runs");
        activities.ended(key, Ok(None));
        assert!(
            matches!(activities.offer(&name(1), "", String::new(), 1), Offer::Run(_, Some(old)) if old == key)
        );
        assert_eq!(activities.answer(key), None);
    }

    #[test]
    fn a_redelivery_after_the_answer_gets_that_answer() {
        let mut activities = Activities::default();
        let key = run(&mut activities, 1, "e");
        activities.ended(key, Err(Failure { message: "no".into(), ..Failure::default() }));
        activities.accepted(key);
        let Offer::Answered(again) = activities.offer(&name(1), "e", "t9".into(), 1) else { panic!() };
        assert_eq!((again.completion_token.as_str(), again.task_id), ("t9", 1));
        assert_eq!(again.failure_details.unwrap().error_message, "no");
        // Another run under the same ID, or another attempt, is another activity.
        assert!(matches!(activities.offer(&name(1), "f", String::new(), 1), Offer::Run(_, None)));
        assert!(matches!(activities.offer(&name(2), "e", String::new(), 1), Offer::Run(_, None)));
    }

    #[test]
    fn without_a_key_of_the_call_no_old_answer_serves() {
        let mut activities = Activities::default();
        let key = run(&mut activities, 1, "");
        activities.ended(key, Ok(None));
        activities.accepted(key);
        assert!(matches!(activities.offer(&name(1), "", String::new(), 1), Offer::Run(_, None)));
    }

    #[test]
    fn another_run_takes_the_place_of_an_old_one() {
        let mut activities = Activities::default();
        let old = run(&mut activities, 1, "e");
        assert!(
            matches!(activities.offer(&name(1), "f", String::new(), 1), Offer::Run(_, Some(key)) if key == old)
        );
        assert!(!activities.ended(old, Ok(None)));
    }

    #[test]
    fn what_no_worker_has_goes_with_its_stream() {
        let mut activities = Activities::default();
        let (first, second) = (run(&mut activities, 1, "e"), run(&mut activities, 2, "e"));
        activities.offer(&name(2), "e", String::new(), 2);
        assert_eq!(activities.of_stream(1), [first]);
        activities.forget(first);
        assert!(activities.ended(second, Ok(None)));
        assert_eq!(activities.of_stream(2), []);
        assert!(matches!(activities.offer(&name(1), "e", String::new(), 2), Offer::Run(_, None)));
    }

    #[test]
    fn kept_answers_are_bounded_in_number_and_size() {
        let mut activities = Activities::default();
        for task in 0..4_000 {
            let key = run(&mut activities, task, "e");
            activities.ended(key, Ok(Some("x".repeat(1_000))));
            activities.accepted(key);
        }
        let (open, kept, bytes) = activities.sizes();
        assert_eq!((open, kept), (0, KEPT));
        assert!(bytes <= KEPT_BYTES);
        for task in 4_000..4_100 {
            let key = run(&mut activities, task, "e");
            activities.ended(key, Ok(Some("x".repeat(900_000))));
            activities.accepted(key);
        }
        let (_, kept, bytes) = activities.sizes();
        assert!(kept < 12 && bytes <= KEPT_BYTES, "{kept} {bytes}");
    }
}
