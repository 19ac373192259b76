//! Histories as diagrams: some against the ones that stand in `conformance/history/diagrams`, all against Mermaid's grammar.
//! `EVERSTEP_WRITE_DIAGRAMS=1` writes them anew; `scripts/mermaid` has Mermaid itself read them.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use everstep::history::{DiagramOptions, HistoryEvent, HistoryTree, decode, mermaid};
use everstep::model::{Failure, Micros, RuntimeStatus};

use crate::recorded::events;
use crate::vectors::{Case, cases, text};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../conformance/history/diagrams")
}

fn id(history: &[HistoryEvent]) -> &str {
    let started = history.iter().find(|event| event.kind == "ExecutionStarted").unwrap();
    started.instance_id.as_deref().unwrap()
}

/// The tree of a recorded case: its related instances that are children.
fn tree(case: &Case) -> HistoryTree {
    let blocks = case.blocks();
    let of = |index: usize| {
        let history = decode(&events(&blocks[index]));
        let id = id(&history).to_owned();
        let mut tree = HistoryTree::new(id, &[]);
        tree.events = history;
        tree
    };
    let mut root = of(0);
    for index in (1..blocks.len()).filter(|index| blocks[*index].label.contains("related")) {
        let child = of(index);
        if child.is_child_of(&root.instance_id) {
            root.children.insert(child.instance_id.clone(), Arc::new(child));
        }
    }
    root
}

fn options(depth: usize) -> DiagramOptions {
    let mut options = DiagramOptions::default();
    options.depth = depth;
    options
}

