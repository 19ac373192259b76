//! Calls of the core, submitted to a queue from which one thread brings their answers to the event loop, in batches.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use everstep::component::Pending;
use everstep::runtime::{Finished, Submissions, Submitted, Ticket};
use everstep::{Error, Result};
use futures_channel::oneshot;
use napi::bindgen_prelude::{Function, Object, ToNapiValue};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, JsValue, sys};
use napi_derive::napi;

use crate::convert::ToNode;
use crate::error::NativeError;

/// An answer of the core, converted on the event loop's thread.
pub(crate) type Answer = Box<dyn ToNode>;

/// How many answers are brought at once: what goes on at each of them keeps the event loop from everything else.
const BATCH: usize = 64;

type Tell = ThreadsafeFunction<Batch, (), Batch, napi::Status, false, true>;

/// The calls of one JavaScript thread that are under way.
#[napi]
pub struct NativeQueue {
    calls: Arc<Submissions<Answer>>,
    tell: Arc<Tell>,
    /// Asks the thread for the next batch; there is no thread before the first call that waits.
    next: OnceLock<Sender<()>>,
}

impl Drop for NativeQueue {
    fn drop(&mut self) {
        // Ends the thread, which holds the function that it tells.
        self.calls.close();
    }
}

#[napi]
impl NativeQueue {
    /// A queue that hands what has ended to `tell`, and then waits for `next`. It does not keep the process alive: see
    /// `hold`.
    #[napi(constructor)]
    pub fn new(
        #[napi(ts_arg_type = "(ended: NativeEnded[]) => void")] tell: Function<'_, Batch, ()>,
    ) -> napi::Result<NativeQueue> {
        let tell = tell.build_threadsafe_function::<Batch>().weak::<true>().build()?;
        let calls = Arc::new(Submissions::new());
        Ok(NativeQueue { calls, tell: Arc::new(tell), next: OnceLock::new() })
    }

    /// Gives a call up: its future in the core is dropped. `false` if it has ended.
    #[napi]
    pub fn cancel(&self, ticket: f64) -> bool {
        self.calls.cancel(Ticket(ticket as u64))
    }

    /// Asks for the batch after the one that `tell` was given.
    #[napi]
    pub fn next(&self) {
        if let Some(next) = self.next.get() {
            // The thread ends with this object, or with its JavaScript thread.
            let _ = next.send(());
        }
    }

    /// Whether the process stays alive for what is under way.
    #[napi]
    pub fn hold(&self, env: Env, alive: bool) -> napi::Result<()> {
        hold(env, &self.tell, alive)
    }
}

#[expect(unsafe_code, reason = "napi has no safe way to do this that is not deprecated")]
fn hold(env: Env, tell: &Tell, alive: bool) -> napi::Result<()> {
    let status = tell.handle.with_read_aborted(|aborted| {
        if aborted {
            return sys::Status::napi_ok;
        }
        let raw = tell.handle.get_raw();
        // SAFETY: the function has not been aborted, and this is the thread of its environment.
        unsafe {
            match alive {
                true => sys::napi_ref_threadsafe_function(env.raw(), raw),
                false => sys::napi_unref_threadsafe_function(env.raw(), raw),
            }
        }
    });
    napi::check_status!(status)
}

impl NativeQueue {
    /// Begins a call here; what is there at once is answered at once.
    pub(crate) fn submit<T: ToNode>(
        &self,
        pending: Pending<'static, T>,
        deadline: Option<Duration>,
    ) -> Reply {
        match self.calls.submit(0, boxed(pending), deadline) {
            Submitted::Ready(answer) => Reply(Became::Answered(answer)),
            Submitted::Waiting(ticket) => self.waiting(ticket),
        }
    }

    /// The same for what reads so much that the event loop would be missed meanwhile: it begins on the queue's thread.
    pub(crate) fn defer<T: ToNode>(&self, pending: Pending<'static, T>, deadline: Option<Duration>) -> Reply {
        match self.calls.defer(0, boxed(pending), deadline) {
            Ok(ticket) => self.waiting(ticket),
            Err(error) => Reply::refused(error),
        }
    }

