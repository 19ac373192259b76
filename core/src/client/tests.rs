//! The client over a component that records what reaches it.

use std::future::ready;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;
use crate::model::BulkAction::{self, Purge};
use crate::model::{
    Failure, Filter, ListRequest, Payload, RuntimeStatus, StartRequest, Started, WorkflowState,
};
use crate::runtime::wait_on;

#[derive(Default)]
struct Recording {
    seen: Mutex<Vec<String>>,
    state: Mutex<WorkflowState>,
}

impl Recording {
    fn note(&self, call: String) {
        self.seen.lock().unwrap().push(call);
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

impl Workflow for Recording {
    fn endpoint(&self) -> &str {
        "test:recording"
    }

    fn start(&self, request: StartRequest) -> Pending<'_, Started> {
        let instance_id = request.instance_id.expect("the client fills the ID in");
        self.note(format!("start {} {instance_id} {:?}", request.name, request.input));
        Box::pin(ready(Ok(Started { instance_id, execution_id: Some("run-1".into()) })))
    }

    fn get<'a>(&'a self, id: &'a str, payloads: bool) -> Pending<'a, WorkflowState> {
        self.note(format!("get {id} {payloads}"));
        Box::pin(ready(Err(Error::new(ErrorKind::NotFound, "no such instance"))))
    }

    fn raise_event<'a>(&'a self, id: &'a str, name: String, data: Payload) -> Pending<'a, ()> {
        self.note(format!("raise {id} {name} {data:?}"));
        Box::pin(ready(Ok(())))
    }

    fn terminate<'a>(&'a self, id: &'a str, output: Payload, recursive: bool) -> Pending<'a, ()> {
        self.note(format!("terminate {id} {output:?} {recursive}"));
        Box::pin(ready(Ok(())))
    }

    fn purge<'a>(&'a self, id: &'a str, recursive: bool) -> Pending<'a, u64> {
        self.note(format!("purge {id} {recursive}"));
        Box::pin(ready(Ok(3)))
    }

    fn wait_for_completion<'a>(
        &'a self,
        id: &'a str,
        timeout: Option<Duration>,
        payloads: bool,
    ) -> Pending<'a, WorkflowState> {
        self.note(format!("wait {id} {timeout:?} {payloads}"));
        Box::pin(ready(Ok(self.state.lock().unwrap().clone())))
    }

    fn close(&self) {
        self.note("close".into());
    }
}

fn open(recording: &Arc<Recording>, options: ClientOptions) -> Client {
    let mut registry = Registry::default();
    registry.register("dapr", recording.clone()).unwrap();
    Client::open_in(&Environment::new(|_| None, "/"), registry, options).unwrap()
}

fn fixture() -> (Arc<Recording>, Client) {
    let recording = Arc::new(Recording::default());
    let client = open(&recording, ClientOptions::default().max_payload_bytes(8));
    (recording, client)
}

fn answer<T>(call: Pending<'static, T>) -> Result<T> {
    wait_on(call, Some(Duration::from_secs(10)))
}

fn named(name: &str) -> StartRequest {
    StartRequest { name: name.into(), ..StartRequest::default() }
}

#[test]
fn a_start_fills_the_id_in() {
    let (recording, client) = fixture();
    let started = answer(client.start(None, named("w"))).unwrap();
    let id = uuid::Uuid::parse_str(&started.instance_id).unwrap();
    assert_eq!(id.get_version_num(), 4);
    assert_eq!(recording.seen(), [format!("start w {id} None")]);
    let other = answer(client.start(Some("dapr"), named("w"))).unwrap();
    assert_ne!(started.instance_id, other.instance_id);
}

#[test]
fn absent_empty_and_null_payloads_stay_apart() {
    let (recording, client) = fixture();
    for data in [None, Some(String::new()), Some("null".to_owned())] {
        answer(client.raise_event(None, "a", "e", data)).unwrap();
    }
    assert_eq!(recording.seen(), ["raise a e None", "raise a e Some(\"\")", "raise a e Some(\"null\")"]);
}

