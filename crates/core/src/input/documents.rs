//! JSON that is not one document a line: arrays, documents that run over lines, search responses. Cuts out the documents
//! without reading them; memory is bounded by the longest document that is accepted.

use memchr::memchr3;

use crate::sources::{Decoder, Fault, Place, Sink, is_number};

/// Cuts documents out of JSON text.
pub struct Splitter {
    /// In a response only the elements of the lists `hits.hits`, `hits.events` and of the events of `hits.sequences` are documents.
    response: bool,
    max_document: usize,
    offset: u64,
    depth: usize,
    /// Depth of the values that are documents.
    level: Option<usize>,
    text: Text,
    /// The document being read.
    document: Vec<u8>,
    begun: Option<u64>,
    too_long: bool,
    records: u64,
    /// Inside something that is no document where one should be.
    astray: bool,
    /// Text between documents, and where it begins: a record's number, or something that is a fault.
    between: Vec<u8>,
    between_at: u64,
    key: Vec<u8>,
    /// The members that lead here, outside of documents; an array's elements are of its name.
    path: Vec<Vec<u8>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Text {
    Outside,
    Inside,
    Escape,
}

/// Longest key that is kept; those that matter are shorter.
const KEY: usize = 16;

/// Longest text between documents that is looked at.
const BETWEEN: usize = 64;

/// So deep the lists of a response lie at most: `responses`, an element, `hits`, `sequences`, an element, `events`.
const DEEPEST: usize = 6;

impl Splitter {
    /// `response`: the text is a search response.
    pub fn new(response: bool, max_document: usize) -> Self {
        Self {
            response,
            max_document,
            offset: 0,
            depth: 0,
            level: (!response).then_some(0),
            text: Text::Outside,
            document: Vec::new(),
            begun: None,
            too_long: false,
            records: 0,
            astray: false,
            between: Vec::new(),
            between_at: 0,
            key: Vec::new(),
            path: Vec::new(),
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.begun.is_some() && !self.too_long {
            self.too_long = self.document.len() + bytes.len() > self.max_document;
            if self.too_long {
                self.document.clear();
            } else {
                self.document.extend_from_slice(bytes);
            }
        } else if self.begun.is_none() && self.key.len() < KEY {
            self.key.extend_from_slice(&bytes[..bytes.len().min(KEY)]);
        }
    }

    /// Inside a string: up to its end or the end of the piece.
    fn string(&mut self, bytes: &[u8]) -> usize {
        if self.text == Text::Escape {
            self.text = Text::Inside;
            self.keep(&bytes[..1]);
            return 1;
        }
        let end = memchr3(b'"', b'\\', b'\n', bytes).unwrap_or(bytes.len());
        self.keep(&bytes[..end]);
        match bytes.get(end) {
            None => return end,
            // A line break in a string is no JSON; a tab is none either, and keeps the document on one line.
            Some(b'\n') => self.keep(b"\t"),
            Some(b'\\') => {
                self.text = Text::Escape;
                self.keep(b"\\");
            }
            Some(_) => {
                self.text = Text::Outside;
                self.keep_outside(b'"');
            }
        }
        end + 1
    }

    fn outside(&mut self, byte: u8, sink: &mut dyn Sink) {
        match byte {
            b'"' => {
                self.text = Text::Inside;
                self.key.clear();
                self.unexpected(self.offset, sink);
                self.keep_outside(b'"');
            }
            b'{' | b'[' => self.open(byte, sink),
            b'}' | b']' => self.close(byte, sink),
            b'\n' | b'\r' => {
                self.between_ends(sink);
                self.keep_outside(b' ');
            }
            b',' => {
                // What comes next has a name of its own, or is an array's element and has none.
                self.key.clear();
                self.keep_outside(byte);
            }
            b' ' | b'\t' | b':' => {
                if !self.between.is_empty() {
                    self.between(byte);
                }
                self.keep_outside(byte);
            }
            _ if self.depth == 0 && self.level == Some(0) => self.between(byte),
            _ => {
                self.unexpected(self.offset, sink);
                self.keep_outside(byte);
            }
        }
    }

    fn keep_outside(&mut self, byte: u8) {
        if self.begun.is_some() {
            self.keep(&[byte]);
        }
    }

    fn open(&mut self, byte: u8, sink: &mut dyn Sink) {
        self.between_ends(sink);
        if self.begun.is_none() {
            if self.level == Some(self.depth) && byte == b'{' {
                self.begun = Some(self.offset);
                self.records += 1;
                self.astray = false;
            } else if byte == b'[' && self.is_list() {
                self.level = Some(self.depth + 1);
            } else if self.level == Some(self.depth) {
                self.unexpected(self.offset, sink);
            }
            if self.response && self.depth < DEEPEST {
                self.path.truncate(self.depth);
                self.path.push(std::mem::take(&mut self.key));
            }
        }
        self.depth += 1;
        self.keep_outside(byte);
    }

    /// Whether an array that opens here is a list of documents.
    fn is_list(&self) -> bool {
        if !self.response {
            return self.depth == 0;
        }
        // The outermost object has no name, and neither has an element of an array.
        let named = |name: &&Vec<u8>| !name.is_empty();
        let mut path = self.path.iter().take(self.depth).filter(named).map(Vec::as_slice).peekable();
        path.next_if(|name| [b"response".as_slice(), b"responses"].contains(name));
        let list = match (path.next(), path.next(), path.next()) {
            (Some(b"hits"), None, None) => self.key == b"hits" || self.key == b"events",
            (Some(b"hits"), Some(b"sequences"), None) => self.key == b"events",
            _ => false,
        };
        list && self.depth <= DEEPEST
    }

    fn close(&mut self, byte: u8, sink: &mut dyn Sink) {
        self.keep_outside(byte);
        self.depth = self.depth.saturating_sub(1);
        if self.begun.is_some() {
            if self.level == Some(self.depth) {
                self.finish_document(sink);
            }
        } else if self.level == Some(self.depth + 1) {
            self.level = (!self.response).then_some(0);
            self.key.clear();
        }
    }

    fn finish_document(&mut self, sink: &mut dyn Sink) {
        let Some(offset) = self.begun.take() else { return };
        let place = Place { record: self.records, offset };
        if std::mem::take(&mut self.too_long) {
            let message = format!("a document of more than {} bytes", self.max_document);
            sink.fault(Fault { kind: "too long", message, place });
        } else {
            sink.document(&self.document, place);
        }
        self.document.clear();
    }

    /// Text outside of all documents.
    fn between(&mut self, byte: u8) {
        if self.between.is_empty() {
            self.between_at = self.offset;
        }
        if self.between.len() < BETWEEN {
            self.between.push(byte);
        }
    }

    /// The line ends, or a document begins.
    fn between_ends(&mut self, sink: &mut dyn Sink) {
        if !self.between.is_empty() {
            if !is_number(&self.between) {
                self.unexpected(self.between_at, sink);
            }
            self.between.clear();
        }
    }

    fn unexpected(&mut self, offset: u64, sink: &mut dyn Sink) {
        if self.begun.is_none() && self.level == Some(self.depth) && !self.astray {
            self.astray = true;
            let place = Place { record: self.records + 1, offset };
            sink.fault(Fault { kind: "no JSON object", message: "an event is a JSON object".into(), place });
        }
    }
}

impl Decoder for Splitter {
    fn push(&mut self, bytes: &[u8], sink: &mut dyn Sink) {
        let mut at = 0;
        while at < bytes.len() {
            let used = if self.text == Text::Outside {
                self.outside(bytes[at], sink);
                1
            } else {
                self.string(&bytes[at..])
            };
            at += used;
            self.offset += used as u64;
        }
    }

