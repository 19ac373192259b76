use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::*;
use crate::model::RuntimeStatus;
use crate::runtime::wait_on;

/// What the sidecar of a test does with a request.
enum Act {
    Answer(u16, String),
    /// Closes the connection without a word.
    Cut,
    /// Keeps the connection and says nothing.
    Hang,
}

type Requests = Arc<Mutex<Vec<(String, String)>>>;

/// A sidecar that does what a script says, and remembers the first lines and bodies of what it was asked.
struct Sidecar {
    address: String,
    requests: Requests,
}

impl Sidecar {
    fn new(script: impl Fn(usize, &str) -> Act + Send + Sync + 'static) -> Sidecar {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests = Requests::default();
        let (seen, script) = (requests.clone(), Arc::new(script));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, script) = (seen.clone(), script.clone());
                std::thread::spawn(move || serve(&stream, &seen, script.as_ref()));
            }
        });
        Sidecar { address, requests }
    }

    fn component(&self) -> DaprHttp {
        self.within(Duration::from_secs(20))
    }

    /// For calls whose time is to be over.
    fn impatient(&self) -> DaprHttp {
        self.within(Duration::from_secs(1))
    }

    fn within(&self, timeout: Duration) -> DaprHttp {
        DaprHttp::open(&self.address, &ClientOptions::default().call_timeout(timeout)).unwrap()
    }

    fn lines(&self) -> Vec<String> {
        self.requests.lock().unwrap().iter().map(|(line, _)| line.clone()).collect()
    }
}

fn serve(
    stream: &TcpStream,
    seen: &Requests,
    script: &(dyn Fn(usize, &str) -> Act + Send + Sync),
) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let mut length = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).ok()?;
            if header == "\r\n" {
                break;
            }
            if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let line = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
        let count = {
            let mut seen = seen.lock().unwrap();
            seen.push((line.clone(), String::from_utf8(body).ok()?));
            seen.len() - 1
        };
        match script(count, &line) {
            Act::Cut => return None,
            Act::Hang => drop(reader.read_line(&mut String::new())),
            Act::Answer(status, body) => {
                let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n", body.len());
                (&mut &*stream).write_all((head + &body).as_bytes()).ok()?;
            }
        }
    }
}

fn wait<T>(pending: Pending<'_, T>) -> Result<T> {
    wait_on(pending, Some(Duration::from_secs(60)))
}

fn start_of(id: &str) -> StartRequest {
    StartRequest {
        name: "a flow".into(),
        instance_id: Some(id.into()),
        input: Some("7".into()),
        ..StartRequest::default()
    }
}