#[test]
fn bad_arguments_reach_no_component() {
    let (recording, client) = fixture();
    let big = || Some("123456789".to_owned());
    let with_id = |id: &str| StartRequest { instance_id: Some(id.into()), ..named("w") };
    let option = || StartRequest { options: [("cron".to_owned(), "x".to_owned())].into(), ..named("w") };
    let unknown = || Filter { statuses: vec![RuntimeStatus::Unknown(77)], ..Filter::default() };
    let running = || Filter { statuses: vec![RuntimeStatus::Running], ..Filter::default() };
    let finished = || Filter { statuses: vec![RuntimeStatus::Failed], ..Filter::default() };
    let ends = || BulkAction::Terminate { output: big(), recursive: true };
    let kinds = [
        ("start", answer(client.start(None, named(""))).err(), ErrorKind::InvalidArgument),
        ("start", answer(client.start(None, with_id("a/b"))).err(), ErrorKind::InvalidArgument),
        ("start", answer(client.start(None, with_id(""))).err(), ErrorKind::InvalidArgument),
        ("start", answer(client.start(None, option())).err(), ErrorKind::NotImplemented),
        ("start", answer(client.start(Some("x"), named("w"))).err(), ErrorKind::InvalidArgument),
        (
            "start",
            answer(client.start(None, StartRequest { input: big(), ..named("w") })).err(),
            ErrorKind::PayloadTooLarge,
        ),
        ("get", answer(client.get(None, "", true)).err(), ErrorKind::InvalidArgument),
        ("pause", answer(client.pause(None, "a/b", None)).err(), ErrorKind::InvalidArgument),
        ("resume", answer(client.resume(None, "a\n", None)).err(), ErrorKind::InvalidArgument),
        ("raise", answer(client.raise_event(None, "a", "", None)).err(), ErrorKind::InvalidArgument),
        ("raise", answer(client.raise_event(None, "a", "e", big())).err(), ErrorKind::PayloadTooLarge),
        ("terminate", answer(client.terminate(None, "a", big(), true)).err(), ErrorKind::PayloadTooLarge),
        ("purge", answer(client.purge(None, &"x".repeat(257), true)).err(), ErrorKind::InvalidArgument),
        ("purges", answer(client.bulk(None, Purge, running(), None)).err(), ErrorKind::InvalidArgument),
        ("terminates", answer(client.bulk(None, ends(), finished(), None)).err(), ErrorKind::InvalidArgument),
        ("terminates", answer(client.bulk(None, ends(), running(), None)).err(), ErrorKind::PayloadTooLarge),
        (
            "list",
            answer(client.list(None, ListRequest { filter: unknown(), ..ListRequest::default() })).err(),
            ErrorKind::InvalidArgument,
        ),
        (
            "list",
            answer(client.list(None, ListRequest { limit: Some(0), ..ListRequest::default() })).err(),
            ErrorKind::InvalidArgument,
        ),
        ("count", answer(client.count(None, unknown())).err(), ErrorKind::InvalidArgument),
        ("history", answer(client.history(None, "")).err(), ErrorKind::InvalidArgument),
        ("result", answer(client.result(None, "", None, None)).err(), ErrorKind::InvalidArgument),
        ("wait", answer(client.wait_for_start(None, "", None, false)).err(), ErrorKind::InvalidArgument),
    ];
    for (index, (call, error, kind)) in kinds.into_iter().enumerate() {
        let error = error.unwrap_or_else(|| panic!("{index} {call} was accepted"));
        assert_eq!(error.kind(), kind, "{index} {call}: {error}");
        assert!(
            error.operation().is_some_and(|operation| operation.contains(call.trim_end_matches('s'))),
            "{error:?}"
        );
    }
    assert!(recording.seen().is_empty(), "{:?}", recording.seen());
}

#[test]
fn errors_say_operation_instance_and_place() {
    let (recording, client) = fixture();
    let error = answer(client.get(None, "order-7", false)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!((error.operation(), error.instance_id()), (Some("get_workflow"), Some("order-7")));
    assert!(error.message().contains("test:recording"));
    assert_eq!(recording.seen(), ["get order-7 false"]);
}

#[test]
fn what_a_component_lacks_is_not_implemented() {
    let (_, client) = fixture();
    let error = answer(client.pause(None, "a", None)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotImplemented);
    assert_eq!(error.message(), "this component doesn't implement the current API operation");
}

#[test]
fn a_result_is_the_output_or_says_how_it_ended() {
    let (recording, client) = fixture();
    let ended = |status, failure: Option<Failure>| {
        *recording.state.lock().unwrap() = WorkflowState {
            status,
            output: Some("7".into()),
            execution_id: Some("run-1".into()),
            failure,
            ..WorkflowState::default()
        };
    };
    let handle = client.handle(None, "a", Some("run-1"));
    ended(RuntimeStatus::Completed, None);
    assert_eq!(answer(handle.result(None)).unwrap().as_deref(), Some("7"));
    let inner = Failure { error_type: "KeyError".into(), ..Failure::default() };
    let outer =
        Failure { error_type: "ValueError".into(), cause: Some(Box::new(inner)), ..Failure::default() };
    ended(RuntimeStatus::Failed, Some(outer.clone()));
    let error = answer(handle.result(None)).unwrap_err();
    assert_eq!((error.kind(), error.failure()), (ErrorKind::WorkflowFailed, Some(&outer)));
    for (status, kind) in [
        (RuntimeStatus::Terminated, ErrorKind::WorkflowTerminated),
        (RuntimeStatus::Stalled, ErrorKind::WorkflowStalled),
    ] {
        ended(status, None);
        assert_eq!(answer(handle.result(None)).unwrap_err().kind(), kind);
    }
}

#[test]
fn a_replaced_run_has_no_result() {
    let (recording, client) = fixture();
    *recording.state.lock().unwrap() = WorkflowState {
        status: RuntimeStatus::Completed,
        execution_id: Some("run-2".into()),
        ..WorkflowState::default()
    };
    let result = |run| answer(client.result(None, "a", run, None));
    assert_eq!(result(Some("run-1")).unwrap_err().kind(), ErrorKind::NotFound);
    assert!(result(Some("run-2")).is_ok() && result(None).is_ok());
}

#[test]
fn nothing_works_after_closing() {
    let (recording, client) = fixture();
    let clone = client.clone();
    client.close();
    clone.close();
    assert_eq!(recording.seen(), ["close"]);
    assert_eq!(answer(clone.start(None, named("w"))).unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(answer(clone.purge(None, "a", true)).unwrap_err().kind(), ErrorKind::Closed);
    drop((client, clone));
    assert_eq!(recording.seen(), ["close"]);
}

#[test]
fn the_last_client_closes_its_components() {
    let (recording, client) = fixture();
    let handle = client.handle(None, "a", None);
    drop(client);
    assert!(recording.seen().is_empty());
    drop(handle);
    assert_eq!(recording.seen(), ["close"]);
}

#[test]
fn a_default_component_leaves_no_room_for_an_endpoint() {
    let mut registry = Registry::default();
    registry.register("dapr", Arc::new(Recording::default())).unwrap();
    let environment = Environment::new(|_| None, "/");
    let error = Client::open_in(&environment, registry, ClientOptions::at("memory:")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}
