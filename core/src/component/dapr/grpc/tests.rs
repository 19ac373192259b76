use super::*;
use crate::model::Reuse;
use crate::runtime::wait_on;
use crate::testkit::sidecar::{Fault, Runtime, Sidecar, What};

fn wait<T>(pending: Pending<'_, T>) -> Result<T> {
    wait_on(pending, Some(Duration::from_secs(30)))
}

fn open(sidecar: &Sidecar) -> DaprGrpc {
    DaprGrpc::open(&sidecar.endpoint(), &ClientOptions::default()).unwrap()
}

fn kind<T: std::fmt::Debug>(answer: Result<T>) -> ErrorKind {
    answer.unwrap_err().kind()
}

#[test]
fn what_changes_nothing_is_asked_again_and_the_rest_is_not() {
    let sidecar = Sidecar::open(Runtime::dapr_1_18());
    sidecar.begin("a", "flow", Some("1"));
    let dapr = open(&sidecar);
    sidecar.fault("GetInstance", Fault::before(What::Cut));
    assert_eq!(wait(dapr.get("a", true)).unwrap().input.as_deref(), Some("1"));
    assert_eq!(sidecar.calls_of("GetInstance").len(), 2);
    sidecar.fault("RaiseEvent", Fault::after(What::Cut));
    assert_eq!(kind(wait(dapr.raise_event("a", "go".into(), None))), ErrorKind::Unavailable);
    assert_eq!(sidecar.calls_of("RaiseEvent").len(), 1);
}

#[test]
fn a_sidecar_that_comes_back_is_called_again() {
    let sidecar = Sidecar::open(Runtime::dapr_1_18());
    sidecar.begin("a", "flow", None);
    let dapr = open(&sidecar);
    wait(dapr.get("a", true)).unwrap();
    sidecar.stop();
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| wait(dapr.get("a", true)));
        sidecar.start();
        asked.join().unwrap().unwrap();
    });
    wait(dapr.raise_event("a", "go".into(), None)).unwrap();
    assert_eq!(sidecar.calls_of("RaiseEvent").len(), 1);
}

#[test]
fn a_dropped_future_cancels_the_call() {
    let sidecar = Sidecar::open(Runtime::dapr_1_18());
    sidecar.begin("a", "flow", None);
    let dapr = open(&sidecar);
    let waiting = dapr.wait_for_completion("a", None, false);
    let short = wait_on(waiting, Some(Duration::from_millis(300)));
    assert_eq!(kind(short), ErrorKind::Timeout);
    // The connection lives on, and the next call goes over it.
    wait(dapr.get("a", true)).unwrap();
}

#[test]
fn a_wait_survives_that_the_sidecar_is_replaced() {
    let sidecar = Sidecar::open(Runtime::dapr_1_18());
    sidecar.begin("a", "flow", None);
    let dapr = open(&sidecar);
    std::thread::scope(|scope| {
        let waiting =
            scope.spawn(|| wait_on(dapr.wait_for_start("a", None, false), Some(Duration::from_secs(8))));
        sidecar.until("the wait comes", |sidecar| !sidecar.calls_of("WaitForInstanceStart").is_empty());
        sidecar.stop();
        sidecar.start();
        sidecar.until("it comes again", |sidecar| sidecar.calls_of("WaitForInstanceStart").len() == 2);
        assert_eq!(kind(waiting.join().unwrap()), ErrorKind::Timeout);
    });
}

#[test]
fn a_method_that_the_runtime_lacks_is_named_by_its_version() {
    let sidecar = Sidecar::open(Runtime::dapr_1_18());
    let dapr = open(&sidecar);
    let request = RerunRequest { instance_id: "a".into(), ..RerunRequest::default() };
    let error = wait(dapr.rerun(request)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotImplemented);
    assert!(error.message().contains("1.17"), "{error}");
}