fn state_json(created: &str, status: &str) -> String {
    format!(r#"{{"instanceID":"a","workflowName":"f","createdAt":"{created}","runtimeStatus":"{status}"}}"#)
}

fn not_found() -> Act {
    Act::Answer(404, r#"{"errorCode":"ERR_INSTANCE_ID_NOT_FOUND","message":"unable to find"}"#.into())
}

#[test]
fn the_seven_operations_ask_as_dapr_documents() {
    let sidecar = Sidecar::new(|_, line| match line.split(' ').next() {
        Some("GET") => Act::Answer(200, state_json("2026-11-21T10:00:00Z", "RUNNING")),
        _ => Act::Answer(202, "{}".into()),
    });
    let dapr = sidecar.component();
    assert_eq!(wait(dapr.start(start_of("a"))).unwrap().instance_id, "a");
    assert_eq!(wait(dapr.get("a:1+é", true)).unwrap().status, RuntimeStatus::Running);
    wait(dapr.pause("a", None)).unwrap();
    wait(dapr.resume("a", None)).unwrap();
    wait(dapr.raise_event("a", "go on".into(), Some("{}".into()))).unwrap();
    wait(dapr.terminate("a", None, true)).unwrap();
    assert_eq!(wait(dapr.purge("a", true)).unwrap(), 1);
    assert_eq!(
        sidecar.lines(),
        [
            "POST /v1.0/workflows/dapr/a%20flow/start?instanceID=a",
            "GET /v1.0/workflows/dapr/a%3A1%2B%C3%A9",
            "POST /v1.0/workflows/dapr/a/pause",
            "POST /v1.0/workflows/dapr/a/resume",
            "POST /v1.0/workflows/dapr/a/raiseEvent/go%20on",
            "POST /v1.0/workflows/dapr/a/terminate",
            "POST /v1.0/workflows/dapr/a/purge",
        ]
    );
    assert_eq!(sidecar.requests.lock().unwrap()[0].1, "7");
}

#[test]
fn a_worker_is_told_that_it_needs_the_other_port() {
    let sidecar = Sidecar::new(|_, _| not_found());
    let error = sidecar.component().tasks().err().unwrap();
    assert_eq!(error.kind(), ErrorKind::FailedPrecondition);
    assert!(error.message().contains("DAPR_GRPC_PORT"));
}

#[test]
fn an_older_runtime_is_asked_by_the_older_version() {
    let sidecar = Sidecar::new(|_, line| {
        if line.contains("/v1.0/") {
            Act::Answer(404, r#"{"errorCode":"ERR_DIRECT_INVOKE","message":"failed getting app id"}"#.into())
        } else {
            Act::Answer(202, "{}".into())
        }
    });
    let dapr = sidecar.component();
    wait(dapr.pause("a", None)).unwrap();
    wait(dapr.resume("a", None)).unwrap();
    assert_eq!(
        sidecar.lines(),
        ["/v1.0/", "/v1.0-beta1/", "/v1.0-beta1/"]
            .iter()
            .zip(["pause", "pause", "resume"])
            .map(|(version, verb)| format!("POST {version}workflows/dapr/a/{verb}"))
            .collect::<Vec<_>>()
    );
}

#[test]
fn a_lost_start_is_looked_up_and_not_repeated() {
    let sidecar = Sidecar::new(|count, _| match count {
        0 => Act::Cut,
        _ => Act::Answer(200, state_json("2999-01-01T00:00:00Z", "RUNNING")),
    });
    assert_eq!(wait(sidecar.component().start(start_of("a"))).unwrap().instance_id, "a");
    assert_eq!(sidecar.lines().len(), 2);
}

#[test]
fn a_lost_start_that_never_landed_is_made() {
    for old in [false, true] {
        let sidecar = Sidecar::new(move |count, line| match line.starts_with("GET") {
            false if count == 0 => Act::Cut,
            false => Act::Answer(202, "{}".into()),
            true if old => Act::Answer(200, state_json("2020-01-01T00:00:00Z", "COMPLETED")),
            true => not_found(),
        });
        wait(sidecar.component().start(start_of("a"))).unwrap();
        let lines = sidecar.lines();
        assert_eq!(lines.iter().filter(|line| line.starts_with("POST")).count(), 2, "{lines:?}");
    }
}

#[test]
fn a_late_start_is_looked_up_and_not_repeated() {
    for landed in [false, true] {
        let sidecar = Sidecar::new(move |_, line| match line {
            line if line.starts_with("POST") => Act::Hang,
            "GET /v1.0/metadata" => Act::Answer(200, r#"{"workflows":{"connectedWorkers":0}}"#.into()),
            _ if landed => Act::Answer(200, state_json("2999-01-01T00:00:00Z", "RUNNING")),
            _ => not_found(),
        });
        let answer = wait(sidecar.impatient().start(start_of("a")));
        match landed {
            true => assert_eq!(answer.unwrap().instance_id, "a"),
            false => {
                let error = answer.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Timeout);
                assert!(error.message().contains("no worker is connected"), "{error}");
            }
        }
        assert_eq!(sidecar.lines().iter().filter(|line| line.starts_with("POST")).count(), 1);
    }
}

#[test]
fn what_changes_nothing_is_asked_again() {
    let sidecar = Sidecar::new(|count, _| match count {
        0 => Act::Cut,
        _ => Act::Answer(200, state_json("2026-11-21T10:00:00Z", "RUNNING")),
    });
    assert_eq!(wait(sidecar.component().get("a", true)).unwrap().status, RuntimeStatus::Running);
    assert_eq!(sidecar.lines().len(), 2);
}

#[test]
fn a_sidecar_that_is_not_ready_says_so() {
    let sidecar = Sidecar::new(|_, line| match line {
        "GET /v1.0/healthz" => Act::Answer(
            500,
            r#"{"errorCode":"ERR_HEALTH_NOT_READY","message":"dapr is not ready: [x]"}"#.into(),
        ),
        _ => Act::Answer(500, r#"{"errorCode":"ERR_PAUSE_WORKFLOW","message":"what is this"}"#.into()),
    });
    let error = wait(sidecar.impatient().pause("a", None)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains("not ready"), "{error}");
}

#[test]
fn a_watch_asks_again_until_something_is_new() {
    let sidecar = Sidecar::new(|count, _| {
        let status = ["PENDING", "PENDING", "RUNNING"][count.min(2)];
        Act::Answer(200, state_json("2026-11-21T10:00:00Z", status))
    });
    let dapr = sidecar.component();
    let first = wait(dapr.next_change("a", None, true)).unwrap();
    assert_eq!(first.state.status, RuntimeStatus::Pending);
    let second = wait(dapr.next_change("a", Some(first.seen), true)).unwrap();
    assert_eq!(second.state.status, RuntimeStatus::Running);
    assert_eq!(sidecar.lines().len(), 3);
}

#[test]
fn a_port_that_speaks_no_http_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 1024]);
            // The first frame of HTTP/2.
            let _ = stream.write_all(&[0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 5, 0, 0, 64, 0]);
            while stream.read(&mut [0; 1024]).is_ok_and(|read| read > 0) {}
        }
    });
    let dapr = DaprHttp::open(&address, &ClientOptions::default()).unwrap();
    let error = wait(dapr.get("a", true)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FailedPrecondition, "{error:?}");
}

