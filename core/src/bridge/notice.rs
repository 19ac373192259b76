//! What a worker has to say to those who run it.

use std::fmt::Write;

use super::VERSION;
use super::payload::write_string;

/// How much a notice matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// All is well again.
    Info,
    /// Something is amiss and may mend itself.
    Warning,
    /// Somebody has to do something.
    Error,
}

impl Level {
    /// The level as text.
    pub const fn code(self) -> &'static str {
        match self {
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }
}

/// A line for the host's log. It names instances, never payloads or tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// How much it matters.
    pub level: Level,
    /// What happened, and the cure.
    pub text: String,
}

/// A batch of notices, which has no tasks: a host that cannot parse a batch of payloads still gets these.
pub fn write_notices(batch: &str, notices: &[Notice]) -> String {
    let mut out = format!("{{\"v\":{VERSION},\"batch\":");
    write_string(&mut out, batch);
    out.push_str(",\"tasks\":[],\"cancel\":[],\"notices\":[");
    for (index, notice) in notices.iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        let _ = write!(out, "{comma}{{\"level\":\"{}\",\"text\":", notice.level.code());
        write_string(&mut out, &notice.text);
        out.push('}');
    }
    out.push_str("]}");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_are_one_object() {
        let notices = [
            Notice { level: Level::Warning, text: "the \"stream\" is lost".into() },
            Notice { level: Level::Info, text: "it is back".into() },
        ];
        let read: serde_json::Value = serde_json::from_str(&write_notices("b3", &notices)).unwrap();
        let expected = serde_json::json!({"v": 1, "batch": "b3", "tasks": [], "cancel": [], "notices": [
            {"level": "warning", "text": "the \"stream\" is lost"}, {"level": "info", "text": "it is back"}]});
        assert_eq!(read, expected);
    }
}
