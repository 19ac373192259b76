//! Where the vectors lie and how their text becomes bytes and instants.

use std::fs;
use std::path::PathBuf;

use bytes::Bytes;
use prost_types::Timestamp;
use serde_json::Value;

/// A recorded case with the name of its file, for messages.
pub struct Case {
    pub name: String,
    pub data: Value,
}

/// One instance at one time within a case: the main one, a related one or a snapshot.
pub struct Block<'a> {
    pub label: String,
    pub data: &'a Value,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../conformance/history")
}

pub fn read(path: &str) -> Value {
    let path = root().join(path);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every recorded case, in the order of its name.
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for language in ["go", "java", "javascript", "python"] {
        for entry in fs::read_dir(root().join(language)).unwrap() {
            let file = entry.unwrap().file_name().into_string().unwrap();
            if file.ends_with(".json") && !file.starts_with('_') {
                let name = format!("{language}/{file}");
                cases.push(Case { data: read(&name), name });
            }
        }
    }
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

impl Case {
    pub fn blocks(&self) -> Vec<Block<'_>> {
        let mut blocks = vec![Block { label: self.name.clone(), data: &self.data }];
        for list in ["related", "snapshots"] {
            for (index, data) in items(&self.data[list]).iter().enumerate() {
                blocks.push(Block { label: format!("{} {list}[{index}]", self.name), data });
            }
        }
        blocks
    }
}

pub fn items(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("{value} is no array"))
}

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

/// The bytes of base64 text with padding.
pub fn base64(value: &Value) -> Bytes {
    let text = text(value).as_bytes();
    assert!(text.len().is_multiple_of(4), "base64 is padded");
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for group in text.chunks(4) {
        let padding = group.iter().filter(|byte| **byte == b'=').count();
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 6 | sextet(*byte));
        bytes.extend_from_slice(&bits.to_be_bytes()[1..4 - padding]);
    }
    Bytes::from(bytes)
}

fn sextet(byte: u8) -> u32 {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        b'=' => 0,
        _ => panic!("{byte} is no base64"),
    };
    u32::from(value)
}

/// The exact instant of text like `2026-11-21T10:57:32.83Z`.
pub fn instant(text: &str) -> Timestamp {
    let number = |range: std::ops::Range<usize>| text[range].parse::<i64>().unwrap();
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    let seconds = number(11..13) * 3600 + number(14..16) * 60 + number(17..19);
    let fraction = text[19..].trim_start_matches('.').trim_end_matches('Z');
    let nanos = format!("{fraction:0<9}").parse().unwrap();
    Timestamp { seconds: days(year, month, day) * 86_400 + seconds, nanos }
}

/// Days since 1970-01-01: those of the whole years before, of the months before, and of this month.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let before = year - 1;
    let years = before * 365 + before / 4 - before / 100 + before / 400;
    let february = if leap(year) { 29 } else { 28 };
    let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let months: i64 = lengths[..usize::try_from(month - 1).unwrap()].iter().sum();
    years + months + day - 1 - 719_162
}

#[test]
fn instants_and_base64_are_read_right() {
    for (text, seconds, nanos) in [
        ("1970-01-01T00:00:00Z", 0, 0),
        ("0001-01-01T00:00:00Z", -62_135_596_800, 0),
        ("9999-12-31T23:59:59.999999999Z", 253_402_300_799, 999_999_999),
        ("2024-02-29T12:00:00.5Z", 1_709_208_000, 500_000_000),
    ] {
        assert_eq!(instant(text), Timestamp { seconds, nanos }, "{text}");
    }
    for (text, bytes) in [("", &b""[..]), ("YQ==", b"a"), ("YWI=", b"ab"), ("YWJj+/8=", b"abc\xfb\xff")] {
        assert_eq!(base64(&Value::from(text)), bytes);
    }
}
