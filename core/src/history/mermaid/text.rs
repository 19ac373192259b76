//! Text inside a Mermaid diagram: escaped, on one line, and short.

use std::fmt::Write as _;
use std::time::Duration;

/// The text with everything that means something to Mermaid, or to the HTML it becomes, as an entity; at most `limit`
/// characters of it.
pub(super) fn escaped(text: &str, limit: usize) -> String {
    let mut out = String::with_capacity(text.len().min(limit) + 8);
    let (mut length, mut gap) = (0, false);
    for letter in text.chars() {
        if letter.is_control() || letter.is_whitespace() || turns_text(letter) {
            gap = length > 0;
            continue;
        }
        if length + usize::from(gap) >= limit {
            out.push('…');
            break;
        }
        if std::mem::take(&mut gap) {
            out.push(' ');
            length += 1;
        }
        length += 1;
        match letter {
            '#' | ';' | '%' | '$' | '&' | '<' | '>' | '"' | '`' | '\\' => {
                write!(out, "#{};", u32::from(letter)).expect("a text takes all that is written");
            }
            other => out.push(other),
        }
    }
    out
}

/// Marks that turn the text after them around, which would make a diagram say what its source does not.
fn turns_text(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A duration as people say it, in its two largest units.
pub(super) fn spoken(duration: Duration) -> String {
    let (seconds, micros) = (duration.as_secs(), duration.subsec_micros());
    match (seconds, micros) {
        (0, 0..1000) => format!("{micros} µs"),
        (0, _) => format!("{} ms", micros / 1000),
        (1..60, 0..100_000) => format!("{seconds} s"),
        (1..60, _) => format!("{seconds}.{} s", micros / 100_000),
        (60..3600, _) => two(seconds / 60, "min", seconds % 60, "s"),
        (3600..86_400, _) => two(seconds / 3600, "h", seconds % 3600 / 60, "min"),
        _ => two(seconds / 86_400, "d", seconds % 86_400 / 3600, "h"),
    }
}

fn two(large: u64, unit: &str, small: u64, smaller: &str) -> String {
    if small == 0 { format!("{large} {unit}") } else { format!("{large} {unit} {small} {smaller}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_becomes_an_entity() {
        assert_eq!(escaped("a;b#c\n\"d\"  e", 99), "a#59;b#35;c #34;d#34; e");
        assert_eq!(escaped("<b>&%%{init}", 99), "#60;b#62;#38;#37;#37;{init}");
        assert_eq!(escaped("  \u{0} \t", 99), "");
    }

    #[test]
    fn a_long_text_is_cut_between_letters() {
        assert_eq!(escaped("äöüß", 4), "äöüß");
        assert_eq!(escaped("äöüßx", 4), "äöüß…");
        assert_eq!(escaped("ab cd", 3), "ab…");
    }

    #[test]
    fn durations_are_spoken() {
        for (millis, spoken_as) in [
            (0, "0 µs"),
            (7, "7 ms"),
            (1_050, "1 s"),
            (1_250, "1.2 s"),
            (61_000, "1 min 1 s"),
            (7_200_000, "2 h"),
            (90_000_000, "1 d 1 h"),
        ] {
            assert_eq!(spoken(Duration::from_millis(millis)), spoken_as);
        }
    }
}
