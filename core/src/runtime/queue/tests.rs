use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use futures_channel::oneshot;

use super::*;

const PATIENCE: Duration = Duration::from_secs(30);

fn waiting<T: std::fmt::Debug>(submitted: Submitted<T>) -> Ticket {
    match submitted {
        Submitted::Waiting(ticket) => ticket,
        Submitted::Ready(answer) => panic!("it was there already: {answer:?}"),
    }
}

fn receive(receiver: oneshot::Receiver<u32>) -> Pending<'static, u32> {
    Box::pin(async move { receiver.await.map_err(|_| Error::internal("the sender is gone")) })
}

fn endless() -> Pending<'static, u32> {
    Box::pin(std::future::pending())
}

/// A future that is ready after some polls, each of which its own waker asks for.
fn restless(polls: u32) -> Pending<'static, u32> {
    let mut left = polls;
    Box::pin(std::future::poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(Ok(polls));
        }
        left -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    }))
}

struct Closes<'a>(&'a Submissions<u32>);

impl Drop for Closes<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[test]
fn an_answer_that_is_there_needs_no_take() {
    let queue = Submissions::new();
    let Submitted::Ready(answer) = queue.submit(1, Box::pin(std::future::ready(Ok(7))), None) else {
        panic!()
    };
    assert_eq!(answer.unwrap(), 7);
    assert!(queue.is_empty());
    assert!(queue.take(10, Some(Duration::ZERO)).unwrap().is_empty());
}

#[test]
fn a_wake_ends_the_sleep_of_the_taker() {
    let queue = Submissions::new();
    let (sender, receiver) = oneshot::channel();
    let ticket = waiting(queue.submit(5, receive(receiver), None));
    thread::scope(|scope| {
        let taker = scope.spawn(|| queue.take(10, Some(PATIENCE)).unwrap());
        while queue.0.lock().sleeping == 0 {
            thread::yield_now();
        }
        sender.send(9).unwrap();
        let [finished] = taker.join().unwrap().try_into().unwrap();
        assert_eq!((finished.key, finished.ticket, finished.answer.unwrap()), (5, ticket, 9));
    });
    assert!(queue.is_empty());
}

#[test]
fn a_deferred_call_begins_with_the_taker() {
    let queue = Submissions::new();
    let begun = Arc::new(AtomicBool::new(false));
    let flag = begun.clone();
    let call = async move {
        flag.store(true, Ordering::SeqCst);
        Ok(3)
    };
    let ticket = queue.defer(0, Box::pin(call), None).unwrap();
    assert!(!begun.load(Ordering::SeqCst));
    let finished = queue.take(1, Some(PATIENCE)).unwrap();
    assert_eq!(finished[0].ticket, ticket);
    assert!(begun.load(Ordering::SeqCst));
}

#[test]
fn a_batch_has_at_most_as_many_as_asked_for() {
    let queue = Submissions::new();
    for _ in 0..5 {
        queue.defer(0, restless(2), None).unwrap();
    }
    let sizes: Vec<usize> = (0..3).map(|_| queue.take(2, Some(PATIENCE)).unwrap().len()).collect();
    assert_eq!(sizes, [2, 2, 1]);
}

#[test]
fn a_call_that_always_wakes_itself_keeps_nobody_from_its_deadline() {
    let queue = Submissions::new();
    waiting(queue.submit(0, restless(u32::MAX), Some(Duration::from_millis(5))));
    let finished = queue.take(10, Some(PATIENCE)).unwrap();
    assert_eq!(finished[0].answer.as_ref().unwrap_err().kind(), ErrorKind::Timeout);
}

#[test]
fn a_deadline_is_a_timeout_and_drops_the_future() {
    let queue = Submissions::new();
    let (sender, receiver) = oneshot::channel();
    waiting(queue.submit(0, endless(), None));
    waiting(queue.submit(0, endless(), Some(PATIENCE)));
    let ticket = waiting(queue.submit(0, receive(receiver), Some(Duration::from_millis(5))));
    let finished = queue.take(10, Some(PATIENCE)).unwrap();
    assert_eq!(finished.len(), 1);
    assert_eq!(finished[0].ticket, ticket);
    assert_eq!(finished[0].answer.as_ref().unwrap_err().kind(), ErrorKind::Timeout);
    assert!(sender.is_canceled());
    assert_eq!(queue.len(), 2);
}

