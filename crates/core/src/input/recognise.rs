//! What a file is, from its first bytes; its name is not looked at.

use crate::json::Cursor;
use crate::sources::{FORMATS, Format, Reading, unnumbered};

use super::table::is_table;

/// How many bytes are looked at.
pub const HEAD: usize = 64 * 1024;

/// What a file was recognised as.
#[derive(Clone, Copy)]
pub enum Shape {
    /// One JSON document a line.
    Lines,
    /// JSON documents that run over lines, or an array of them.
    Documents,
    /// A search response: its hits are the documents.
    Response,
    /// A raw format of its own.
    Raw(&'static Format),
    /// A raw format whose documents are JSON.
    RawDocuments(&'static Format, Layout),
    /// A table: its rows are the documents.
    Rows,
    /// Nothing in it.
    Empty,
    /// Nothing that we know.
    Unknown,
}

/// How JSON documents lie in a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// One a line.
    Lines,
    /// Over lines, or in an array.
    Documents,
    /// Hits of a search response.
    Response,
}

impl Shape {
    /// As the summary names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lines => "NDJSON",
            Self::Documents => "JSON",
            Self::Response => "search response",
            Self::Rows => "CSV",
            Self::Raw(format) | Self::RawDocuments(format, _) => format.name,
            Self::Empty => "empty",
            Self::Unknown => "unknown",
        }
    }
}

/// Recognises a text by its first bytes. `source` is the caller's word, and wins.
pub fn recognise(head: &[u8], source: Option<&str>) -> Shape {
    let start = head.iter().position(|byte| !byte.is_ascii_whitespace());
    let Some(start) = start else {
        return if head.len() < HEAD { Shape::Empty } else { Shape::Unknown };
    };
    let text = unnumbered(&head[start..]);
    let json = if text.len() < head.len() - start && text.first() == Some(&b'{') {
        Some(Shape::Documents)
    } else {
        json(text)
    };
    let layout = match json {
        Some(Shape::Documents) => Layout::Documents,
        Some(Shape::Response) => Layout::Response,
        _ => Layout::Lines,
    };
    let first = first_document(text);
    for format in FORMATS {
        let named = source == Some(format.name);
        match format.reading {
            Reading::Bytes(_) if named || (source.is_none() && (format.recognise)(head)) => return Shape::Raw(format),
            Reading::Documents(_) if named || (source.is_none() && json.is_some() && (format.recognise)(first)) => {
                return Shape::RawDocuments(format, layout);
            }
            _ => {}
        }
    }
    json.unwrap_or(if source.is_none() && is_table(head) { Shape::Rows } else { Shape::Unknown })
}

/// The first document of a JSON text: the first element of an array, else the text as it is.
fn first_document(text: &[u8]) -> &[u8] {
    match text {
        [b'[', rest @ ..] => rest.trim_ascii_start(),
        other => other,
    }
}

fn json(text: &[u8]) -> Option<Shape> {
    match text.first().copied().unwrap_or_default() {
        b'[' => match text[1..].iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'{' | b']') => Some(Shape::Documents),
            _ => lines(text),
        },
        b'{' if is_response(text) => Some(Shape::Response),
        b'{' => lines(text).or_else(|| over_lines(text)),
        _ => lines(text),
    }
}

/// Whether any of the first lines is a whole object by its first and last byte; a broken first line does not decide.
fn lines(text: &[u8]) -> Option<Shape> {
    let mut lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let whole = |line: &[u8]| line.starts_with(b"{\"") && line.ends_with(b"}") || line == b"{}";
    if lines.clone().take(50).any(whole) {
        return Some(Shape::Lines);
    }
    // One line that is longer than what is looked at.
    let first = lines.next()?;
    (first.starts_with(b"{\"") && lines.next().is_none() && text.len() >= HEAD / 2).then_some(Shape::Lines)
}

/// An object whose first line stops in the middle.
fn over_lines(text: &[u8]) -> Option<Shape> {
    let inside = text[1..].trim_ascii_start();
    matches!(inside.first(), Some(b'"' | b'}')).then_some(Shape::Documents)
}

