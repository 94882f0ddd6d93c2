//! Writes what is added to a document behind its own members. It knows neither fields nor processes.

use super::addition::{Addition, Slots};
use crate::json::write_string;
use crate::value::{Extent, Part, Picked};
use memchr::memmem;
use std::ops::Range;

/// The name under which everything is listed that was added.
pub(super) const LIST: &str = Addition::List.name();

/// Whether a document has got additions, wherever the list of them stands: told by its name, for anybody may have the text as an argument.
pub(super) fn has_list(json: &[u8]) -> bool {
    memmem::find_iter(json, LIST).any(|at| json[..at].ends_with(b"\"") && json[at + LIST.len()..].starts_with(b"\":"))
}

/// What stands before the list of what was added to a document, and the names in it: where the list stands last, as it is written here.
pub(crate) fn listed(document: &str) -> Option<(&str, &str)> {
    let (before, list) = document.rsplit_once(&format!(",\"{LIST}\":["))?;
    let names = list.strip_suffix("]}")?;
    (!names.contains(['[', ']', '{', '}'])).then_some((before, names))
}

/// A member of a document that is not written yet, or an element of a list.
#[derive(Clone, Copy, Debug)]
struct Member {
    addition: Addition,
    text: Part,
    listed: bool,
}

/// What is added to documents that are not written yet.
#[derive(Debug, Default)]
pub(super) struct Additions {
    values: Picked,
    members: Vec<Member>,
}

/// Additions to one document.
#[derive(Clone, Debug, Default)]
pub(super) struct Own {
    /// The values of them that are wanted.
    values: Extent,
    members: Range<u32>,
}

impl Additions {
    /// Room for the additions to so many records.
    pub fn with_room(records: usize) -> Self {
        let (values, bytes) = (16 * records, 384 * records);
        Self { values: Picked::with_room(values, bytes), members: Vec::with_capacity(values) }
    }

    /// The values that were added to a document.
    pub fn fill<'a>(&'a self, own: &Own, event: &mut crate::value::Event<'a>) {
        self.values.fill(own.values, event);
    }

    /// Writes what was added to a document into it.
    pub fn write(&self, own: &Own, json: &mut Vec<u8>) {
        let members = self.members.get(own.members.start as usize..own.members.end as usize).unwrap_or_default();
        let mut document = Text::open(json);
        for run in members.chunk_by(|left, right| left.listed && right.listed && left.addition == right.addition) {
            let Some(first) = run.first() else { continue };
            let texts = run.iter().map(|member| self.values.part(member.text));
            if first.listed {
                document.list(first.addition, texts);
            } else {
                texts.for_each(|text| document.one(first.addition, text));
            }
        }
        document.close();
    }

    /// Bytes that it holds.
    pub fn size(&self) -> usize {
        self.values.size() + self.members.len() * size_of::<Member>()
    }
}

/// A document that gets members behind its own.
struct Text<'d> {
    json: &'d mut Vec<u8>,
    names: Vec<Addition>,
    /// Whether the document has no members so far.
    empty: bool,
}

impl<'d> Text<'d> {
    fn open(json: &'d mut Vec<u8>) -> Self {
        Self { json, names: Vec::with_capacity(16), empty: false }
    }

    fn key(&mut self, addition: Addition) {
        if self.names.is_empty() {
            // The closing brace is taken back with the first addition.
            let end = memchr::memrchr(b'}', self.json).unwrap_or(0);
            self.json.truncate(end);
            self.empty = self.json.trim_ascii_end().ends_with(b"{");
        }
        self.member(addition.name());
        self.names.push(addition);
    }

    fn member(&mut self, name: &str) {
        if !std::mem::take(&mut self.empty) {
            self.json.push(b',');
        }
        write_string(name, self.json);
        self.json.push(b':');
    }

    fn one(&mut self, addition: Addition, text: &str) {
        self.key(addition);
        write_string(text, self.json);
    }

    fn list<'t>(&mut self, addition: Addition, texts: impl IntoIterator<Item = &'t str>) {
        self.key(addition);
        self.write_list(texts);
    }

    fn write_list<'t>(&mut self, texts: impl IntoIterator<Item = &'t str>) {
        self.json.push(b'[');
        let start = self.json.len();
        for text in texts {
            if self.json.len() > start {
                self.json.push(b',');
            }
            write_string(text, self.json);
        }
        self.json.push(b']');
    }

    /// Names what was added in one more member, and closes the document.
    fn close(mut self) {
        if !self.names.is_empty() {
            let names = std::mem::take(&mut self.names);
            self.member(LIST);
            self.write_list(names.into_iter().map(Addition::name));
            self.json.push(b'}');
        }
    }
}

/// Where additions to one document go.
pub(super) enum Added<'d> {
    /// Its own text, which is changed with the first of them.
    Json(Written<'d>),
    /// The values of documents that are not written yet.
    Values(Noted<'d>),
}

/// Additions to a document that is there.
pub(super) struct Written<'d>(Text<'d>);

/// Additions to a document that is not written yet.
pub(super) struct Noted<'d> {
    additions: &'d mut Additions,
    slots: &'d Slots,
    mark: u32,
    from: u32,
}

impl<'d> Added<'d> {
    /// Additions to a document that is a JSON object.
    pub fn to(json: &'d mut Vec<u8>) -> Self {
        Self::Json(Written(Text::open(json)))
    }

    /// Additions to a document of which some fields are wanted.
    pub fn beside(additions: &'d mut Additions, slots: &'d Slots) -> Self {
        let (mark, from) = (additions.values.mark(), additions.members.len() as u32);
        Self::Values(Noted { additions, slots, mark, from })
    }

    /// One member.
    pub fn text(&mut self, addition: Addition, text: &str) {
        match self {
            Self::Json(Written(document)) => document.one(addition, text),
            Self::Values(noted) => noted.add(addition, text, false),
        }
    }

    /// One member, if there is a value.
    pub fn maybe(&mut self, addition: Addition, text: Option<&str>) {
        if let Some(text) = text {
            self.text(addition, text);
        }
    }

    /// One member that is a list, which is not empty.
    pub fn texts<'t>(&mut self, addition: Addition, texts: impl IntoIterator<Item = &'t str>) {
        match self {
            Self::Json(Written(document)) => document.list(addition, texts),
            Self::Values(noted) => texts.into_iter().for_each(|text| noted.add(addition, text, true)),
        }
    }

    /// The end of the additions: what they were, where the document is not written yet.
    pub fn end(self) -> Own {
        match self {
            Self::Json(Written(document)) => {
                document.close();
                Own::default()
            }
            Self::Values(noted) => noted.end(),
        }
    }
}

impl Noted<'_> {
    fn add(&mut self, addition: Addition, text: &str, listed: bool) {
        let text = self.additions.values.keep(text);
        self.additions.members.push(Member { addition, text, listed });
        self.additions.values.kept(self.slots.get(addition), text);
    }

    fn end(self) -> Own {
        let members = self.from..self.additions.members.len() as u32;
        // Names of what was added are a value, too, where a rule asks for it.
        let fields = self.slots.get(Addition::List);
        if !fields.is_empty() {
            let added = self.additions.members.get(self.from as usize..).unwrap_or_default();
            let mut names: Vec<Addition> = added.iter().map(|member| member.addition).collect();
            names.dedup();
            for addition in names {
                self.additions.values.text(fields, addition.name());
            }
        }
        Own { values: self.additions.values.since(self.mark), members }
    }
}