#[test]
fn a_nearer_deadline_wakes_a_taker_that_sleeps_for_longer() {
    let queue = Submissions::new();
    thread::scope(|scope| {
        let taker = scope.spawn(|| queue.take(10, Some(PATIENCE)).unwrap());
        while queue.0.lock().sleeping == 0 {
            thread::yield_now();
        }
        let ticket = waiting(queue.submit(0, endless(), Some(Duration::from_millis(5))));
        assert_eq!(taker.join().unwrap()[0].ticket, ticket);
    });
}

#[test]
fn a_later_deadline_wakes_nobody() {
    let queue = Submissions::new();
    let first = waiting(queue.submit(0, endless(), Some(PATIENCE)));
    thread::scope(|scope| {
        let taker = scope.spawn(|| queue.take(10, None).unwrap());
        while queue.0.lock().sleeping == 0 {
            thread::yield_now();
        }
        assert!(queue.cancel(first));
        // The taker still has the alarm of the first call, so it need not be told of the second.
        waiting(queue.submit(0, endless(), Some(2 * PATIENCE)));
        assert_eq!(queue.0.lock().told, 0);
        queue.rouse();
        assert!(taker.join().unwrap().is_empty());
    });
}

#[test]
fn a_cancelled_call_is_dropped_and_never_spoken_of() {
    let queue = Submissions::new();
    let (sender, receiver) = oneshot::channel();
    let ticket = waiting(queue.submit(0, receive(receiver), Some(PATIENCE)));
    assert!(queue.cancel(ticket));
    assert!(!queue.cancel(ticket));
    assert!(sender.is_canceled());
    assert!(queue.0.lock().deadlines.is_empty());
    assert!(queue.take(10, Some(Duration::ZERO)).unwrap().is_empty());
}

#[test]
fn a_call_may_be_cancelled_while_it_is_polled() {
    let queue = Arc::new(Submissions::new());
    let (inside, reached) = oneshot::channel();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let mut once = Some((inside, released));
    let call = std::future::poll_fn(move |_| {
        let (inside, released) = once.take().expect("polled once");
        inside.send(()).unwrap();
        released.recv_timeout(PATIENCE).unwrap();
        Poll::Ready(Ok(1))
    });
    let ticket = queue.defer(0, Box::pin(call), None).unwrap();
    let taking = queue.clone();
    let taker = thread::spawn(move || taking.take(10, Some(PATIENCE)));
    super::super::wait_on(async { reached.await.map_err(|_| Error::internal("gone")) }, Some(PATIENCE))
        .unwrap();
    assert!(queue.cancel(ticket));
    release.send(()).unwrap();
    queue.rouse();
    assert!(taker.join().unwrap().unwrap().is_empty());
}

#[test]
fn a_panic_stays_inside() {
    let queue = Submissions::<u32>::new();
    let call = async { if true { panic!("on purpose") } else { Ok(0) } };
    let Submitted::Ready(answer) = queue.submit(0, Box::pin(call), None) else { panic!() };
    assert_eq!(answer.unwrap_err().kind(), ErrorKind::Internal);
}