#[test]
fn a_state_that_is_half_written_is_asked_for_again() {
    let torn = r#"{"errorCode":"ERR_GET_WORKFLOW","message":"error while getting workflow info on instance 'a': failed to get workflow metadata for 'a': failed to fetch workflow metadata: workflow 'a': inbox key 'inbox-000000' declared in metadata (inboxLength=1) but missing from state store (transient store read failure or partial save?)"}"#;
    let sidecar = Sidecar::new(move |count, _| match count {
        0 | 1 => Act::Answer(500, torn.into()),
        _ => Act::Answer(200, state_json("2026-11-21T10:00:00Z", "RUNNING")),
    });
    let state = wait(sidecar.component().get("a", true)).unwrap();
    assert_eq!(state.status, RuntimeStatus::Running);
    assert_eq!(sidecar.lines().len(), 3);
}

#[test]
fn a_lost_event_is_not_raised_again() {
    let sidecar = Sidecar::new(|_, _| Act::Cut);
    let error = wait(sidecar.component().raise_event("a", "go".into(), None)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(sidecar.lines().len(), 1);
    let silent = Sidecar::new(|_, _| Act::Hang);
    assert_eq!(wait(silent.impatient().pause("a", None)).unwrap_err().kind(), ErrorKind::Timeout);
}

#[test]
fn a_sidecar_that_is_not_there_is_unavailable() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let options = ClientOptions::default().call_timeout(Duration::from_secs(2));
    let dapr = DaprHttp::open(&format!("http://{free}"), &options).unwrap();
    assert_eq!(wait(dapr.get("a", true)).unwrap_err().kind(), ErrorKind::Unavailable);
}

#[test]
fn what_http_cannot_say_is_refused_before_it_is_sent() {
    let sidecar = Sidecar::new(|_, _| Act::Answer(202, "{}".into()));
    let dapr = sidecar.component();
    let never = StartRequest { reuse: Reuse::Never, ..start_of("a") };
    let later = StartRequest { start_at: Some(Micros::now()), ..start_of("a") };
    let tagged = StartRequest { tags: [("a".to_owned(), "b".to_owned())].into(), ..start_of("a") };
    let refusals = [
        wait(dapr.start(never)).map(drop),
        wait(dapr.start(later)).map(drop),
        wait(dapr.start(tagged)).map(drop),
        wait(dapr.pause("a", Some("why".into()))),
        wait(dapr.terminate("a", Some("1".into()), true)),
        wait(dapr.terminate("a", None, false)),
        wait(dapr.purge("a", false)).map(drop),
        wait(dapr.history("a")).map(drop),
    ];
    for refusal in refusals {
        assert_eq!(refusal.unwrap_err().kind(), ErrorKind::NotImplemented);
    }
    assert!(sidecar.lines().is_empty());
}

#[test]
fn waits_ask_again_until_the_end() {
    let sidecar = Sidecar::new(|count, _| {
        let status = ["PENDING", "RUNNING", "RUNNING", "COMPLETED"][count.min(3)];
        Act::Answer(200, state_json("2026-11-21T10:00:00Z", status))
    });
    let dapr = sidecar.component();
    assert_eq!(wait(dapr.wait_for_start("a", None, false)).unwrap().status, RuntimeStatus::Running);
    assert_eq!(wait(dapr.wait_for_completion("a", None, false)).unwrap().status, RuntimeStatus::Completed);
    let stalled = Sidecar::new(|_, _| Act::Answer(200, state_json("2026-11-21T10:00:00Z", "UNKNOWN")));
    let error = wait(stalled.component().wait_for_completion("a", None, false)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WorkflowStalled);
    let running = Sidecar::new(|_, _| Act::Answer(200, state_json("2026-11-21T10:00:00Z", "RUNNING")));
    let timeout = Some(Duration::from_millis(30));
    let error = wait(running.component().wait_for_completion("a", timeout, false)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
}

#[test]
fn an_endless_answer_ends() {
    let sidecar = Sidecar::new(|_, _| Act::Answer(200, "x".repeat(3 << 20)));
    let mut options = ClientOptions::default().max_payload_bytes(1 << 10);
    options.call_timeout = Duration::from_secs(10);
    let dapr = DaprHttp::open(&sidecar.address, &options).unwrap();
    assert_eq!(wait(dapr.get("a", true)).unwrap_err().kind(), ErrorKind::PayloadTooLarge);
}