/// Whether the text starts as an object with `hits` → `hits`, `events` or `sequences`, the rest being what Elasticsearch puts before it; an
/// asynchronous search has it in its `response`, several searches at once in `responses`.
fn is_response(text: &[u8]) -> bool {
    let text = match std::str::from_utf8(text) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&text[..error.valid_up_to()]).unwrap_or_default(),
    };
    let mut cursor = Cursor::new(text);
    let has_hits = match member_value(&mut cursor, &["hits", "response", "responses"]) {
        Some("response") => member_value(&mut cursor, &["hits"]).is_some(),
        Some("responses") => cursor.expect(b'[').is_ok() && member_value(&mut cursor, &["hits"]).is_some(),
        found => found.is_some(),
    };
    has_hits && member_value(&mut cursor, &["hits", "events", "sequences"]).is_some() && cursor.peek() == Some(b'[')
}

/// Moves into an object, to the value of the first of the named members, and tells which that is.
fn member_value<'n>(cursor: &mut Cursor<'_>, names: &[&'n str]) -> Option<&'n str> {
    cursor.blank();
    cursor.expect(b'{').ok()?;
    while let Ok(key) = cursor.member() {
        let name = &cursor.text[key.start..key.end];
        if let Some(found) = names.iter().find(|known| **known == name) {
            cursor.blank();
            return Some(found);
        }
        if cursor.skip(1).is_err() || cursor.expect(b',').is_err() {
            return None;
        }
    }
    None
}

/// What a file of no known format is by its first bytes, where a person can make something of it that is known.
pub fn unread(head: &[u8]) -> Option<&'static str> {
    const PACKED: [(&[u8], &str); 4] =
        [(b"BZh", "bzip2"), (b"\xfd7zXZ\0", "xz"), (b"7z\xbc\xaf\x27\x1c", "7-Zip"), (b"PAR1", "Parquet")];
    let tar = head.get(257..262) == Some(b"ustar");
    PACKED.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, name)| *name).or(tar.then_some("tar"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_of_every_kind_are_recognised() {
        for text in [
            r#"{"took":1,"hits":{"total":1,"hits":[{"_id":"1"}]}}"#,
            r#"{"hits":{"total":1,"events":[]}}"#,
            r#"{"hits":{"sequences":[{"events":[]}]}}"#,
            "{\n \"id\": \"x\",\n \"response\": {\"took\": 1, \"hits\": {\"hits\": [\n{}]}}}",
            r#"{"took":1,"responses":[{"took":1,"hits":{"hits":[{}]}}]}"#,
        ] {
            assert!(matches!(recognise(text.as_bytes(), None), Shape::Response), "{text}");
        }
        for text in [r#"{"response":{"status":200}}"#, r#"{"hits":7}"#, r#"{"responses":[]}"#, r#"{"response":"hits"}"#]
        {
            assert!(matches!(recognise(text.as_bytes(), None), Shape::Lines), "{text}");
        }
    }

    #[test]
    fn raw_documents_are_found_in_responses_and_behind_numbers() {
        let layout = |text: &str| match recognise(text.as_bytes(), None) {
            Shape::RawDocuments(format, layout) => (format.name, layout),
            other => panic!("{}", other.name()),
        };
        let raw = r#"{"winlog":{"provider_name":"x"}}"#;
        assert!(layout(&format!("{raw}\n{raw}")) == ("winlogbeat", Layout::Lines));
        let response = format!(r#"{{"took":1,"hits":{{"hits":[{{"_source":{raw}}}]}}}}"#);
        assert!(layout(&response) == ("winlogbeat", Layout::Response));
        let event = r#"{"Event":{"System":{"EventRecordID":1}}}"#;
        assert!(layout(&format!("Record 1\n{event}\nRecord 2\n{event}\n")) == ("windows-json", Layout::Documents));
    }

    #[test]
    fn what_is_packed_in_another_way_is_named() {
        assert_eq!(unread(b"BZh91AY&SY"), Some("bzip2"));
        let mut tar = vec![0; 512];
        tar[257..262].copy_from_slice(b"ustar");
        assert_eq!(unread(&tar), Some("tar"));
        assert_eq!(unread(b"plain text"), None);
    }
}
