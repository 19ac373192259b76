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
        print: OnceLock::new(),
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

fn watch(hub: &Arc<Hub>, seen: Option<&Snapshot>) -> Wait {
    hub.wait("a", Want::Change(seen.map(Snapshot::seen)), None)
}

fn saying(text: &str) -> (Arc<str>, Snapshot) {
    let (id, state) = state("a", RuntimeStatus::Running);
    (id, Snapshot { custom_status: Some(Arc::from(text)), ..state })
}

fn seen(wait: &mut Wait) -> Option<Arc<Snapshot>> {
    match Pin::new(wait).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Some(answer.unwrap()),
        Poll::Pending => None,
    }
}

#[test]
fn a_watch_gets_what_it_has_not_seen() {
    let hub = Arc::new(Hub::default());
    hub.publish(vec![saying("1")]);
    let first = seen(&mut watch(&hub, None)).expect("it answers at once");
    let mut next = watch(&hub, Some(&first));
    let later = Snapshot { last_updated_at: Micros(99), ..saying("1").1 };
    hub.publish(vec![(Arc::from("a"), later)]);
    assert!(seen(&mut next).is_none(), "the time alone is no change");
    hub.publish(vec![saying("2")]);
    hub.publish(vec![saying("3")]);
    let latest = seen(&mut next).expect("two changes came");
    assert_eq!(latest.custom_status.as_deref(), Some("3"), "only the latest counts");
    let mut back = watch(&hub, Some(&latest));
    hub.publish(vec![saying("4")]);
    hub.publish(vec![saying("3")]);
    let between = seen(&mut back).expect("something changed");
    assert_eq!(
        between.custom_status.as_deref(),
        Some("4"),
        "what woke it, where the latest was seen already"
    );
    assert!(seen(&mut watch(&hub, Some(&between))).is_some());
    hub.publish(vec![state("a", RuntimeStatus::Completed)]);
    hub.forget("a");
    drop((next, back));
    assert_empty(&hub);
}

#[test]
fn a_state_of_the_store_is_the_same_as_the_published_one() {
    let hub = Arc::new(Hub::default());
    hub.publish(vec![saying("1")]);
    let first = seen(&mut watch(&hub, None)).expect("it answers at once");
    hub.forget("a");
    let mut next = watch(&hub, Some(&first));
    next.offer(Ok(saying("1").1));
    assert!(seen(&mut next).is_none());
    next.offer(Ok(saying("2").1));
    assert_eq!(seen(&mut next).expect("it is another one").custom_status.as_deref(), Some("2"));
    assert_empty(&hub);
}

#[test]
fn what_makes_a_change() {
    let base = || saying("1").1;
    let run = |id: &str| Arc::new(Identity { execution_id: Arc::from(id), ..(*base().identity).clone() });
    let failure = |message: &str| Some(Arc::new(Failure { message: message.into(), ..Failure::default() }));
    let states = [
        base(),
        Snapshot { identity: run("f"), ..base() },
        Snapshot { status: RuntimeStatus::Suspended, ..base() },
        Snapshot { status: RuntimeStatus::Stalled, reason: Some(Arc::from("1")), ..base() },
        Snapshot { custom_status: None, ..base() },
        Snapshot { custom_status: Some(Arc::from("")), ..base() },
        Snapshot { custom_status: None, output: Some(Arc::from("1")), ..base() },
        Snapshot { input: Some(Arc::from("1")), ..base() },
        Snapshot { version: Some(Arc::from("1")), ..base() },
        Snapshot { started_at: None, ..base() },
        Snapshot { failure: failure("a"), ..base() },
        Snapshot { failure: failure("b"), ..base() },
    ];
    let prints: std::collections::BTreeSet<u64> = states.iter().map(|state| state.seen().print).collect();
    assert_eq!(prints.len(), states.len());
    let text = state("a", RuntimeStatus::Completed).1.seen().to_string();
    let read: Seen = text.parse().unwrap();
    assert!(read.is_last() && read == state("a", RuntimeStatus::Completed).1.seen());
    for wrong in ["", ".", "12", "zzzzzzzzzzzzzzzz", "00000000000000001"] {
        assert_eq!(wrong.parse::<Seen>().unwrap_err().kind(), ErrorKind::InvalidArgument, "{wrong}");
    }
}

#[test]
fn a_purge_and_the_end_of_the_engine_end_watches() {
    let hub = Arc::new(Hub::default());
    hub.publish(vec![saying("1")]);
    let first = seen(&mut watch(&hub, None)).expect("it answers at once");
    let mut purged = watch(&hub, Some(&first));
    let mut completed = watch(&hub, Some(&first));
    hub.publish(vec![state("a", RuntimeStatus::Completed)]);
    hub.gone("a");
    assert_eq!(answered(&mut completed).unwrap(), RuntimeStatus::Completed, "the final state came first");
    assert_eq!(answered(&mut purged).unwrap(), RuntimeStatus::Completed);
    let mut gone = watch(&hub, Some(&first));
    assert!(poll(&mut gone).is_none());
    hub.gone("a");
    assert_eq!(answered(&mut gone).unwrap_err().kind(), ErrorKind::NotFound);
    let mut closed = watch(&hub, Some(&first));
    hub.close(&Error::new(ErrorKind::Closed, "closed"));
    assert_eq!(answered(&mut closed).unwrap_err().kind(), ErrorKind::Closed);
    assert_empty(&hub);
}

#[test]
fn watchers_and_a_publisher_miss_no_end() {
    const STATES: usize = 2_000;
    for _ in 0..20 {
        let hub = Arc::new(Hub::default());
        std::thread::scope(|scope| {
            let follow = || {
                let (mut last, mut count) = (None::<Arc<Snapshot>>, 0_usize);
                loop {
                    let wait = watch(&hub, last.as_deref());
                    let state = crate::runtime::wait_on(wait, Some(Duration::from_secs(60))).unwrap();
                    let number = |state: &Snapshot| -> usize {
                        state.custom_status.as_deref().and_then(|text| text.parse().ok()).unwrap_or(STATES)
                    };
                    assert!(last.as_deref().is_none_or(|last| number(last) < number(&state)), "never back");
                    count += 1;
                    if state.status.is_terminal() {
                        assert!(count <= STATES + 1);
                        return count;
                    }
                    last = Some(state);
                }
            };
            let watchers: Vec<_> = (0..4).map(|_| scope.spawn(follow)).collect();
            for number in 0..STATES {
                hub.publish(vec![saying(&number.to_string())]);
            }
            hub.publish(vec![state("a", RuntimeStatus::Completed)]);
            assert!(watchers.into_iter().all(|watcher| watcher.join().unwrap() > 0));
        });
        assert_empty(&hub);
    }
}

#[test]
fn ten_thousand_watchers_of_one_instance_cost_no_thread_and_little_time() {
    let hub = Arc::new(Hub::default());
    hub.publish(vec![saying("0")]);
    let first = seen(&mut watch(&hub, None)).expect("it answers at once");
    let begin = Instant::now();
    let mut watches: Vec<Wait> = (0..10_000).map(|_| watch(&hub, Some(&first))).collect();
    hub.publish(vec![saying("1")]);
    assert!(watches.iter_mut().all(|wait| seen(wait).is_some()));
    drop(watches);
    assert_empty(&hub);
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}
