//! What Dapr has no field for, and drops from fields of our own, rides in the version of an activity, which nothing reads there:
//! the attempt and the deadline.

use crate::model::Micros;

const PREFIX: &str = "everstep;";

/// The version of an activity's call; absent for a first attempt without a timeout.
pub(in crate::worker) fn call_version(attempt: i32, deadline: Option<Micros>) -> Option<String> {
    if attempt <= 1 && deadline.is_none() {
        return None;
    }
    let mut text = format!("{PREFIX}attempt={attempt}");
    if let Some(deadline) = deadline {
        text += &format!(";deadline={}", deadline.as_millis());
    }
    Some(text)
}

/// The attempt and the deadline of a call; a version that somebody else wrote says nothing.
pub(super) fn read_call_version(version: Option<&str>) -> (i32, Option<Micros>) {
    let (mut attempt, mut deadline) = (1, None);
    let fields = version.and_then(|version| version.strip_prefix(PREFIX)).unwrap_or_default();
    for (key, value) in fields.split(';').filter_map(|field| field.split_once('=')) {
        match key {
            "attempt" => attempt = value.parse().unwrap_or(1).max(1),
            "deadline" => deadline = value.parse().ok().map(Micros::from_millis),
            _ => {}
        }
    }
    (attempt, deadline)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_survives_its_version() {
        for (attempt, deadline) in
            [(1, None), (2, None), (1, Some(Micros(5_000))), (7, Some(Micros(9_000_000)))]
        {
            let version = call_version(attempt, deadline);
            assert_eq!(version.is_none(), attempt == 1 && deadline.is_none());
            assert_eq!(read_call_version(version.as_deref()), (attempt, deadline));
        }
    }

    #[test]
    fn what_others_write_says_nothing() {
        for version in ["", "1.0", "everstep;", "everstep;attempt=x;deadline=y;=", "everstep;attempt=-3"] {
            assert_eq!(read_call_version(Some(version)), (1, None), "{version}");
        }
    }
}