#[test]
fn closing_ends_takes_and_calls() {
    let queue = Submissions::new();
    let (sender, receiver) = oneshot::channel();
    waiting(queue.submit(0, receive(receiver), None));
    thread::scope(|scope| {
        let takers: Vec<_> = (0..2).map(|_| scope.spawn(|| queue.take(10, Some(PATIENCE)))).collect();
        while queue.0.lock().sleeping < 2 {
            thread::yield_now();
        }
        queue.close();
        assert!(takers.into_iter().all(|taker| taker.join().unwrap().is_none()));
    });
    assert!(sender.is_canceled());
    let Submitted::Ready(answer) = queue.submit(0, endless(), None) else { panic!() };
    assert_eq!(answer.unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(queue.defer(0, endless(), None).unwrap_err().kind(), ErrorKind::Closed);
}

#[test]
fn dropping_the_queue_drops_its_calls() {
    let queue = Submissions::new();
    let (sender, receiver) = oneshot::channel();
    waiting(queue.submit(0, receive(receiver), None));
    drop(queue);
    assert!(sender.is_canceled());
}

/// A taker that sleeps without a timeout hears of every answer, at whatever point of its falling asleep it comes.
#[test]
fn no_wake_is_lost() {
    let queue = Submissions::new();
    thread::scope(|scope| {
        let (answers, to_answer) = std::sync::mpsc::channel::<oneshot::Sender<u32>>();
        let (takes, taken) = std::sync::mpsc::channel();
        scope.spawn(move || to_answer.iter().for_each(|sender| _ = sender.send(1)));
        scope.spawn(|| {
            let takes = takes;
            while let Some(batch) = queue.take(10, None) {
                batch.into_iter().for_each(|finished| takes.send(finished.ticket).unwrap());
            }
        });
        // Also when the test fails: a taker without a timeout would keep it from ending.
        let _closes = Closes(&queue);
        for _ in 0..5_000 {
            let (sender, receiver) = oneshot::channel();
            answers.send(sender).unwrap();
            if let Submitted::Waiting(ticket) = queue.submit(0, receive(receiver), Some(2 * PATIENCE)) {
                assert_eq!(taken.recv_timeout(PATIENCE).unwrap(), ticket);
            }
        }
    });
}

/// Threads that submit, answer, cancel, time out and take at once: every call has exactly one outcome, and none is lost.
#[test]
fn every_call_has_one_outcome_under_contention() {
    const THREADS: u64 = 3;
    const CALLS: u64 = 4_000;
    let queue = Submissions::new();
    let cancelled = AtomicUsize::new(0);
    let at_once = AtomicUsize::new(0);
    let submitters = AtomicUsize::new(THREADS as usize);
    let taken = thread::scope(|scope| {
        let (answers, to_answer) = std::sync::mpsc::channel::<oneshot::Sender<u32>>();
        scope.spawn(move || to_answer.iter().for_each(|sender| _ = sender.send(1)));
        let takers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut taken = Vec::new();
                    while submitters.load(Ordering::SeqCst) > 0 || !queue.is_empty() {
                        taken.extend(queue.take(7, Some(Duration::from_millis(50))).unwrap());
                    }
                    taken
                })
            })
            .collect();
        for thread in 0..THREADS {
            let answers = answers.clone();
            let (queue, cancelled, at_once, submitters) = (&queue, &cancelled, &at_once, &submitters);
            scope.spawn(move || {
                for call in 0..CALLS {
                    let (sender, receiver) = oneshot::channel();
                    // Some answers race the submission, some follow it, some race a cancellation or a deadline.
                    let deadline = match call % 5 {
                        0 => None,
                        1 => Some(Duration::from_micros(100)),
                        _ => Some(PATIENCE),
                    };
                    let ticket = if call % 2 == 0 {
                        answers.send(sender).unwrap();
                        queue.submit(thread, receive(receiver), deadline)
                    } else {
                        let submitted = queue.submit(thread, receive(receiver), deadline);
                        answers.send(sender).unwrap();
                        submitted
                    };
                    match ticket {
                        Submitted::Ready(answer) => {
                            assert_eq!(answer.unwrap(), 1);
                            at_once.fetch_add(1, Ordering::SeqCst);
                        }
                        Submitted::Waiting(ticket) if call % 3 == 0 && queue.cancel(ticket) => {
                            cancelled.fetch_add(1, Ordering::SeqCst);
                        }
                        Submitted::Waiting(_) => {}
                    }
                }
                submitters.fetch_sub(1, Ordering::SeqCst);
            });
        }
        drop(answers);
        takers.into_iter().flat_map(|taker| taker.join().unwrap()).collect::<Vec<_>>()
    });
    let tickets: HashSet<Ticket> = taken.iter().map(|finished| finished.ticket).collect();
    assert_eq!(tickets.len(), taken.len());
    let timed_out = |error: &Error| error.kind() == ErrorKind::Timeout;
    assert!(
        taken.iter().all(|finished| finished.answer.as_ref().map_or_else(timed_out, |answer| *answer == 1))
    );
    let outcomes = taken.len() + cancelled.into_inner() + at_once.into_inner();
    assert_eq!(outcomes as u64, THREADS * CALLS);
    assert!(queue.0.lock().ready.is_empty() && queue.0.lock().deadlines.is_empty());
}
