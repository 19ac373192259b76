//! A sidecar inside the test process: Dapr's task hub service on a loopback port, with faults that a real one shows only by
//! chance.
//!
//! It plays daprd 1.18 or the line after it, in what a worker and a client can see of them, and keeps its instances in
//! memory over [`Sidecar::stop`] and [`Sidecar::start`]. It speaks HTTP/2 itself, so that a test can cut a call at any place.
//!
//! ```text
//! let sidecar = Sidecar::open(Runtime::dapr_1_18());
//! sidecar.fault("CompleteWorkflowTask", Fault::after(What::Cut));
//! let client = sidecar.client();
//! ```

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use prost::Message;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use crate::client::Client;
use crate::component::Registry;
use crate::history::{Event, wire};
use crate::model::RuntimeStatus;
use crate::options::{ClientOptions, Environment};

mod apply;
mod fault;
mod hub;
mod instance;
mod items;
mod methods;
mod serve;
mod state;

pub use fault::{Fault, What};
pub use hub::Call;
use hub::Hub;
use instance::Instance;
use serve::Listener;
use state::State;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the sidecar can do.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Runtime {
    /// Whether it has `CompleteWorkflowTask`.
    pub complete_workflow_task: bool,
    /// Whether it has `CompleteOrchestratorTask`.
    pub complete_orchestrator_task: bool,
    /// Whether a work item has a completion token, and an answer with another one is dropped.
    pub completion_tokens: bool,
    /// Whether a worker that can is sent only the events that it has not got on its stream.
    pub stateful_history: bool,
    /// Whether every message has fields and enum numbers that nobody knows yet.
    pub of_tomorrow: bool,
    /// The token that each call must have.
    pub api_token: Option<String>,
    /// The largest message that it takes, in bytes.
    pub max_message: usize,
    /// The code and the text of its answer to a method that it does not have.
    pub unknown_method: (tonic::Code, &'static str),
}

impl Runtime {
    /// What daprd 1.18 does: no completion tokens, whole histories.
    pub fn dapr_1_18() -> Runtime {
        Runtime {
            complete_workflow_task: true,
            complete_orchestrator_task: true,
            completion_tokens: false,
            stateful_history: false,
            of_tomorrow: false,
            api_token: None,
            max_message: 4 << 20,
            unknown_method: (
                tonic::Code::Unknown,
                "failed to proxy request: required metadata dapr-callee-app-id or dapr-app-id not found",
            ),
        }
    }

    /// What the line after 1.18 does: completion tokens and suffixes of histories.
    pub fn dapr_1_19() -> Runtime {
        Runtime { completion_tokens: true, stateful_history: true, ..Runtime::dapr_1_18() }
    }
}

/// A running sidecar. It ends when it is dropped.
pub struct Sidecar {
    hub: Arc<Hub>,
    listener: Arc<Listener>,
    handle: Handle,
    ended: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sidecar {
    /// A sidecar that answers.
    ///
    /// # Panics
    /// If there is no free port on the loopback interface.
    pub fn open(runtime: Runtime) -> Sidecar {
        let sidecar = Sidecar::reserve(runtime);
        sidecar.start();
        sidecar
    }

    /// A sidecar that has its port and does not answer there yet.
    ///
    /// # Panics
    /// If there is no free port on the loopback interface.
    pub fn reserve(runtime: Runtime) -> Sidecar {
        let (ready, is_ready) = channel();
        let (ended, end) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let tokio = Builder::new_current_thread().enable_all().build().expect("a test has threads");
            ready.send(tokio.handle().clone()).expect("its owner waits");
            let _ = tokio.block_on(end);
        });
        let handle = is_ready.recv_timeout(PATIENCE).expect("a thread starts");
        let hub = Hub::new(runtime, handle.clone());
        let listener = Arc::new(Listener::bind(&handle));
        Sidecar { hub, listener, handle, ended: Some(ended), thread: Some(thread) }
    }

    /// Answers, at first or again after [`Sidecar::stop`], on the same port and with the instances that it had.
    ///
    /// # Panics
    /// If the port was taken meanwhile.
    pub fn start(&self) {
        self.listener.listen(&self.handle, &self.hub);
    }

    /// Ends as a killed process does: all connections are cut, new ones are refused.
    ///
    /// # Panics
    /// If the port was taken meanwhile.
    pub fn stop(&self) {
        self.listener.close(&self.handle);
        self.hub.cut();
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.listener.port()
    }

    /// Its endpoint.
    pub fn endpoint(&self) -> String {
        format!("grpc://127.0.0.1:{}", self.port())
    }

    /// A client of it, with its API token if it has one.
    ///
    /// # Panics
    /// If the client cannot be opened.
    pub fn client(&self) -> Client {
        let mut options = ClientOptions::at(self.endpoint());
        options.remote.api_token = self.hub.lock().runtime.api_token.clone();
        Client::open_in(&Environment::new(|_| None, "/"), Registry::default(), options)
            .expect("the endpoint can be opened")
    }

    /// Changes what it can do, as another release in its place does.
    pub fn change(&self, change: impl FnOnce(&mut Runtime)) {
        change(&mut self.hub.lock().runtime);
    }

    /// Lets the next call of a method fail. Several are for as many calls, in order.
    pub fn fault(&self, method: &'static str, fault: Fault) {
        self.hub.lock().faults.push((method, fault));
    }

    /// Lets the calls go on that [`What::Hold`] holds.
    pub fn release(&self) {
        self.hub.change(|state| state.released += 1);
    }

    /// Cuts every connection. New ones are accepted.
    pub fn cut(&self) {
        self.hub.cut();
    }

    /// Ends every stream of work items with this status.
    pub fn end_streams(&self, code: tonic::Code, text: &str) {
        self.hub.change(|state| state.end_streams(code, text));
    }

    /// Sends a health ping to every worker that says that it knows them; gives how many those are.
    pub fn ping(&self) -> usize {
        self.hub.change(State::ping)
    }

    /// Sends bytes as a work item to every worker.
    pub fn send(&self, item: &Bytes) {
        self.hub.change(|state| state.send_all(item));
    }

    /// Gives an instance an event, whatever its bytes are.
    ///
    /// # Panics
    /// If there is no such instance, or the bytes are no event.
    pub fn deliver(&self, instance_id: &str, event: Bytes) {
        let event = Event::decode(event).expect("the bytes are an event");
        assert!(self.hub.change(|state| state.deliver(instance_id, event)), "no instance {instance_id:?}");
    }

    /// Accepts an instance, without a call that waits for a worker.
    ///
    /// # Panics
    /// If an instance that runs has the ID.
    pub fn begin(&self, instance_id: &str, name: &str, input: Option<&str>) {
        let instance = Instance::new(instance_id, name, input.map(str::to_owned), None);
        self.hub.change(|state| state.create(instance)).expect("the instance ID is free");
    }

    /// The calls that came in, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.hub.lock().calls.clone()
    }

    /// The calls of a method that came in, in order.
    pub fn calls_of(&self, method: &str) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.method == method).collect()
    }

    /// What a message of a worker was.
    ///
    /// # Panics
    /// If the call has another message.
    pub fn read<M: Message + Default>(call: &Call) -> M {
        M::decode(call.message.clone()).expect("the call has this message")
    }

    /// How many turns and activities were sent to workers.
    pub fn sent(&self) -> (usize, usize) {
        let state = self.hub.lock();
        (state.turns_sent, state.activities_sent)
    }

    /// How many streams of work items are open.
    pub fn streams(&self) -> usize {
        self.hub.lock().streams.len()
    }

    /// How many answers came for what nothing waited for, or with the token of another dispatch. daprd drops them with an OK.
    pub fn stale(&self) -> usize {
        self.hub.lock().stale
    }

    /// What daprd would refuse in answers: actions that it does not know, children that run already.
    pub fn refused(&self) -> Vec<String> {
        self.hub.lock().refused.clone()
    }

    /// The committed history of an instance.
    pub fn history(&self, instance_id: &str) -> Vec<Event> {
        self.hub.lock().instances.get(instance_id).map(|found| found.past.clone()).unwrap_or_default()
    }

    /// Whether an instance has ended, and its output.
    pub fn output(&self, instance_id: &str) -> Option<Option<String>> {
        let state = self.state(instance_id)?;
        RuntimeStatus::from_number(state.workflow_status).is_terminal().then_some(state.output)
    }

    /// The state of an instance.
    pub fn state(&self, instance_id: &str) -> Option<wire::WorkflowState> {
        self.hub.lock().instances.get(instance_id).map(|found| found.state(true))
    }

    /// Makes a worker's knowledge of a history wrong: the next suffix says that this many more events went before.
    pub fn miscount(&self, instance_id: &str, by: i32) {
        self.hub.lock().miscounts.insert(instance_id.to_owned(), by);
    }

    /// Waits until this holds; it is looked at again after everything that happens.
    ///
    /// # Panics
    /// If it does not hold within 30 seconds; `what` is the reason given.
    pub fn until(&self, what: &str, mut holds: impl FnMut(&Sidecar) -> bool) {
        let end = Instant::now() + PATIENCE;
        loop {
            let seen = self.hub.seen();
            if holds(self) {
                return;
            }
            if !self.hub.wait(seen, end) {
                let calls: Vec<String> = self.calls().into_iter().map(|call| call.method).collect();
                panic!("{what} did not happen; {:?} sent, calls: {calls:?}", self.sent());
            }
        }
    }
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        self.hub.cut();
        drop(self.ended.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
