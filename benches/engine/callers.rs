//! The callers: futures that start a workflow, wait for its result and begin again, all on one thread.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use everstep::Client;
use everstep::model::StartRequest;

/// How long the loop runs before anything counts.
const WARM_UP: Duration = Duration::from_millis(500);

/// What came out.
pub(crate) struct Done {
    pub(crate) workflows: usize,
    pub(crate) per_second: f64,
    pub(crate) cpu_us: f64,
}

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;
type Caller = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// The callers whose future has been woken.
#[derive(Default)]
struct Woken {
    callers: Mutex<Vec<usize>>,
    any: Condvar,
}

struct Alarm {
    woken: Arc<Woken>,
    caller: usize,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.woken.callers.lock().unwrap_or_else(PoisonError::into_inner).push(self.caller);
        self.woken.any.notify_one();
    }
}

/// Keeps `in_flight` workflows open until the time is over, then lets them end.
pub(crate) fn closed_loop(client: &Client, in_flight: usize, span: Duration) -> Result<Done> {
    let woken = Arc::new(Woken::default());
    let wakers: Vec<Waker> =
        (0..in_flight).map(|caller| Arc::new(Alarm { woken: woken.clone(), caller }).into()).collect();
    let mut callers: Vec<Option<Caller>> = (0..in_flight).map(|_| Some(call(client))).collect();
    let (mut finished, mut open, mut ready) = (0, in_flight, (0..in_flight).collect::<Vec<_>>());
    let (mut began, mut counted_from, mut cpu) = (Instant::now(), None, 0.0);
    let mut done = None;
    while open > 0 {
        for index in ready.drain(..) {
            let Some(caller) = callers[index].as_mut() else { continue };
            let Poll::Ready(result) = caller.as_mut().poll(&mut Context::from_waker(&wakers[index])) else {
                continue;
            };
            result?;
            finished += 1;
            callers[index] = done.is_none().then(|| call(client));
            match &mut callers[index] {
                Some(_) => wakers[index].wake_by_ref(),
                None => open -= 1,
            }
        }
        if counted_from.is_none() && began.elapsed() > WARM_UP {
            (began, counted_from, cpu) = (Instant::now(), Some(finished), process_cpu());
        }
        if let Some(before) = counted_from.filter(|_| done.is_none() && began.elapsed() > span) {
            let count = (finished - before) as f64;
            let (took, used) = (began.elapsed().as_secs_f64(), process_cpu() - cpu);
            done = Some(Done { workflows: 0, per_second: count / took, cpu_us: used / count });
        }
        if open > 0 {
            let mut callers = woken.callers.lock().unwrap_or_else(PoisonError::into_inner);
            while callers.is_empty() {
                callers = woken.any.wait(callers).unwrap_or_else(PoisonError::into_inner);
            }
            std::mem::swap(&mut *callers, &mut ready);
        }
    }
    let done = done.ok_or("the loop ended before its time")?;
    Ok(Done { workflows: finished, ..done })
}

fn call(client: &Client) -> Caller {
    let client = client.clone();
    Box::pin(async move {
        let request = StartRequest {
            name: "five_activities".to_owned(),
            input: Some("0".to_owned()),
            ..StartRequest::default()
        };
        let started = client.start(None, request).await?;
        let run = started.execution_id.as_deref();
        let output = client.result(None, &started.instance_id, run, Some(Duration::from_secs(60))).await?;
        match output.as_deref() {
            Some("5") => Ok(()),
            other => Err(format!("a workflow gave {other:?} instead of 5").into()),
        }
    })
}

/// CPU of all threads of the process so far, in microseconds; NaN where the system does not tell.
fn process_cpu() -> f64 {
    let ticks = || {
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        let (_, fields) = stat.rsplit_once(')')?;
        let mut ticks = fields.split_whitespace().skip(11).map(|field| field.parse::<f64>().ok());
        Some(ticks.next()?? + ticks.next()??)
    };
    ticks().map_or(f64::NAN, |ticks| ticks * 10_000.0)
}