    /// Does what blocks on a thread of its own.
    pub(crate) fn block<T: ToNode>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Reply {
        let (sender, receiver) = oneshot::channel();
        let thread = std::thread::Builder::new().name("everstep-blocking".to_owned());
        let spawned = thread.spawn(move || {
            // Nobody may wait any more.
            let _ = sender.send(work());
        });
        if let Err(error) = spawned {
            let message = format!("no thread can be started: {error}");
            return Reply::refused(Error::new(everstep::ErrorKind::ResourceExhausted, message));
        }
        let broken = || Error::new(everstep::ErrorKind::Internal, "the operation panicked");
        self.submit(Box::pin(async move { receiver.await.unwrap_or_else(|_| Err(broken())) }), None)
    }

    fn waiting(&self, ticket: Ticket) -> Reply {
        if self.next.get().is_none() {
            let (next, asked) = channel();
            let (calls, tell) = (self.calls.clone(), self.tell.clone());
            let thread = std::thread::Builder::new().name("everstep-answers".to_owned());
            let spawned = thread.spawn(move || {
                while let Some(finished) = calls.take(BATCH, None) {
                    tell.call(Batch(finished), ThreadsafeFunctionCallMode::NonBlocking);
                    if asked.recv().is_err() {
                        return;
                    }
                }
            });
            if let Err(error) = spawned {
                self.calls.cancel(ticket);
                let message = format!("no thread can be started: {error}");
                return Reply::refused(Error::new(everstep::ErrorKind::ResourceExhausted, message));
            }
            // All calls of a queue are made on one thread.
            let _ = self.next.set(next);
        }
        Reply(Became::Waiting(ticket))
    }
}

fn boxed<T: ToNode>(pending: Pending<'static, T>) -> Pending<'static, Answer> {
    Box::pin(async move { Ok(Box::new(pending.await?) as Answer) })
}

/// What became of a call at once: the ticket of one that waits, or the answer of one that has ended.
pub struct Reply(Became);

enum Became {
    Answered(Result<Answer>),
    Waiting(Ticket),
}

impl Reply {
    /// The answer of a call that could not even be made.
    pub(crate) fn refused(error: Error) -> Reply {
        Reply(Became::Answered(Err(error)))
    }
}

impl ToNapiValue for Reply {
    #[expect(unsafe_code, reason = "the trait's contract")]
    unsafe fn to_napi_value(env: sys::napi_env, reply: Reply) -> napi::Result<sys::napi_value> {
        match reply.0 {
            // SAFETY: `env` is what this function was given.
            Became::Waiting(ticket) => unsafe { f64::to_napi_value(env, ticket.0 as f64) },
            Became::Answered(answer) => answered(env, answer, Object::new(&Env::from_raw(env))?),
        }
    }
}

/// Calls that have ended.
pub struct Batch(Vec<Finished<Answer>>);

impl ToNapiValue for Batch {
    #[expect(unsafe_code, reason = "the trait's contract")]
    unsafe fn to_napi_value(env: sys::napi_env, batch: Batch) -> napi::Result<sys::napi_value> {
        let environment = Env::from_raw(env);
        let mut list = environment.create_array(u32::try_from(batch.0.len()).unwrap_or(u32::MAX))?;
        for (index, Finished { ticket, answer, .. }) in (0..).zip(batch.0) {
            let mut ended = Object::new(&environment)?;
            ended.set("ticket", ticket.0 as f64)?;
            answered(env, answer, ended)?;
            list.set(index, ended)?;
        }
        // SAFETY: `env` is what this function was given.
        unsafe { ToNapiValue::to_napi_value(env, list) }
    }
}

/// Puts `value` or `error` into an object.
#[expect(unsafe_code, reason = "an answer's type is erased, and so is its value")]
fn answered(
    env: sys::napi_env,
    answer: Result<Answer>,
    mut into: Object<'_>,
) -> napi::Result<sys::napi_value> {
    match answer {
        Ok(answer) => {
            let value = answer.to_node(env)?;
            // SAFETY: the value was made in this environment, in this scope.
            let status = unsafe { sys::napi_set_named_property(env, into.raw(), c"value".as_ptr(), value) };
            napi::check_status!(status)?;
        }
        Err(error) => into.set("error", NativeError::from(&error))?,
    }
    Ok(into.raw())
}
