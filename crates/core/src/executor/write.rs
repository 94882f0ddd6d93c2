//! The results of queries, and alerts of sequences, as text: block by block, so that their number does not matter.

use super::engine::Loaded;
use super::held::Held;
use super::options::Output;
use super::summary::FileSummary;
use crate::alert::{self, Installation, Origin, Subject, Text};
use crate::json::{Scanner, write_string};
use crate::plan::Kind;
use crate::sequences::{Component, Key};
use crate::value::{Event, Time};

/// A block is handed on when it is so long.
const BLOCK: usize = 1 << 20;

/// Takes blocks of whole lines; `false` when nobody wants more.
pub(super) type Emit<'e> = dyn FnMut(Vec<u8>) -> bool + 'e;

/// Writes results.
pub(super) struct Writer<'w> {
    pub loaded: &'w Loaded,
    pub output: Output,
    pub files: &'w [FileSummary],
    emit: &'w mut Emit<'w>,
    block: Vec<u8>,
    /// Whether anybody wants more.
    pub open: bool,
}

impl<'w> Writer<'w> {
    pub(super) fn new(loaded: &'w Loaded, output: Output, files: &'w [FileSummary], emit: &'w mut Emit<'w>) -> Self {
        Self { loaded, output, files, emit, block: Vec::new(), open: true }
    }

    /// Hands on what has been written.
    pub(super) fn flush(&mut self) {
        if !self.block.is_empty() {
            self.open = self.open && (self.emit)(std::mem::take(&mut self.block));
        }
    }

    /// Whole lines that are ready.
    pub(super) fn text(&mut self, lines: &[u8]) {
        self.block.extend_from_slice(lines);
        self.line();
    }

    fn line(&mut self) {
        if self.block.len() >= BLOCK {
            self.flush();
        }
    }

    /// A match of a query of events.
    pub(super) fn event(&mut self, held: &Held) {
        if self.output == Output::Events {
            self.block.extend_from_slice(held.document.as_bytes());
            self.block.push(b'\n');
        } else {
            self.block.extend_from_slice(format!("{{\"event\":{}}}\n", held.arrival).as_bytes());
        }
        self.line();
    }

    /// A sequence or sample, as the output has it.
    pub(super) fn completed(&mut self, rule: u32, key: &Key, events: &[Option<Held>]) {
        if self.output == Output::Alerts {
            alerts(self.loaded, self.files, rule, events.iter().flatten(), &mut self.block);
        } else {
            self.sequence(rule, key, events);
        }
        self.line();
    }

    fn sequence(&mut self, rule: u32, key: &Key, events: &[Option<Held>]) {
        let sample = self.loaded.program.shapes()[rule as usize].kind == Kind::Sample;
        let out = &mut self.block;
        out.extend_from_slice(b"{\"sequence\":{\"join_keys\":");
        keys(key, sample, out);
        out.extend_from_slice(b",\"events\":[");
        for (number, held) in events.iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            match held {
                None => out.extend_from_slice(b"null"),
                Some(held) if self.output == Output::Events => out.extend_from_slice(held.document.as_bytes()),
                Some(held) => out.extend_from_slice(held.arrival.to_string().as_bytes()),
            }
        }
        out.extend_from_slice(b"]}}\n");
    }
}

/// The alerts of a sequence or sample.
pub(super) fn alerts<'h>(
    loaded: &Loaded,
    files: &[FileSummary],
    rule: u32,
    events: impl Iterator<Item = &'h Held>,
    out: &mut Vec<u8>,
) {
    let held: Vec<&Held> = events.collect();
    let scanner = Scanner::new(&loaded.projection);
    let events: Vec<Event<'_>> = held
        .iter()
        .map(|held| {
            let mut event = Event::new(loaded.projection.width);
            let _ = scanner.scan(&held.document, &mut event);
            event
        })
        .collect();
    let installations: Vec<Installation> =
        events.iter().map(|event| Installation::of(event, &loaded.extra.installation)).collect();
    let subjects: Vec<Subject<'_, '_>> = held
        .iter()
        .zip(&events)
        .zip(&installations)
        .map(|((held, event), installation)| Subject {
            event,
            document: &held.document,
            identity: &held.identity,
            time: held.time.as_deref(),
            origin: Origin {
                path: files.get(held.file).map_or("", |file| &file.path),
                record: held.record,
                relative: false,
                offset: held.offset,
            },
            installation,
        })
        .collect();
    let mut text = Text::default();
    alert::sequence(&loaded.alerts[rule as usize], &subjects, &mut text);
    text.resolve(0, out);
}

/// Join keys as Elasticsearch reports them: numbers and booleans as such, dates as ISO text (in samples as milliseconds).
fn keys(key: &Key, sample: bool, out: &mut Vec<u8>) {
    out.push(b'[');
    for (number, part) in key.parts().iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        match part {
            Component::Date(time) if sample => write_string(&milliseconds(*time), out),
            Component::Text(_) | Component::Version(_) | Component::Date(_) | Component::Address(_) => {
                write_string(&part.text(), out);
            }
            Component::Double(float) if !float.is_finite() => write_string(&part.text(), out),
            Component::Double(float) => out.extend_from_slice(serde_json::json!(float).to_string().as_bytes()),
            Component::Null | Component::Bool(_) | Component::Long(_) | Component::Unsigned(_) => {
                out.extend_from_slice(part.text().as_bytes());
            }
        }
    }
    out.push(b']');
}

fn milliseconds(time: Time) -> String {
    time.milliseconds().to_string()
}