#[test]
fn what_a_runtime_would_drop_is_refused() {
    let sidecar = Sidecar::open(Runtime::dapr_1_18());
    let dapr = open(&sidecar);
    let start =
        StartRequest { name: "flow".into(), instance_id: Some("a".into()), ..StartRequest::default() };
    let refused = [
        StartRequest { version: Some("2".into()), ..start.clone() },
        StartRequest { tags: [("a".to_owned(), "b".to_owned())].into(), ..start.clone() },
        StartRequest { reuse: Reuse::Never, ..start },
    ];
    for request in refused {
        assert_eq!(kind(wait(dapr.start(request))), ErrorKind::NotImplemented);
    }
    assert!(sidecar.calls_of("StartInstance").is_empty());
}

#[test]
fn pages_hold_what_matches_and_end() {
    let sidecar = Sidecar::open(Runtime::dapr_1_18());
    let dapr = open(&sidecar);
    for number in 0..25 {
        sidecar.begin(&format!("i{number:02}"), "flow", None);
    }
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let request = ListRequest { cursor, limit: Some(7), ..ListRequest::default() };
        let page = wait(dapr.list(request)).unwrap();
        assert!(page.states.len() <= 7);
        found.extend(page.states.into_iter().map(|state| state.instance_id));
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
    }
    let expected: Vec<String> = (0..25).map(|number| format!("i{number:02}")).collect();
    assert_eq!(found, expected);
    let completed = Filter { statuses: vec![RuntimeStatus::Completed], ..Filter::default() };
    let page = wait(dapr.list(ListRequest { filter: completed, ..ListRequest::default() })).unwrap();
    assert!(page.states.is_empty() && page.cursor.is_none());
    assert_eq!(wait(dapr.count(Filter::default())).unwrap(), [(RuntimeStatus::Pending, 25)]);
    for wrong in ["", "7", "."] {
        let request = ListRequest { cursor: Some(wrong.into()), ..ListRequest::default() };
        assert_eq!(kind(wait(dapr.list(request))), ErrorKind::InvalidArgument, "{wrong:?}");
        let bulk = dapr.bulk(BulkAction::Purge, Filter::default(), Some(wrong.into()));
        assert_eq!(kind(wait(bulk)), ErrorKind::InvalidArgument, "{wrong:?}");
    }
}

#[test]
fn a_bulk_operation_bears_what_is_gone_and_says_what_it_did() {
    let sidecar = Sidecar::open(Runtime::dapr_1_18());
    let dapr = open(&sidecar);
    for number in 0..40 {
        sidecar.begin(&format!("i{number:02}"), "flow", None);
    }
    let gone = || Fault::status(tonic::Code::Unknown, "no such instance exists");
    let all = || dapr.bulk(BulkAction::Resume { reason: None }, Filter::default(), None);
    (0..40).for_each(|_| sidecar.fault("ResumeInstance", gone()));
    assert_eq!(wait(all()).unwrap(), BulkStep { done: 0, cursor: None });
    sidecar.fault("ResumeInstance", Fault::status(tonic::Code::Internal, "a fault"));
    (1..40).for_each(|_| sidecar.fault("ResumeInstance", gone()));
    let error = wait(all()).unwrap_err();
    assert_eq!((error.kind(), error.done()), (ErrorKind::Internal, Some(0)));
}

#[cfg(unix)]
#[test]
fn a_unix_socket_is_an_endpoint() {
    use std::os::unix::net::UnixListener;
    let sidecar = Sidecar::open(Runtime::dapr_1_18());
    sidecar.begin("a", "flow", Some("1"));
    let scratch = crate::testkit::scratch::Scratch::new();
    let path = scratch.path("dapr.sock");
    let (listener, port) = (UnixListener::bind(&path).unwrap(), sidecar.port());
    std::thread::spawn(move || {
        for near in listener.incoming().flatten() {
            let far = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
            let (mut from_near, mut from_far) = (near.try_clone().unwrap(), far.try_clone().unwrap());
            let (mut near, mut far) = (near, far);
            std::thread::spawn(move || std::io::copy(&mut from_near, &mut far));
            std::thread::spawn(move || std::io::copy(&mut from_far, &mut near));
        }
    });
    let dapr = DaprGrpc::open(&format!("unix:{}", path.display()), &ClientOptions::default()).unwrap();
    assert_eq!(wait(dapr.get("a", true)).unwrap().input.as_deref(), Some("1"));
}
