//! The tables of `conformance/` and the core say the same.

use everstep::ErrorKind;
use serde_json::Value;

fn table(name: &str) -> Value {
    let path = format!("{}/../conformance/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("the table is there");
    serde_json::from_str(&text).expect("the table is JSON")
}

#[test]
fn the_error_table_is_the_cores() {
    let table = table("errors.json");
    let rows = table["errors"].as_array().unwrap();
    let codes: Vec<(&str, bool)> =
        rows.iter().map(|row| (row["code"].as_str().unwrap(), row["retryable"].as_bool().unwrap())).collect();
    let kinds: Vec<(&str, bool)> =
        ErrorKind::ALL.iter().map(|kind| (kind.code(), kind.is_retryable())).collect();
    assert_eq!(codes, kinds);
    for row in rows {
        assert!(row["meaning"].as_str().is_some_and(|meaning| meaning.ends_with('.')), "{row}");
        assert!(row["cure"].as_str().is_some_and(|cure| cure.ends_with('.')), "{row}");
        assert!(
            row["python"].is_null() || row["python"].as_str().is_some_and(|name| name.ends_with("Error")),
            "{row}"
        );
    }
}

#[test]
fn the_capability_table_is_complete() {
    let table = table("capabilities.json");
    let rows = table["capabilities"].as_array().unwrap();
    let mut names: Vec<&str> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
    for row in rows {
        for component in ["embedded", "dapr_http", "dapr_grpc"] {
            let cell = row.get(component).unwrap_or_else(|| panic!("{row} has no {component}"));
            assert!(cell.is_null() || cell.as_str().is_some_and(|version| version.contains('.')), "{row}");
        }
    }
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count, "a name stands twice");
    assert!(count > 30);
}