    fn finish(&mut self, sink: &mut dyn Sink) {
        self.between_ends(sink);
        if self.begun.is_some() || self.depth > 0 {
            let place = Place { record: self.records.max(1), offset: self.begun.unwrap_or(self.offset) };
            let message = "the file ends inside a document or list".into();
            sink.fault(Fault { kind: "truncated JSON", message, place });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::kept::Kept;
    use super::*;

    fn split(text: &str, response: bool) -> Kept {
        let mut whole = Kept::default();
        let mut splitter = Splitter::new(response, 1000);
        splitter.push(text.as_bytes(), &mut whole);
        splitter.finish(&mut whole);
        let mut bytewise = Kept::default();
        let mut splitter = Splitter::new(response, 1000);
        text.as_bytes().iter().for_each(|byte| splitter.push(&[*byte], &mut bytewise));
        splitter.finish(&mut bytewise);
        assert_eq!((&whole.documents, &whole.faults), (&bytewise.documents, &bytewise.faults));
        whole
    }

    #[test]
    fn arrays_and_documents_over_lines() {
        let kept = split("[{\"a\": \"]}\\\"\"},\n {\"b\":\n [1]}]\n", false);
        assert_eq!(kept.documents, [("{\"a\": \"]}\\\"\"}".into(), 1, 1), ("{\"b\":  [1]}".into(), 2, 17)]);
        assert!(kept.faults.is_empty());
        let kept = split("{\n \"a\": {}\n}\n{\"b\": 1}", false);
        assert_eq!(kept.documents.iter().map(|document| document.2).collect::<Vec<_>>(), [0, 13]);
    }

    #[test]
    fn the_hits_of_responses() {
        let text = r#"{"took":1,"hits":{"total":{"value":2},"hits":[{"_id":"1","_source":{"hits":[{}]}},{"_id":"2"}]},"aggregations":{"hits":[{"x":1}]}}"#;
        let kept = split(text, true);
        assert_eq!(kept.documents.len(), 2);
        assert_eq!(kept.documents[1].0, r#"{"_id":"2"}"#);
        let sequences =
            r#"{"hits":{"sequences":[{"join_keys":["x"],"events":[{"a":1},{"a":2}]},{"events":[{"a":3}]}]}}"#;
        assert_eq!(split(sequences, true).documents.len(), 3);
        let asynchronous = r#"{"id":"x","response":{"took":1,"hits":{"hits":[{"a":1}]}}}"#;
        assert_eq!(split(asynchronous, true).documents.len(), 1);
        let several = r#"{"took":1,"responses":[{"hits":{"hits":[{"a":1}]},"aggregations":{"t":{"hits":{"hits":[{"a":1}]}}}},{"hits":{"hits":[{"a":2}]}}]}"#;
        assert_eq!(split(several, true).documents.len(), 2);
        let deepest = r#"{"responses":[{"hits":{"sequences":[{"events":[{"a":1},{"a":2}]}]}}]}"#;
        assert_eq!(split(deepest, true).documents.len(), 2);
    }

    #[test]
    fn numbers_before_documents_are_passed_over() {
        let kept = split("Record 1\n{\"a\": 1}\nRecord 12\r\n{\n\"b\": 2}\n", false);
        assert_eq!(kept.documents.iter().map(|document| document.2).collect::<Vec<_>>(), [9, 29]);
        assert!(kept.faults.is_empty());
        let kept = split("{\"a\":1}\nRecords 1\n{\"b\":1} tail", false);
        assert_eq!((kept.documents.len(), kept.faults), (2, vec![("no JSON object", 8), ("no JSON object", 26)]));
    }

    #[test]
    fn what_is_no_document_is_a_fault() {
        assert_eq!(split("[1, {\"a\":1}, \"x\"]", false).faults, [("no JSON object", 1), ("no JSON object", 13)]);
        assert_eq!(split("[{\"a\":1}, {\"b\":", false).faults, [("truncated JSON", 10)]);
        let long = format!("[{{\"a\":\"{}\"}},{{\"b\":1}}]", "x".repeat(2000));
        let kept = split(&long, false);
        assert_eq!((kept.documents.len(), kept.faults), (1, vec![("too long", 1)]));
    }
}
