//! RFC 3339 times.

use crate::model::Micros;

/// Reads an RFC 3339 time with a zone; digits beyond microseconds are dropped. Nothing for any other text, and for the
/// leap second, which no clock here can show.
pub(crate) fn parse_rfc3339(text: &str) -> Option<Micros> {
    let (date, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix(['T', 't'])?;
    let (time, rest) = rest.split_at_checked(8)?;
    let [year, month, day] = numbers(date, b'-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(time, b':', [2, 2, 2])?;
    if !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (fraction, zone) = fraction(rest)?;
    let seconds =
        days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset(zone)?;
    Some(Micros(seconds * 1_000_000 + fraction))
}

fn numbers<const N: usize>(text: &str, separator: u8, widths: [usize; N]) -> Option<[i64; N]> {
    let mut parts = text.split(char::from(separator));
    let mut numbers = [0; N];
    for (number, width) in numbers.iter_mut().zip(widths) {
        *number = digits(parts.next()?, width)?;
    }
    parts.next().is_none().then_some(numbers)
}

fn digits(text: &str, width: usize) -> Option<i64> {
    (text.len() == width && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

// The fraction in microseconds and what follows it.
fn fraction(text: &str) -> Option<(i64, &str)> {
    let Some(text) = text.strip_prefix('.') else { return Some((0, text)) };
    let end = text.find(|c: char| !c.is_ascii_digit()).filter(|end| *end > 0)?;
    let micros = text[..end].bytes().chain(std::iter::repeat(b'0')).take(6);
    Some((micros.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')), &text[end..]))
}

fn offset(zone: &str) -> Option<i64> {
    if zone == "Z" || zone == "z" {
        return Some(0);
    }
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let [hours, minutes] = numbers(&zone[1..], b':', [2, 2])?;
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

// Howard Hinnant's days_from_civil: years begin in March, so that the leap day is the last one.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_with_a_zone_are_read() {
        let good = [
            ("1970-01-01T00:00:00Z", 0),
            ("2009-11-10T23:00:00Z", 1_257_894_000_000_000),
            ("2009-11-11T00:30:00+01:30", 1_257_894_000_000_000),
            ("2009-11-10T20:00:00.5-03:00", 1_257_894_000_500_000),
            ("2009-11-10t23:00:00.1234567z", 1_257_894_000_123_456),
            ("2024-02-29T00:00:00Z", 1_709_164_800_000_000),
            ("1969-12-31T23:59:59.999999Z", -1),
            ("9999-12-31T23:59:59Z", 253_402_300_799_000_000),
        ];
        for (text, expected) in good {
            assert_eq!(parse_rfc3339(text), Some(Micros(expected)), "{text}");
        }
    }

    #[test]
    fn everything_else_is_not() {
        let bad = [
            "",
            "tomorrow",
            "2009-11-10",
            "2009-11-10T23:00:00",
            "2009-11-10 23:00:00Z",
            "2009-13-10T23:00:00Z",
            "2023-02-29T00:00:00Z",
            "2009-11-10T24:00:00Z",
            "2009-11-10T23:00:60Z",
            "2009-11-10T23:00:00.Z",
            "2009-11-10T23:00:00+1:00",
            "2009-11-10T23:00:00Zx",
            "+009-11-10T23:00:00Z",
            "2009-11-1\u{e9}T23:00:00Z",
        ];
        for text in bad {
            assert_eq!(parse_rfc3339(text), None, "{text}");
        }
    }
}
