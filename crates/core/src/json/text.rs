//! The text of JSON strings: escapes read and written.

use super::cursor::special;
use std::borrow::Cow;

/// The text that a string's content stands for. The content is valid JSON. A lone surrogate becomes U+FFFD, since no text
/// can hold it.
pub fn unescape(content: &str) -> Cow<'_, str> {
    let bytes = content.as_bytes();
    let mut at = special(bytes, 0);
    if at == bytes.len() {
        return Cow::Borrowed(content);
    }
    let mut out = String::with_capacity(bytes.len());
    let mut start = 0;
    while at < bytes.len() {
        out.push_str(&content[start..at]);
        start = match (bytes[at], bytes.get(at + 1)) {
            (b'\\', Some(b'\\' | b'"' | b'/')) => {
                out.push(char::from(bytes[at + 1]));
                at + 2
            }
            (b'\\', _) => content.len() - one_escape(&content[at + 1..], &mut out).len(),
            // No string has it unescaped.
            (other, _) => {
                out.push(char::from(other));
                at + 1
            }
        };
        at = special(bytes, start);
    }
    out.push_str(&content[start..]);
    Cow::Owned(out)
}

/// Reads one escape, after its backslash; gives the text after it.
fn one_escape<'a>(rest: &'a str, out: &mut String) -> &'a str {
    let Some(letter) = rest.bytes().next() else { return rest };
    let plain = match letter {
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode_escape(&rest[1..], out),
        other => char::from(other),
    };
    out.push(plain);
    rest.get(1..).unwrap_or("")
}

fn unicode_escape<'a>(rest: &'a str, out: &mut String) -> &'a str {
    let Some(unit) = hex(rest) else { return rest };
    let rest = &rest[4..];
    if (0xD800..0xDC00).contains(&unit)
        && let Some(low) = rest.strip_prefix("\\u").and_then(hex)
        && (0xDC00..0xE000).contains(&low)
    {
        let point = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
        out.push(char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER));
        return &rest[6..];
    }
    out.push(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER));
    rest
}

fn hex(text: &str) -> Option<u32> {
    text.get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok())
}

/// Writes text as a JSON string, quotes included.
pub fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut start = 0;
    loop {
        let at = special(bytes, start);
        out.extend_from_slice(&bytes[start..at]);
        let Some(&byte) = bytes.get(at) else { break };
        start = at + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            other => {
                const HEXADECIMAL: &[u8; 16] = b"0123456789abcdef";
                out.extend_from_slice(b"\\u00");
                out.push(HEXADECIMAL[usize::from(other >> 4)]);
                out.push(HEXADECIMAL[usize::from(other & 15)]);
            }
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_read() {
        assert_eq!(unescape("plain"), "plain");
        assert_eq!(unescape(r#"C:\\Windows\/\"\b\f\n\r\tx"#), "C:\\Windows/\"\u{8}\u{c}\n\r\tx");
        assert_eq!(unescape(r"\u006Dsi\u00e9\ud83d\ude00"), "msié😀");
    }

    #[test]
    fn lone_surrogates_become_the_replacement_character() {
        assert_eq!(unescape(r"a\ud800b"), "a\u{fffd}b");
        assert_eq!(unescape(r"\udc00\ud800"), "\u{fffd}\u{fffd}");
        assert_eq!(unescape(r"\ud800\ud83d\ude00"), "\u{fffd}😀");
        assert_eq!(unescape(r"\ud800\u0041"), "\u{fffd}A");
    }

    #[test]
    fn what_is_written_reads_back() {
        for text in ["", "a\"b\\c", "\u{0}\u{1f}\n\t\r", "é😀"] {
            let mut out = Vec::new();
            write_string(text, &mut out);
            let written = String::from_utf8(out).unwrap();
            assert_eq!(unescape(&written[1..written.len() - 1]), text);
        }
    }
}
