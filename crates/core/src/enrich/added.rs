//! Writes what is added to a document behind its own members. It knows neither fields nor processes.

use super::Content;
use crate::json::{Projection, ROOT, write_string};
use crate::value::Picked;

/// Additions to one document, which is changed with the first of them.
pub(super) struct Added<'d> {
    /// The document's own text, or what is to follow its last member.
    json: &'d mut Vec<u8>,
    /// The values of a document that is not written yet, and the fields that are wanted of it.
    picked: Option<(&'d mut Picked, &'d Projection)>,
    names: Vec<&'static str>,
    /// Whether the document has no members of its own.
    empty: bool,
}

impl<'d> Added<'d> {
    /// Additions to a document that is a JSON object.
    pub fn to(content: &'d mut Content, wanted: &'d Projection) -> Self {
        let (json, picked) = match content {
            Content::Json(json) => (json, None),
            Content::Unwritten(record, additions) => {
                additions.reserve(1024);
                (additions, Some((&mut record.picked, wanted)))
            }
        };
        Self { json, picked, names: Vec::with_capacity(16), empty: false }
    }

    /// One member.
    pub fn text(&mut self, name: &'static str, text: &str) {
        self.key(name);
        self.write(text);
        self.pick(name, [text]);
    }

    /// One member, if there is a value.
    pub fn maybe(&mut self, name: &'static str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    /// One member that is a list.
    pub fn texts<'t>(&mut self, name: &'static str, texts: impl IntoIterator<Item = &'t str> + Clone) {
        self.key(name);
        self.list(texts.clone());
        self.pick(name, texts);
    }

    /// Names what was added in one more member, and closes the document.
    pub fn end(mut self) {
        if !self.names.is_empty() {
            let names = std::mem::take(&mut self.names);
            self.member("contraband.added");
            self.list(names.iter().copied());
            self.pick("contraband.added", names);
            if self.picked.is_none() {
                self.json.push(b'}');
            }
        }
    }

    fn pick<'t>(&mut self, name: &str, texts: impl IntoIterator<Item = &'t str>) {
        if let Some((picked, wanted)) = &mut self.picked
            && let Some(entry) = wanted.find(ROOT, name.as_bytes())
        {
            texts.into_iter().for_each(|text| picked.text(wanted.slots(entry.node), text));
        }
    }

    fn key(&mut self, name: &'static str) {
        if self.names.is_empty() && self.picked.is_none() {
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
        write_string(text, self.json);
    }
}
