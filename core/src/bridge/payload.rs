//! How a payload travels inside the text: raw where it is plain JSON that every host can parse, else as a string.

use crate::model::Payload;

/// The deepest nesting of a payload that is embedded raw.
pub const MAX_DEPTH: u32 = 128;
/// The most digits of one number in a payload that is embedded raw.
pub const MAX_DIGITS: usize = 300;

/// How a worker wants its payloads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PayloadMode {
    /// JSON payloads are embedded raw, all others are strings under the twin key.
    #[default]
    Inline,
    /// Every payload is a string under the twin key.
    Text,
}

/// Whether `text` may be embedded raw: one well-formed JSON text of at most [`MAX_DEPTH`] levels, with numbers of at
/// most [`MAX_DIGITS`] digits.
pub fn is_embeddable(text: &str) -> bool {
    Scan { bytes: text.as_bytes(), at: 0 }.document().is_some()
}

/// Appends `,"key":payload` (or its twin `,"key_text":"…"`), or nothing for an absent payload.
pub(crate) fn write_payload(out: &mut String, key: &str, payload: &Payload, mode: PayloadMode) {
    let Some(text) = payload else { return };
    out.push_str(",\"");
    out.push_str(key);
    if mode == PayloadMode::Inline && is_embeddable(text) {
        out.push_str("\":");
        out.push_str(text);
    } else {
        out.push_str("_text\":");
        write_string(out, text);
    }
}

/// Appends `text` as a JSON string.
pub(crate) fn write_string(out: &mut String, text: &str) {
    out.push('"');
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..=0x1f => "",
            _ => continue,
        };
        out.push_str(&text[from..at]);
        from = at + 1;
        if escape.is_empty() {
            const HEX: &[u8; 16] = b"0123456789abcdef";
            out.push_str("\\u00");
            out.push(HEX[usize::from(byte >> 4)].into());
            out.push(HEX[usize::from(byte & 15)].into());
        } else {
            out.push_str(escape);
        }
    }
    out.push_str(&text[from..]);
    out.push('"');
}

/// A cursor over JSON text. Every step answers `None` where the text breaks the grammar or a limit.
struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    /// Without recursion: open containers are bits of `kinds`, 1 = object.
    fn document(&mut self) -> Option<()> {
        let (mut kinds, mut depth) = (0u128, 0u32);
        loop {
            self.space();
            match self.peek()? {
                open @ (b'{' | b'[') => {
                    self.at += 1;
                    depth += 1;
                    if depth > MAX_DEPTH {
                        return None;
                    }
                    let object = open == b'{';
                    kinds = kinds << 1 | u128::from(object);
                    self.space();
                    if self.peek()? != open + 2 {
                        if object {
                            self.key()?;
                        }
                        continue;
                    }
                    self.at += 1;
                    depth -= 1;
                    kinds >>= 1;
                }
                b'"' => self.string()?,
                b't' => self.literal(b"true")?,
                b'f' => self.literal(b"false")?,
                b'n' => self.literal(b"null")?,
                _ => self.number()?,
            }
            loop {
                self.space();
                if depth == 0 {
                    return (self.at == self.bytes.len()).then_some(());
                }
                let byte = self.peek()?;
                self.at += 1;
                match (byte, kinds & 1) {
                    (b',', object) => {
                        if object == 1 {
                            self.space();
                            self.key()?;
                        }
                        break;
                    }
                    (b'}', 1) | (b']', 0) => {
                        depth -= 1;
                        kinds >>= 1;
                    }
                    _ => return None,
                }
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn literal(&mut self, word: &[u8]) -> Option<()> {
        self.bytes[self.at..].starts_with(word).then(|| self.at += word.len())
    }

    fn key(&mut self) -> Option<()> {
        self.string()?;
        self.space();
        (self.peek()? == b':').then(|| self.at += 1)
    }

    fn string(&mut self) -> Option<()> {
        if self.peek()? != b'"' {
            return None;
        }
        self.at += 1;
        loop {
            let byte = self.peek()?;
            self.at += 1;
            match byte {
                b'"' => return Some(()),
                b'\\' => self.escape()?,
                0..=0x1f => return None,
                _ => {}
            }
        }
    }

    fn escape(&mut self) -> Option<()> {
        let byte = self.peek()?;
        self.at += 1;
        match byte {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(()),
            b'u' => {
                let digits = self.bytes.get(self.at..self.at + 4)?;
                self.at += 4;
                digits.iter().all(u8::is_ascii_hexdigit).then_some(())
            }
            _ => None,
        }
    }

    fn number(&mut self) -> Option<()> {
        if self.peek()? == b'-' {
            self.at += 1;
        }
        let leading_zero = self.peek()? == b'0';
        let mut digits = self.digits()?;
        if leading_zero && digits > 1 {
            return None;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            digits += self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            digits += self.digits()?;
        }
        (digits <= MAX_DIGITS).then_some(())
    }

    fn digits(&mut self) -> Option<usize> {
        let from = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        (self.at > from).then_some(self.at - from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_single_well_formed_json_is_embedded() {
        for good in [
            "null",
            "0",
            "-0.5e+10",
            "\"\\u00e4\\n\"",
            "[]",
            "{}",
            " {\"a\" : [1, {\"b\":null}] } ",
            "[[],{}]",
        ] {
            assert!(is_embeddable(good), "{good}");
        }
        for bad in [
            "",
            " ",
            "nul",
            "nullx",
            "01",
            "1.",
            ".5",
            "+1",
            "-",
            "1e",
            "NaN",
            "Infinity",
            "[1,]",
            "{\"a\"}",
            "{,}",
            "[",
            "]",
            "{\"a\":1,}",
            "{1:2}",
            "\"\n\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "1 2",
            "{}{}",
            "[}",
            "{]",
            "\"a",
            "'a'",
        ] {
            assert!(!is_embeddable(bad), "{bad}");
        }
    }

    #[test]
    fn depth_and_digits_have_limits() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(is_embeddable(&nested(128)));
        assert!(!is_embeddable(&nested(129)));
        assert!(!is_embeddable(&"[".repeat(1_000_000)));
        assert!(is_embeddable(&"7".repeat(300)));
        assert!(!is_embeddable(&"7".repeat(301)));
    }

    #[test]
    fn absent_empty_and_null_stay_apart() {
        let write = |payload: Option<&str>, mode| {
            let mut out = String::new();
            write_payload(&mut out, "input", &payload.map(str::to_owned), mode);
            out
        };
        assert_eq!(write(None, PayloadMode::Inline), "");
        assert_eq!(write(Some(""), PayloadMode::Inline), ",\"input_text\":\"\"");
        assert_eq!(write(Some("null"), PayloadMode::Inline), ",\"input\":null");
        assert_eq!(write(Some("null"), PayloadMode::Text), ",\"input_text\":\"null\"");
        assert_eq!(write(Some("\u{1}\"\\"), PayloadMode::Inline), ",\"input_text\":\"\\u0001\\\"\\\\\"");
    }

    proptest! {
        #[test]
        fn the_scan_agrees_with_a_parser(text in "[\\[\\]{}:,\"\\\\ntrue0-9. eE+-]{0,12}") {
            let parsed = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            prop_assert_eq!(is_embeddable(&text), parsed);
        }

        #[test]
        fn any_text_comes_back_from_its_string(text in "\\PC*|.*") {
            let mut out = String::new();
            write_string(&mut out, &text);
            prop_assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
        }
    }
}
