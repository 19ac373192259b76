//! The sidecar of the test kit, by what daprd is known to do. A worker of a few lines stands in for a real one.

#![allow(clippy::unwrap_used, unreachable_pub)]

use std::time::Duration;

use everstep::component::Pending;
use everstep::history::wire::work_item::Request as Work;
use everstep::history::wire::workflow_action::WorkflowActionType as Action;
use everstep::history::wire::{self, WorkerCapability};
use everstep::model::{RuntimeStatus, StartRequest};
use everstep::testkit::sidecar::{Fault, Runtime, Sidecar, What};
use everstep::{Client, ErrorKind, Result};
use prost::Message;
use tokio::runtime::Builder;
use tonic::client::Grpc;
use tonic::codec::Streaming;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

const PATIENCE: Duration = Duration::from_secs(20);

/// A connection with one stream of work items.
struct Peer {
    tokio: tokio::runtime::Runtime,
    channel: Channel,
    items: Option<Streaming<wire::WorkItem>>,
}

impl Peer {
    fn new(sidecar: &Sidecar) -> Peer {
        let tokio = Builder::new_current_thread().enable_all().build().unwrap();
        let endpoint = Endpoint::from_shared(sidecar.endpoint().replace("grpc", "http")).unwrap();
        let channel = tokio.block_on(endpoint.connect()).unwrap();
        Peer { tokio, channel, items: None }
    }

    fn worker(sidecar: &Sidecar, capabilities: &[WorkerCapability]) -> Peer {
        let mut peer = Peer::new(sidecar);
        let request = wire::GetWorkItemsRequest {
            capabilities: capabilities.iter().map(|capability| i32::from(*capability)).collect(),
        };
        let mut grpc = Grpc::new(peer.channel.clone());
        let items = peer.tokio.block_on(async {
            grpc.ready().await.unwrap();
            let path = "/TaskHubSidecarService/GetWorkItems".parse().unwrap();
            let codec = ProstCodec::<wire::GetWorkItemsRequest, wire::WorkItem>::default();
            grpc.server_streaming(Request::new(request), path, codec).await.unwrap().into_inner()
        });
        peer.items = Some(items);
        peer
    }

    fn call<Q, A>(&self, method: &str, request: Q) -> Result<A, Status>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        let mut grpc = Grpc::new(self.channel.clone());
        self.tokio.block_on(async {
            grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
            let path = format!("/TaskHubSidecarService/{method}").parse().unwrap();
            let call = grpc.unary(Request::new(request), path, ProstCodec::<Q, A>::default());
            tokio::time::timeout(PATIENCE, call).await.unwrap().map(tonic::Response::into_inner)
        })
    }

    fn next(&mut self) -> Result<wire::WorkItem, Status> {
        let message = self.items.as_mut().unwrap().message();
        let item = self.tokio.block_on(async { tokio::time::timeout(PATIENCE, message).await.unwrap() });
        item.map(|item| item.unwrap())
    }

    fn turn(&mut self) -> (wire::WorkflowRequest, String) {
        let item = self.next().unwrap();
        match item.request {
            Some(Work::WorkflowRequest(request)) => (request, item.completion_token),
            other => panic!("{other:?}"),
        }
    }

    fn answer(&self, actions: Vec<(i32, Action)>, token: &str) -> Result<(), Status> {
        let actions = actions.into_iter().map(|(id, action)| wire::WorkflowAction {
            id,
            workflow_action_type: Some(action),
            ..Default::default()
        });
        let response = wire::WorkflowResponse {
            instance_id: "a".into(),
            actions: actions.collect(),
            completion_token: token.to_owned(),
            ..Default::default()
        };
        self.call::<_, wire::CompleteTaskResponse>("CompleteWorkflowTask", response).map(drop)
    }

    /// Runs the activity that comes next.
    fn activity(&mut self) {
        let item = self.next().unwrap();
        let Some(Work::ActivityRequest(request)) = item.request else { panic!("{item:?}") };
        let response = wire::ActivityResponse {
            instance_id: request.workflow_instance.unwrap().instance_id,
            task_id: request.task_id,
            result: Some("2".into()),
            failure_details: None,
            completion_token: item.completion_token,
        };
        self.call::<_, wire::CompleteTaskResponse>("CompleteActivityTask", response).unwrap();
    }
}

fn schedule() -> Action {
    Action::ScheduleTask(wire::ScheduleTaskAction { name: "double".into(), ..Default::default() })
}

