//! The values of a key, read off a line that is not parsed: exact where they are written plainly, and any value where they are not.

use super::search::Key;

/// The longest value that is compared.
const LONGEST: usize = 64;

impl Key {
    /// Of lowered values and what each tells; after a `*` anything may follow.
    pub(super) fn new<'v>(name: &str, values: impl IntoIterator<Item = (&'v str, u64)>) -> Self {
        let value = |(value, bits): (&'v str, u64)| match value.strip_suffix('*') {
            Some(start) => (start.as_bytes().into(), true, bits),
            None => (value.as_bytes().into(), false, bits),
        };
        let values: Vec<(Box<[u8]>, bool, u64)> = values.into_iter().map(value).collect();
        let all = values.iter().fold(0, |all, (_, _, bits)| all | bits);
        Self { name: format!("{name}\""), values, all }
    }

    /// What the values after the key tell: `at` is after its closing quote. Nothing where no colon follows: then it is no key.
    pub(super) fn read(&self, text: &[u8], at: usize) -> u64 {
        let at = blank(text, at);
        if text.get(at) != Some(&b':') {
            return 0;
        }
        let at = blank(text, at + 1);
        match text.get(at) {
            Some(b'"') => self.string(text, at + 1).map_or(self.all, |(bits, _)| bits),
            Some(b'[') => self.list(text, at + 1),
            Some(b'n') if text[at..].starts_with(b"null") => 0,
            _ => self.all,
        }
    }

    fn list(&self, text: &[u8], at: usize) -> u64 {
        let mut seen = 0;
        let mut at = blank(text, at);
        loop {
            if text.get(at) != Some(&b'"') {
                return self.all;
            }
            let Some((bits, end)) = self.string(text, at + 1) else { return self.all };
            seen |= bits;
            let end = blank(text, end);
            match text.get(end) {
                Some(b',') => at = blank(text, end + 1),
                Some(b']') => return seen,
                _ => return self.all,
            }
        }
    }

    /// What a string tells, and where it ends. None where it has escapes or is long.
    fn string(&self, text: &[u8], start: usize) -> Option<(u64, usize)> {
        let rest = &text[start.min(text.len())..];
        let length = rest.iter().take(LONGEST + 1).position(|byte| matches!(byte, b'"' | b'\\' | b'\n'))?;
        if rest[length] != b'"' {
            return None;
        }
        let value = &rest[..length];
        let mut seen = 0;
        for (known, open, bits) in &self.values {
            let begins = value.get(..known.len()).is_some_and(|start| start.eq_ignore_ascii_case(known));
            if begins && (*open || value.len() == known.len()) {
                seen |= bits;
            }
        }
        Some((seen, start + length + 1))
    }
}

fn blank(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r')).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_values_are_told_and_others_may_be_any() {
        let key = Key::new("category", [("process", 1), ("file", 2), ("fi*", 4)]);
        for (text, bits) in [
            (r#":"process"}"#, 1),
            (r#" : "FILE","#, 6),
            (r#":"fi""#, 4),
            (r#":"filename""#, 4),
            (r#":["file","process"]"#, 7),
            (r#":[ "process" , "other" ]"#, 1),
            (r#":"other""#, 0),
            (r":null", 0),
            (r#","category""#, 0),
            (r":[]", 7),
            (r#":["pro\u0063ess"]"#, 7),
            (r#":[["other"]]"#, 7),
            (r#":["other",null]"#, 7),
            (r#":["other""#, 7),
            (r":5", 7),
            (r#":{"a":1}"#, 7),
            (":\"oth\ner\"", 7),
            (r#":"oth"#, 7),
            (r":", 7),
            ("", 0),
        ] {
            assert_eq!(key.read(text.as_bytes(), 0), bits, "{text}");
        }
        let long = format!(":\"{}\"", "x".repeat(100));
        assert_eq!(key.read(long.as_bytes(), 0), 7);
    }
}
