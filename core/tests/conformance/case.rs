//! The format of a case. Unknown steps and keys are errors.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};
use serde_json::Value;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) feature: String,
    pub(crate) kind: Kind,
    #[serde(rename = "about")]
    _about: String,
    #[serde(default)]
    pub(crate) needs: Vec<String>,
    pub(crate) slow: Option<String>,
    pub(crate) no_restart: Option<String>,
    pub(crate) fixtures: Vec<String>,
    pub(crate) steps: Vec<Value>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Happy,
    Error,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Step {
    Start(Start),
    Rerun(Rerun),
    WaitForStart {
        id: String,
        timeout_ms: Option<u64>,
        expect: Option<State>,
        error: Option<ExpectedError>,
    },
    WaitForCompletion {
        id: String,
        timeout_ms: Option<u64>,
        expect: Option<State>,
        error: Option<ExpectedError>,
    },
    Await {
        id: String,
        expect: State,
    },
    Result {
        id: Option<String>,
        run: Option<String>,
        timeout_ms: Option<u64>,
        expect: Option<Output>,
        error: Option<ExpectedError>,
    },
    Get {
        id: String,
        component: Option<String>,
        payloads: Option<bool>,
        expect: Option<State>,
        error: Option<ExpectedError>,
    },
    Pause {
        id: String,
        reason: Option<String>,
        error: Option<ExpectedError>,
    },
    Resume {
        id: String,
        reason: Option<String>,
        error: Option<ExpectedError>,
    },
    RaiseEvent {
        id: String,
        event: String,
        #[serde(default, deserialize_with = "present")]
        data: Option<Value>,
        error: Option<ExpectedError>,
    },
    Terminate {
        id: String,
        #[serde(default, deserialize_with = "present")]
        output: Option<Value>,
        recursive: Option<bool>,
        error: Option<ExpectedError>,
    },
    Purge {
        id: String,
        recursive: Option<bool>,
        expect: Option<Count>,
        error: Option<ExpectedError>,
    },
    Bulk {
        action: Bulk,
        filter: Filter,
        #[serde(default, deserialize_with = "present")]
        output: Option<Value>,
        recursive: Option<bool>,
        reason: Option<String>,
        expect: Option<Count>,
        error: Option<ExpectedError>,
    },
    Count {
        #[serde(default)]
        filter: Filter,
        expect: Option<BTreeMap<String, u64>>,
        error: Option<ExpectedError>,
    },
    List {
        #[serde(default)]
        filter: Filter,
        limit: Option<usize>,
        #[serde(default)]
        payloads: bool,
        expect: Option<Listing>,
        error: Option<ExpectedError>,
    },
    History {
        id: String,
        expect: Option<Kinds>,
        error: Option<ExpectedError>,
    },
    Watch {
        id: String,
        #[serde(rename = "as")]
        keep: Option<String>,
        until: Option<Box<State>>,
        expect: Option<Box<Watched>>,
        error: Option<ExpectedError>,
    },
    Deploy {
        fixtures: Vec<String>,
    },
    OpenWorker {
        name: String,
        fixtures: Vec<String>,
    },
    CloseWorker {
        name: String,
    },
    Restart {},
    Close {},
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Start {
    pub(crate) workflow: String,
    pub(crate) id: Option<String>,
    pub(crate) version: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) input: Option<Value>,
    pub(crate) start_in_ms: Option<u64>,
    #[serde(default)]
    pub(crate) options: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) reuse: Option<Reuse>,
    pub(crate) component: Option<String>,
    #[serde(rename = "as")]
    pub(crate) keep: Option<String>,
    pub(crate) expect: Option<MadeId>,
    pub(crate) error: Option<ExpectedError>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rerun {
    pub(crate) id: String,
    pub(crate) from: i32,
    pub(crate) new_id: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) input: Option<Value>,
    #[serde(rename = "as")]
    pub(crate) keep: Option<String>,
    pub(crate) expect: Option<MadeId>,
    pub(crate) error: Option<ExpectedError>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reuse {
    Finished,
    Never,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MadeId {
    pub(crate) uuid: usize,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct State {
    pub(crate) status: Option<String>,
    pub(crate) name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) version: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) input: Option<Value>,
    #[serde(default)]
    pub(crate) input_absent: bool,
    #[serde(default, deserialize_with = "present")]
    pub(crate) output: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) custom_status: Option<Value>,
    pub(crate) started: Option<bool>,
    pub(crate) completed: Option<bool>,
    pub(crate) failure: Option<ExpectedFailure>,
    pub(crate) has_reason: Option<bool>,
    #[serde(default)]
    pub(crate) reason_names: Vec<String>,
    pub(crate) parent: Option<String>,
    pub(crate) tags: Option<BTreeMap<String, String>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpectedFailure {
    #[serde(rename = "type")]
    pub(crate) error_type: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) cause: Option<Box<ExpectedFailure>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpectedError {
    pub(crate) code: String,
    pub(crate) failure: Option<ExpectedFailure>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Output {
    pub(crate) output: Value,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Count {
    pub(crate) count: u64,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) statuses: Vec<String>,
    pub(crate) parent: Option<String>,
    pub(crate) created_from: Option<String>,
    pub(crate) created_to: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bulk {
    Purge,
    Terminate,
    Pause,
    Resume,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listing {
    pub(crate) ids: Vec<String>,
    pub(crate) order: Option<String>,
    pub(crate) pages: Option<usize>,
    pub(crate) states: Option<Vec<State>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kinds {
    pub(crate) kinds: Vec<String>,
    pub(crate) order: Option<String>,
    /// Workflows whose histories stand below this one.
    pub(crate) children: Option<Vec<String>>,
}

/// What a watch gave.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Watched {
    pub(crate) last: Option<State>,
    pub(crate) states: Option<Vec<State>>,
}

/// A key that is there with null is not a key that is absent.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// A fixture's program by its name, with `@variant`.
pub(crate) type Fixtures = BTreeMap<String, Value>;

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance")
}

pub(crate) fn read(name: &str) -> Value {
    let path = folder().join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All cases, by name.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(folder().join("cases")).expect("conformance/cases is there") {
        let file = entry.expect("the folder can be read").file_name();
        let file = file.to_str().expect("names of cases are ASCII");
        let case: Case = serde_json::from_value(read(&format!("cases/{file}")))
            .unwrap_or_else(|error| panic!("{file} is no case: {error}"));
        assert_eq!(file, format!("{}.json", case.name), "a case is named like its file");
        cases.push(case);
    }
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

pub(crate) fn fixtures() -> Fixtures {
    let list = read("fixtures.json");
    let workflows = list["workflows"].as_array().expect("fixtures.json lists workflows");
    let name = |workflow: &Value| match workflow["variant"].as_str() {
        Some(variant) => format!("{}@{variant}", workflow["name"].as_str().unwrap_or_default()),
        None => workflow["name"].as_str().unwrap_or_default().to_owned(),
    };
    let fixtures: Fixtures = workflows.iter().map(|workflow| (name(workflow), workflow.clone())).collect();
    assert_eq!(fixtures.len(), workflows.len(), "a fixture stands twice");
    fixtures
}

/// What a column of the table has, on Dapr in this version of it.
pub(crate) fn capabilities(column: &str, runtime: &str) -> BTreeSet<String> {
    let number = |version: &str| -> Vec<u32> {
        version.split('.').map(|part| part.parse().expect("versions are numbers")).collect()
    };
    let runtime = number(runtime);
    let has = |since: &str| column == "embedded" || number(since) <= runtime;
    let table = read("capabilities.json");
    let rows = table["capabilities"].as_array().expect("capabilities.json lists capabilities").iter();
    rows.filter(|row| row[column].as_str().is_some_and(has))
        .filter_map(|row| row["name"].as_str().map(str::to_owned))
        .collect()
}

/// Replaces `{NAME}` in every text, and long texts by what they stand for.
pub(crate) fn fill(value: &Value, names: &BTreeMap<String, String>) -> Value {
    match value {
        Value::String(text) => names
            .iter()
            .fold(text.clone(), |text, (name, id)| text.replace(&format!("{{{name}}}"), id))
            .into(),
        Value::Array(items) => items.iter().map(|item| fill(item, names)).collect(),
        Value::Object(fields) => match (fields.get("$repeat").and_then(Value::as_str), fields.get("times")) {
            (Some(text), Some(times)) => text
                .repeat(times.as_u64().and_then(|times| usize::try_from(times).ok()).unwrap_or_default())
                .into(),
            _ => fields.iter().map(|(key, value)| (key.clone(), fill(value, names))).collect(),
        },
        other => other.clone(),
    }
}