fn end() -> Action {
    let status = RuntimeStatus::Completed.number();
    Action::CompleteWorkflow(wire::CompleteWorkflowAction {
        workflow_status: status,
        result: Some("\"end\"".into()),
        ..Default::default()
    })
}

fn wait<T>(call: Pending<'static, T>) -> Result<T> {
    everstep::runtime::wait_on(call, Some(PATIENCE))
}

/// Starts the instance `a` on a thread, since a start waits for a worker.
fn start(client: &Client) -> std::thread::JoinHandle<()> {
    let client = client.clone();
    std::thread::spawn(move || {
        let request = StartRequest {
            name: "flow".into(),
            instance_id: Some("a".into()),
            input: Some("1".into()),
            ..StartRequest::default()
        };
        wait(client.start(None, request)).unwrap();
    })
}

fn kinds(events: &[wire::HistoryEvent]) -> Vec<&'static str> {
    events.iter().map(|event| everstep::history::Event::new(event.clone()).kind()).collect()
}

#[test]
fn a_run_goes_as_it_does_at_daprd() {
    let sidecar = Sidecar::open(Runtime::dapr_1_18());
    let client = sidecar.client();
    let mut worker = Peer::worker(&sidecar, &[]);
    let started = start(&client);
    let (first, token) = worker.turn();
    assert_eq!((kinds(&first.past_events), token.as_str()), (vec![], ""));
    assert_eq!(kinds(&first.new_events), ["WorkflowStarted", "ExecutionStarted"]);
    assert_eq!(first.execution_id, None);
    worker.answer(vec![(1, schedule())], "").unwrap();
    started.join().unwrap();
    worker.activity();
    let (second, _) = worker.turn();
    assert_eq!(kinds(&second.past_events), ["WorkflowStarted", "ExecutionStarted", "TaskScheduled"]);
    assert_eq!(kinds(&second.new_events), ["WorkflowStarted", "TaskCompleted"]);
    worker.answer(vec![(2, end())], "").unwrap();
    let state = wait(client.wait_for_completion(None, "a", None, true)).unwrap();
    assert_eq!((state.status, state.output.as_deref()), (RuntimeStatus::Completed, Some("\"end\"")));
    assert_eq!(wait(client.history(None, "a")).unwrap().len(), 6);
    assert_eq!((sidecar.sent(), sidecar.stale(), sidecar.refused()), ((2, 1), 0, vec![]));
    // An answer that nothing waits for is an OK.
    worker.answer(vec![(2, end())], "").unwrap();
    assert_eq!(sidecar.stale(), 1);
}

#[test]
fn what_a_stream_had_is_sent_again_when_it_closes() {
    let sidecar = Sidecar::open(Runtime::dapr_1_18());
    let client = sidecar.client();
    let mut worker = Peer::worker(&sidecar, &[]);
    let started = start(&client);
    worker.turn();
    sidecar.end_streams(Code::Cancelled, "shutting down");
    let status = worker.next().unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Cancelled, "shutting down"));
    let mut worker = Peer::worker(&sidecar, &[]);
    worker.turn();
    worker.answer(vec![(1, schedule())], "").unwrap();
    started.join().unwrap();
    assert!(matches!(worker.next().unwrap().request, Some(Work::ActivityRequest(_))));
    sidecar.stop();
    assert!(worker.next().is_err());
    sidecar.until("the stream closes", |sidecar| sidecar.streams() == 0);
    sidecar.start();
    let mut worker = Peer::worker(&sidecar, &[]);
    worker.activity();
    assert_eq!(sidecar.sent(), (3, 2));
}

#[test]
fn the_next_line_has_tokens_and_sends_what_a_worker_has_not() {
    let sidecar = Sidecar::open(Runtime::dapr_1_19());
    let client = sidecar.client();
    let mut worker =
        Peer::worker(&sidecar, &[WorkerCapability::StatefulHistory, WorkerCapability::HealthPing]);
    assert_eq!(sidecar.ping(), 1);
    assert!(matches!(worker.next().unwrap().request, Some(Work::HealthPing(_))));
    let started = start(&client);
    let (first, token) = worker.turn();
    assert!(first.cached_history.is_none() && first.execution_id.is_some());
    worker.answer(vec![(9, schedule())], "of nothing").unwrap();
    assert_eq!((sidecar.stale(), sidecar.history("a").len()), (1, 0));
    worker.answer(vec![(1, schedule())], &token).unwrap();
    started.join().unwrap();
    worker.activity();
    let (second, token) = worker.turn();
    assert_eq!(second.cached_history, None, "the first turn sent no past");
    worker.answer(vec![], &token).unwrap();
    wait(client.raise_event(None, "a", "go", None)).unwrap();
    let (third, _) = worker.turn();
    assert_eq!(third.cached_history.unwrap().event_count, 3);
    assert_eq!(kinds(&third.past_events), ["WorkflowStarted", "TaskCompleted"]);
    assert_eq!(kinds(&third.new_events), ["WorkflowStarted", "EventRaised"]);
}

