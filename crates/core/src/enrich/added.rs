//! Writes what is added to a document behind its own members. It knows neither fields nor processes.

use crate::json::write_string;

/// Additions to one document, which is changed with the first of them.
#[derive(Debug)]
pub(super) struct Added<'d> {
    json: &'d mut Vec<u8>,
    names: Vec<&'static str>,
    /// Whether the document has no members of its own.
    empty: bool,
}

impl<'d> Added<'d> {
    /// Additions to a document that is a JSON object.
    pub fn to(json: &'d mut Vec<u8>) -> Self {
        Self { json, names: Vec::new(), empty: false }
    }

    /// One member.
    pub fn text(&mut self, name: &'static str, text: &str) {
        self.key(name);
        self.write(text);
    }

    /// One member, if there is a value.
    pub fn maybe(&mut self, name: &'static str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    /// One member that is a list.
    pub fn texts<'t>(&mut self, name: &'static str, texts: impl IntoIterator<Item = &'t str>) {
        self.key(name);
        self.list(texts);
    }

    /// Names what was added in one more member, and closes the document.
    pub fn end(mut self) {
        if !self.names.is_empty() {
            let names = std::mem::take(&mut self.names);
            self.member("contraband.added");
            self.list(names);
            self.json.push(b'}');
        }
    }

    fn key(&mut self, name: &'static str) {
        if self.names.is_empty() {
            self.open();
        }
        self.member(name);
        self.names.push(name);
    }

    /// Takes back the closing brace.
    fn open(&mut self) {
        let end = memchr::memrchr(b'}', self.json).unwrap_or(0);
        self.json.truncate(end);
        self.empty = self.json.trim_ascii_end().ends_with(b"{");
    }

    fn member(&mut self, name: &str) {
        if !std::mem::take(&mut self.empty) {
            self.json.push(b',');
        }
        write_string(name, self.json);
        self.json.push(b':');
    }

    fn list<'t>(&mut self, texts: impl IntoIterator<Item = &'t str>) {
        self.json.push(b'[');
        let start = self.json.len();
        for text in texts {
            if self.json.len() > start {
                self.json.push(b',');
            }
            self.write(text);
        }
        self.json.push(b']');
    }

    fn write(&mut self, text: &str) {
        serde_json::to_writer(&mut *self.json, text).expect("a vector takes all that is written");
    }
}