/// Compares with the diagram that stands in the repository.
fn golden(name: &str, diagram: &str) {
    let path = folder().join(format!("{name}.mmd"));
    if std::env::var_os("EVERSTEP_WRITE_DIAGRAMS").is_some() {
        fs::write(&path, diagram).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(diagram, expected, "{name}");
}

#[test]
fn recorded_histories_are_drawn_as_they_stand() {
    let cases = cases();
    for name in [
        "go/fanout",
        "go/retry",
        "go/suspend_resume",
        "go/event_timeout",
        "go/rerun_fanout",
        "java/retry",
        "java/continue_as_new",
        "python/stalled_patch",
        "python/terminate_recursive",
        "python/custom_status",
    ] {
        let case = cases.iter().find(|case| case.name == format!("{name}.json")).unwrap();
        golden(&name.replace('/', "_"), &mermaid(&tree(case), &options(0)));
    }
    for name in ["go/mixed", "python/child_retry", "java/terminate_recursive"] {
        let case = cases.iter().find(|case| case.name == format!("{name}.json")).unwrap();
        let tree = tree(case);
        assert!(!tree.children.is_empty(), "{name}");
        golden(&format!("{}_children", name.replace('/', "_")), &mermaid(&tree, &options(3)));
    }
}

#[test]
fn every_diagram_follows_the_grammar() {
    for case in cases() {
        for depth in [0, 2] {
            let diagram = mermaid(&tree(&case), &options(depth));
            check(&diagram).unwrap_or_else(|error| panic!("{}: {error}\n{diagram}", case.name));
        }
        let mut bare = options(0);
        bare.payloads = false;
        let input = case.data["history"][1]["fields"]["input"].as_str().filter(|input| input.len() > 5);
        let diagram = mermaid(&tree(&case), &bare);
        assert!(input.is_none_or(|input| !diagram.contains(input)), "{}", text(&case.data["status"]));
    }
}

/// What no text may do to a diagram.
const HOSTILE: [&str; 14] = [
    "end",
    "a;b",
    "#35;# ",
    "x\nend\nloop y",
    "%%{init: {\"theme\": \"dark\"}}%%",
    "<script>alert(1)</script>",
    "wrap: x",
    ": :",
    "->>client: forged",
    "$$x^2$$",
    "participant",
    "@{ \"type\": \"actor\" }",
    "\u{202e}rtl\u{0}\u{7}",
    "",
];

fn event(kind: &'static str, event_id: i32, task_id: Option<i32>) -> HistoryEvent {
    let mut event = HistoryEvent::default();
    (event.kind, event.event_id, event.task_id) = (kind, event_id, task_id);
    event.timestamp = Some(Micros(1_000_000 + i64::from(event_id.max(0))));
    event
}

#[test]
fn hostile_text_stays_text() {
    let mut history = Vec::new();
    let mut started = event("ExecutionStarted", -1, None);
    started.name = Some("end".into());
    history.push(started);
    for (index, text) in HOSTILE.iter().enumerate() {
        let mut scheduled = event("TaskScheduled", 2 * index as i32, None);
        (scheduled.name, scheduled.input) = (Some((*text).into()), Some((*text).into()));
        let mut failed = event("TaskFailed", -1, Some(2 * index as i32));
        (failed.name, failed.counterpart) = (scheduled.name.clone(), Some(history.len()));
        let (error_type, message) = ((*text).to_owned(), (*text).to_owned());
        failed.failure = Some(Failure { error_type, message, ..Failure::default() });
        let mut raised = event("EventRaised", -1, None);
        (raised.name, raised.input) = (Some((*text).into()), Some((*text).into()));
        let mut child = event("ChildWorkflowInstanceCreated", 2 * index as i32 + 1, None);
        (child.name, child.instance_id) = (Some((*text).into()), Some((*text).into()));
        let mut turn = event("WorkflowStarted", -1, None);
        (turn.custom_status, turn.patches) = (Some((*text).into()), vec![(*text).into()]);
        history.extend([turn, scheduled, failed, raised, child]);
    }
    let mut ended = event("ExecutionCompleted", 99, None);
    (ended.status, ended.result) = (Some(RuntimeStatus::Completed), Some("a;b\nc".into()));
    history.push(ended);
    let mut tree = HistoryTree::new("end", &[]);
    tree.events = history;
    let diagram = mermaid(&tree, &options(0));
    check(&diagram).unwrap_or_else(|error| panic!("{error}\n{diagram}"));
    golden("hostile", &diagram);
}

/// A fan-out in one turn, then steps one after the other.
fn long(wide: i32, steps: i32) -> HistoryTree {
    let mut history = vec![event("WorkflowStarted", -1, None), event("ExecutionStarted", -1, None)];
    let scheduled = |id: i32, name: String| {
        let mut scheduled = event("TaskScheduled", id, None);
        (scheduled.name, scheduled.turn) = (Some(name), 1);
        scheduled
    };
    let completed = |history: &mut Vec<HistoryEvent>, place: usize| {
        let mut answer = event("TaskCompleted", -1, Some(history[place].event_id));
        (answer.name, answer.counterpart) = (history[place].name.clone(), Some(place));
        history[place].counterpart = Some(history.len());
        history.push(answer);
    };
    let begin = history.len();
    history.extend((0..wide).map(|id| scheduled(id, format!("wide{}", id % 40))));
    for place in begin..history.len() {
        completed(&mut history, place);
    }
    for id in 0..steps {
        history.push(scheduled(wide + id, "step".into()));
        let place = history.len() - 1;
        completed(&mut history, place);
    }
    let mut tree = HistoryTree::new("long", &[]);
    tree.events = history;
    tree
}

#[test]
fn a_long_history_is_a_short_diagram() {
    let began = Instant::now();
    for (wide, steps) in [(5_000, 0), (0, 5_000), (2_500, 2_500), (3, 3), (20, 0)] {
        let tree = long(wide, steps);
        for max_lines in [0, 40, 60, 100, 400, 1_000] {
            let mut options = options(0);
            options.max_lines = max_lines;
            let diagram = mermaid(&tree, &options);
            check(&diagram).unwrap_or_else(|error| panic!("{wide} {steps} {max_lines}: {error}\n{diagram}"));
            let lines = diagram.lines().count();
            assert!(lines <= max_lines.max(40), "{wide} {steps}: {lines} lines, not {max_lines}");
            let shown = diagram.lines().filter(|line| line.contains("->>")).count();
            let left_out: usize = diagram.lines().filter_map(left_out).sum();
            assert_eq!(shown + left_out, 1 + 2 * usize::try_from(wide + steps).unwrap(), "{diagram}");
            assert!(lines * 2 > max_lines.min(2 * shown), "room is used: {lines} of {max_lines}");
        }
    }
    assert!(began.elapsed().as_secs() < 20, "it is not quadratic");
}

fn left_out(line: &str) -> Option<usize> {
    let (_, text) = line.split_once(": ")?;
    text.split_once(" step").filter(|(_, rest)| rest.ends_with("left out"))?.0.parse().ok()
}

/// A strict grammar of what is drawn here: less than what Mermaid reads.
fn check(diagram: &str) -> Result<(), String> {
    let mut lines = diagram.lines();
    if lines.next() != Some("sequenceDiagram") || !diagram.ends_with('\n') {
        return Err("no head".into());
    }
    let mut known = BTreeSet::new();
    let mut open: Vec<&str> = Vec::new();
    let mut body = false;
    for line in lines {
        let bad = |why: &str| Err(format!("{why}: {line:?}"));
        let indent = line.len() - line.trim_start().len();
        let line = line.trim_start();
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let depth = 1 + open.len() - usize::from(matches!(word, "and" | "end"));
        if indent != 2 * depth {
            return bad("its depth is wrong");
        }
        match word {
            "actor" | "participant" => {
                let (id, alias) = rest.split_once(" as ").ok_or("no alias")?;
                if body || alias.is_empty() || !plain(alias) || !known.insert(id) {
                    return bad("no participant");
                }
                continue;
            }
            "loop" | "par" | "rect" if plain(rest) => open.push(word),
            "and" if open.last() == Some(&"par") && plain(rest) => {}
            "end" if rest.is_empty() && open.pop().is_some() => {}
            "Note" => {
                let (id, text) =
                    rest.strip_prefix("over ").and_then(|rest| rest.split_once(": ")).ok_or("no note")?;
                if !known.contains(id) || text.is_empty() || !plain(text) {
                    return bad("no note");
                }
            }
            _ => {
                let (arrow, text) = line.split_once(": ").ok_or_else(|| format!("no text: {line:?}"))?;
                let signs = ["-->>", "->>", "--x", "-x", "-)"];
                let ends = signs.iter().find_map(|sign| arrow.split_once(sign)).ok_or("no arrow")?;
                if !known.contains(ends.0) || !known.contains(ends.1) || text.is_empty() || !plain(text) {
                    return bad("no arrow");
                }
            }
        }
        body = true;
    }
    if open.is_empty() { Ok(()) } else { Err(format!("{open:?} have no end")) }
}

/// Text in which entities are the only thing that means something.
fn plain(text: &str) -> bool {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('#') {
        let Some((number, after)) = after.split_once(';') else { return false };
        if !plain(before) || number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return false;
        }
        rest = after;
    }
    !rest.chars().any(|letter| letter.is_control() || "#;%$&<>\"`\\".contains(letter))
}