#[test]
fn faults_strike_before_and_after() {
    let sidecar = Sidecar::open(Runtime::dapr_1_18());
    let client = sidecar.client();
    let mut worker = Peer::worker(&sidecar, &[]);
    let started = start(&client);
    worker.turn();
    sidecar.fault("CompleteWorkflowTask", Fault::status(Code::ResourceExhausted, "full, 100 %"));
    sidecar.fault("CompleteWorkflowTask", Fault::before(What::Reset));
    let status = worker.answer(vec![], "").unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::ResourceExhausted, "full, 100 %"));
    worker.answer(vec![], "").unwrap_err();
    assert!(sidecar.history("a").is_empty());
    sidecar.fault("CompleteWorkflowTask", Fault::after(What::Cut));
    worker.answer(vec![(1, schedule())], "").unwrap_err();
    started.join().unwrap();
    assert_eq!(sidecar.history("a").len(), 3);
    let mut worker = Peer::worker(&sidecar, &[]);
    worker.activity();
    worker.turn();
    sidecar.fault("CompleteWorkflowTask", Fault::before(What::Hold));
    std::thread::scope(|scope| {
        let held = scope.spawn(|| worker.answer(vec![(2, end())], ""));
        sidecar.until("the answer comes", |sidecar| sidecar.calls_of("CompleteWorkflowTask").len() == 4);
        assert_eq!(sidecar.state("a").unwrap().workflow_status, RuntimeStatus::Running.number());
        sidecar.release();
        held.join().unwrap().unwrap();
    });
    assert_eq!(sidecar.state("a").unwrap().workflow_status, RuntimeStatus::Completed.number());
}

#[test]
fn refusals_are_those_of_daprd() {
    let mut runtime = Runtime::dapr_1_18();
    runtime.api_token = Some("secret".into());
    runtime.complete_workflow_task = false;
    let sidecar = Sidecar::open(runtime);
    let peer = Peer::new(&sidecar);
    assert_eq!(peer.answer(vec![], "").unwrap_err().code(), Code::Unauthenticated);
    sidecar.change(|runtime| runtime.api_token = None);
    let status = peer.answer(vec![], "").unwrap_err();
    assert!(status.code() == Code::Unknown && status.message().starts_with("failed to proxy request: "));
    let client = sidecar.client();
    let missing = wait(client.raise_event(None, "nobody", "go", None)).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    sidecar.change(|runtime| runtime.max_message = 100);
    let large = wait(client.raise_event(None, "nobody", "go", Some("1".repeat(200)))).unwrap_err();
    assert_eq!(large.kind(), ErrorKind::PayloadTooLarge);
}

#[test]
fn a_port_is_kept_while_nobody_answers_there() {
    let sidecar = Sidecar::reserve(Runtime::dapr_1_18());
    let port = sidecar.port();
    let connect = || std::net::TcpStream::connect(("127.0.0.1", port));
    assert!(connect().is_err());
    for _ in 0..3 {
        sidecar.start();
        Peer::new(&sidecar).call::<_, ()>("Hello", ()).unwrap();
        sidecar.stop();
        assert!(connect().is_err());
    }
}

#[test]
fn a_history_of_tomorrow_reads_as_one_of_today() {
    let mut runtime = Runtime::dapr_1_18();
    runtime.of_tomorrow = true;
    let sidecar = Sidecar::open(runtime);
    let client = sidecar.client();
    let mut worker = Peer::worker(&sidecar, &[]);
    let started = start(&client);
    worker.turn();
    worker.answer(vec![(1, schedule())], "").unwrap();
    started.join().unwrap();
    let item = worker.next().unwrap();
    let Some(Work::ActivityRequest(request)) = item.request else { panic!("{item:?}") };
    assert_eq!(request.propagated_history.unwrap().scope, 77);
    let history = wait(client.history(None, "a")).unwrap();
    assert_eq!(history.len(), 3);
    for event in &history {
        assert!(event.bytes().len() > event.message().encoded_len(), "a field of tomorrow stays");
        assert!(event.message().event_type.is_some());
    }
}
