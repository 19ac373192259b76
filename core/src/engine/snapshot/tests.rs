use std::task::Context;

use super::*;

fn state(id: &str, status: RuntimeStatus) -> (Arc<str>, Snapshot) {
    let id: Arc<str> = Arc::from(id);
    let identity = Identity {
        instance_id: id.clone(),
        execution_id: Arc::from("e"),
        name: Arc::from("flow"),
        created_at: Micros(1),
        start_at: None,
        parent_instance_id: None,
        tags: BTreeMap::new(),
    };
    let snapshot = Snapshot {
        identity: Arc::new(identity),
        status,
        version: None,
        last_updated_at: Micros(1),
        started_at: (status != RuntimeStatus::Pending).then_some(Micros(1)),
        completed_at: None,
        custom_status: None,
        failure: None,
        reason: None,
        input: None,
        output: None,
    };
    (id, snapshot)
}

fn poll(wait: &mut Wait) -> Option<Result<RuntimeStatus>> {
    match Pin::new(wait).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Some(answer.map(|snapshot| snapshot.status)),
        Poll::Pending => None,
    }
}

fn answered(wait: &mut Wait) -> Result<RuntimeStatus> {
    poll(wait).expect("the wait is over")
}

/// Nothing is left of any wait.
fn assert_empty(hub: &Hub) {
    let inner = hub.lock();
    assert!(inner.waits.is_empty() && inner.by_instance.is_empty());
}

#[test]
fn a_wait_is_met_at_once_or_by_a_later_state() {
    let hub = Arc::new(Hub::default());
    hub.publish(vec![state("a", RuntimeStatus::Running)]);
    let mut start = hub.wait("a", Want::Start, None);
    assert!(start.is_over());
    assert_eq!(answered(&mut start).unwrap(), RuntimeStatus::Running);
    let mut end = hub.wait("a", Want::Completion, None);
    assert!(poll(&mut end).is_none());
    hub.publish(vec![state("a", RuntimeStatus::Running), state("b", RuntimeStatus::Completed)]);
    assert!(poll(&mut end).is_none(), "another one ended");
    hub.publish(vec![state("a", RuntimeStatus::Stalled)]);
    assert_eq!(answered(&mut end).unwrap(), RuntimeStatus::Stalled, "a stalled one will not end by itself");
    assert!(answered(&mut end).is_err(), "an answer is had once");
    drop((start, end));
    assert_empty(&hub);
}

#[test]
fn what_the_store_says_can_end_a_wait() {
    let hub = Arc::new(Hub::default());
    let mut wait = hub.wait("a", Want::Completion, None);
    wait.offer(Ok(state("a", RuntimeStatus::Running).1));
    assert!(poll(&mut wait).is_none());
    wait.offer(Ok(state("a", RuntimeStatus::Failed).1));
    assert_eq!(answered(&mut wait).unwrap(), RuntimeStatus::Failed);
    let mut missing = hub.wait("b", Want::Start, None);
    missing.offer(Err(Error::new(ErrorKind::NotFound, "no such instance")));
    missing.offer(Ok(state("b", RuntimeStatus::Failed).1));
    assert_eq!(answered(&mut missing).unwrap_err().kind(), ErrorKind::NotFound, "the first answer counts");
    assert_empty(&hub);
}

#[test]
fn a_wait_ends_with_its_time() {
    let hub = Arc::new(Hub::default());
    let begin = Instant::now();
    let mut short = hub.wait("a", Want::Start, Some(Duration::from_secs(5)));
    let mut long = hub.wait("a", Want::Start, Some(Duration::from_secs(50)));
    let mut endless = hub.wait("a", Want::Start, Some(Duration::MAX));
    let next = hub.expire(begin).expect("one is due");
    assert!(next >= begin + Duration::from_secs(5));
    assert!(hub.expire(next).is_some_and(|at| at >= begin + Duration::from_secs(50)));
    assert_eq!(answered(&mut short).unwrap_err().kind(), ErrorKind::Timeout);
    assert!(poll(&mut long).is_none() && poll(&mut endless).is_none());
    hub.publish(vec![state("a", RuntimeStatus::Running)]);
    assert_eq!(hub.expire(begin), None, "nobody waits for a time any more");
    assert!(answered(&mut long).is_ok() && answered(&mut endless).is_ok());
    assert_empty(&hub);
}

#[test]
fn waits_that_are_given_up_leave_nothing_behind() {
    let hub = Arc::new(Hub::default());
    for _ in 0..10_000 {
        drop(hub.wait("a", Want::Start, Some(Duration::from_secs(3_600))));
    }
    assert_empty(&hub);
    assert!(hub.lock().deadlines.len() < 200, "deadlines of the dead are thrown out");
}

#[test]
fn a_purge_and_the_end_of_the_engine_end_waits() {
    let hub = Arc::new(Hub::default());
    hub.publish(vec![state("a", RuntimeStatus::Running)]);
    let mut purged = hub.wait("a", Want::Completion, None);
    let mut other = hub.wait("b", Want::Completion, None);
    hub.gone("a");
    assert_eq!(answered(&mut purged).unwrap_err().kind(), ErrorKind::NotFound);
    assert!(hub.get("a").is_none() && poll(&mut other).is_none());
    hub.close(&Error::new(ErrorKind::Closed, "closed"));
    assert_eq!(answered(&mut other).unwrap_err().kind(), ErrorKind::Closed);
    let mut late = hub.wait("b", Want::Start, None);
    assert_eq!(answered(&mut late).unwrap_err().kind(), ErrorKind::Closed, "nobody would ever answer it");
    assert_empty(&hub);
}

#[test]
fn only_the_last_finished_states_stay() {
    let hub = Hub::default();
    hub.publish(vec![state("running", RuntimeStatus::Running)]);
    for number in 0..FINISHED + 10 {
        hub.publish(vec![state(&number.to_string(), RuntimeStatus::Completed)]);
    }
    assert!(hub.get("0").is_none() && hub.get("9").is_none() && hub.get("10").is_some());
    assert!(hub.get("running").is_some());
    hub.forget("running");
    assert!(hub.get("running").is_none());
}
