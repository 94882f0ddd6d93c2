//! What one thread does with one chunk: lines to documents, documents to events, events to hits.

use super::engine::Loaded;
use super::hosts::Hosts;
use super::marks::first_to_enrich;
use super::options::{Output, ScanOptions};
use super::pool::Pool;
use super::range::{LENGTH, Range};
use super::summary::UNCLAIMED;
use crate::alert::{self, Installation, Origin, Subject, Text};
use crate::enrich::{Records, with_os};
use crate::filter::Lines;
use crate::input::LineReader;
use crate::json::{Broken, BrokenKind, Scanner, without_duplicates};
use crate::plan::{Kind, PlanError};
use crate::program::{Evaluator, Hit, MOST_KEYS, Outcome, Profile, RuleMask};
use crate::route::{Memo, Route, Telling, unclaimed};
use crate::sequences::{Candidate, Order};
use crate::sources::{Fault, Place};
use crate::value::{Event, Raw, Time};
use foldhash::fast::RandomState;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// A piece of one file.
pub(super) struct Chunk {
    pub file: usize,
    pub path: Arc<str>,
    pub text: Content,
}

pub(super) enum Content {
    /// Whole lines from a place in the file; `too_long` says that one follows which was too long to be kept.
    Lines { bytes: Vec<u8>, offset: u64, too_long: bool },
    /// The lines that start in a range of a plain file, which the thread reads itself.
    Range(Range),
    /// Documents of a decoder, one a line, each with its place.
    Documents { bytes: Vec<u8>, places: Vec<Place> },
    /// Records whose documents are not written yet.
    Unwritten(Box<Records>),
}

impl Chunk {
    /// The bytes that it counts for while it is under way.
    pub(super) fn under_way(&self) -> u64 {
        match &self.text {
            Content::Lines { bytes, .. } | Content::Documents { bytes, .. } => bytes.len() as u64,
            Content::Range(range) => range.to - range.from,
            Content::Unwritten(records) => records.held() as u64,
        }
    }
}

/// An event that is kept until all are known: for ordering, or as part of a sequence.
#[derive(Debug)]
pub(super) struct Kept {
    pub document: Box<str>,
    pub identity: String,
    pub time: Option<String>,
    /// Of its file; `relative` records are counted from the chunk's first.
    pub record: u64,
    pub offset: u64,
    /// What it may be part of: candidates of sequences and samples; for a query of events, its order.
    pub candidates: Vec<Candidate>,
    pub order: Option<Order>,
    /// Whether results may show it. Otherwise nothing of the event is here but its place.
    pub shown: bool,
    /// Number of the event among the chunk's, from 0.
    pub arrival: u64,
    /// Bytes of the chunk's alerts that come before this event's sequences.
    pub after: usize,
}

/// What a chunk came to.
#[derive(Default)]
pub(super) struct Done {
    pub file: usize,
    pub relative: bool,
    /// Whether these are lines that the thread read itself.
    pub ranged: bool,
    /// Whether a line follows that must be read in order: what was made of the ranges after it does not count.
    pub marked: bool,
    pub alerts: Text,
    pub kept: Vec<Kept>,
    pub faults: Vec<Fault>,
    pub records: u64,
    /// Lines, blank ones included: by these, records are numbered.
    pub lines: u64,
    pub parsed: u64,
    pub skipped: u64,
    pub bytes: u64,
    /// Bytes that the chunk was counted as while it was under way.
    pub under_way: u64,
    /// Why the file could not be read to the end.
    pub error: Option<String>,
    pub counts: BTreeMap<u32, u64>,
    pub failed: BTreeMap<u32, u64>,
    pub excepted: BTreeMap<u32, u64>,
    pub sources: HashMap<Option<Arc<str>>, u64, RandomState>,
    /// The first few events that no source claims, and why.
    pub unclaimed: Vec<(Place, String)>,
    /// The first few hosts that were not asked for.
    pub others: Vec<String>,
    pub seen: RuleMask,
    pub all_seen: bool,
    pub without_time: u64,
    pub profile: Option<Box<Profile>>,
}

impl Done {
    /// Counts an event by where it went.
    fn offered(&mut self, route: &Route, telling: &Telling<'_>, place: Place) {
        if route.source.is_none() && self.unclaimed.len() < UNCLAIMED {
            self.unclaimed.push((place, unclaimed(telling)));
        }
        *self.sources.entry(route.source.clone()).or_default() += 1;
        match &route.rules {
            None => self.all_seen = true,
            Some(rules) => self.seen.add(rules),
        }
    }
}

/// Limits on which events count.
#[derive(Debug, Default)]
pub(super) struct Limits {
    from: Option<Time>,
    to: Option<Time>,
    pub hosts: Hosts,
}

impl Limits {
    pub(super) fn new(options: &ScanOptions) -> Result<Self, PlanError> {
        let time = |text: &Option<String>, name: &str| match text {
            None => Ok(None),
            Some(text) => Time::parse(text).map(Some).ok_or_else(|| {
                PlanError::new(format!("--{name}: expected a date such as 2026-11-24T08:00:00Z, found `{text}`"))
            }),
        };
        Ok(Self { from: time(&options.from, "from")?, to: time(&options.to, "to")?, hosts: Hosts::new(&options.hosts) })
    }

    fn allow(&self, loaded: &Loaded, event: &Event<'_>, others: &mut Vec<String>) -> bool {
        // The host first: its events are there, whatever their time.
        if !self.hosts.allow(event, &loaded.extra, others) {
            return false;
        }
        if self.from.is_some() || self.to.is_some() {
            let Some(time) = event.first(loaded.extra.time).and_then(|raw| Time::parse(raw.as_text())) else {
                return false;
            };
            if self.from.is_some_and(|from| time < from) || self.to.is_some_and(|to| time >= to) {
                return false;
            }
        }
        true
    }
}

/// One thread's tools.
pub(super) struct Worker<'l> {
    loaded: &'l Loaded,
    options: &'l ScanOptions,
    limits: &'l Limits,
    pool: &'l Pool,
    evaluator: Evaluator,
    memo: Memo,
    filter: Lines<'l>,
    hits: Vec<Hit>,
    /// Where the event at hand stands, by the fields that say so.
    orders: Vec<((Option<u32>, Option<u32>), Order)>,
    /// What ranges are read into.
    buffer: Vec<u8>,
    /// For lines that are passed over but for their host.
    passed: Option<Event<'l>>,
}

impl<'l> Worker<'l> {
    pub(super) fn new(loaded: &'l Loaded, options: &'l ScanOptions, limits: &'l Limits, pool: &'l Pool) -> Self {
        let mut evaluator = loaded.program.evaluator();
        if options.profile {
            evaluator.measure();
        }
        let memo = Memo::default();
        let filter = loaded.filter.lines();
        let (hits, orders, buffer) = (Vec::new(), Vec::new(), Vec::new());
        Self { loaded, options, limits, pool, evaluator, memo, filter, hits, orders, buffer, passed: None }
    }

    pub(super) fn chunk(&mut self, chunk: &Chunk) -> Done {
        let mut done = Done { file: chunk.file, ..Done::default() };
        done.seen = RuleMask::none(self.loaded.ids.len());
        done.under_way = chunk.under_way();
        match &chunk.text {
            Content::Lines { bytes, offset, too_long } => {
                self.lines(bytes, *offset, *too_long, &chunk.path, &mut done);
            }
            Content::Range(range) => self.range(range, &chunk.path, &mut done),
            Content::Documents { bytes, places } => self.documents(bytes, places, &chunk.path, &mut done),
            Content::Unwritten(records) => self.unwritten(records, &chunk.path, &mut done),
        }
        done.profile = self.evaluator.take_profile();
        done
    }

    fn range(&mut self, range: &Range, path: &str, done: &mut Done) {
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut piece = range.file.read(range.from, range.to, &mut buffer);
        let marks = range.file.marks.as_ref();
        let lines = &buffer[piece.first..];
        let plain = if marks.is_some() { first_to_enrich(lines) } else { lines.len() };
        done.ranged = true;
        if let Some(marks) = marks.filter(|_| plain < lines.len()) {
            marks.set(piece.offset + plain as u64);
            done.marked = true;
        }
        // What comes after the first line that must be read in order is read again.
        done.error = piece.error.take().filter(|_| !done.marked);
        self.lines(&lines[..plain], piece.offset, piece.too_long && !done.marked, path, done);
        if let Some(marks) = marks {
            marks.count(range.from, done.lines);
        }
        // A long line is rare: its room is given back before another one is let in.
        buffer.clear();
        buffer.shrink_to(2 * LENGTH as usize);
        self.buffer = buffer;
    }

    /// `dropped`: after these lines came one that was too long to be kept.
    fn lines(&mut self, bytes: &[u8], offset: u64, dropped: bool, path: &str, done: &mut Done) {
        done.relative = true;
        done.bytes = bytes.len() as u64;
        // Lines of valid text are valid: no character holds a line break.
        let valid = simdutf8::basic::from_utf8(bytes).ok();
        let mut event = Event::new(self.loaded.projection.width);
        let mut at = 0;
        while at < bytes.len() {
            let (end, may_match) = self.filter.line(bytes, at);
            let line = &bytes[at..end];
            done.lines += 1;
            // As where lines are read one by one: a blank one is no record.
            done.records += u64::from(!line.trim_ascii().is_empty());
            let place = Place { record: done.lines, offset: offset + at as u64 };
            // Measured with the blanks around it, as where the file is cut into chunks.
            if line.len() > self.loaded.options.max_line {
                done.faults.push(too_long(place, self.loaded.options.max_line));
            } else if let Some(text) =
                self.wanted(line, valid.and_then(|text| text.get(at..end)), may_match, place, done)
            {
                event = self.read(text, place, true, path, event, done);
            }
            at = end + 1;
        }
        if dropped {
            (done.lines, done.records) = (done.lines + 1, done.records + 1);
            let place = Place { record: done.lines, offset: offset + bytes.len() as u64 };
            done.faults.push(too_long(place, self.loaded.options.max_line));
        }
    }

    fn documents(&mut self, bytes: &[u8], places: &[Place], path: &str, done: &mut Done) {
        done.bytes = bytes.len() as u64;
        let mut event = Event::new(self.loaded.projection.width);
        let mut at = 0;
        for place in places {
            let (end, may_match) = self.filter.line(bytes, at);
            done.records += 1;
            if let Some(text) = self.wanted(&bytes[at..end], None, may_match, *place, done) {
                event = self.read(text, *place, false, path, event, done);
            }
            at = end + 1;
        }
    }

    /// Documents are written only where the values that were picked out meet a condition: the document then says what counts.
    fn unwritten(&mut self, records: &Records, path: &str, done: &mut Done) {
        let looks = self.loaded.options.filter && !self.options.strict && !self.options.profile;
        let mut picked = Event::new(self.loaded.wanted.deciding);
        let mut event = Event::new(self.loaded.projection.width);
        let mut json = Vec::new();
        for number in 0..records.len() {
            let place = records.place(number);
            done.records += 1;
            done.bytes += records.size(number) as u64;
            if looks {
                picked.clear();
                if !self.meets(records, number, &mut picked, done) {
                    done.parsed += 1;
                    continue;
                }
            }
            json.clear();
            records.render(number, &mut json);
            event = match self.wanted(&json, None, true, place, done) {
                Some(text) => self.read(text, place, false, path, event, done),
                None => event.recycle(),
            };
        }
    }

    /// Whether a record may meet a condition. If not, it is counted.
    fn meets<'a>(&mut self, records: &'a Records, number: usize, event: &mut Event<'a>, done: &mut Done) -> bool {
        // A byte may become six in JSON, and values may be repeated.
        let short = records.size(number) < self.loaded.options.max_line / 64;
        if records.is_doubtful(number) || !short {
            return true;
        }
        records.fill(number, event);
        if !self.limits.allow(self.loaded, event, &mut done.others) {
            return false;
        }
        let telling: Telling<'_> = self.loaded.extra.telling.map(|field| event.first(field).map(Raw::as_text));
        let route = self.memo.route(&self.loaded.router, &telling);
        imply(self.loaded, &route, event);
        self.hits.clear();
        self.evaluator.evaluate(event, route.rules.as_deref(), &mut self.hits);
        if self.hits.is_empty() {
            let telling: Telling<'_> = self.loaded.extra.telling.map(|field| event.first(field).map(Raw::as_text));
            done.offered(&route, &telling, records.place(number));
        }
        !self.hits.is_empty()
    }

    /// The text of a line that is to be read. `text` is the line where it is known to be valid.
    fn wanted<'a>(
        &mut self,
        line: &'a [u8],
        text: Option<&'a str>,
        may_match: bool,
        place: Place,
        done: &mut Done,
    ) -> Option<&'a str> {
        let line = line.trim_ascii();
        let (first, last) = (line.first()?, line.last()?);
        let text = match text.map_or_else(|| simdutf8::compat::from_utf8(line), |text| Ok(text.trim_ascii())) {
            Ok(text) => text,
            Err(error) => {
                let message = format!("byte {} of the line is not valid UTF-8", error.valid_up_to());
                done.faults.push(Fault { kind: "invalid UTF-8", message, place });
                return None;
            }
        };
        if line.len() > self.loaded.options.max_line {
            done.faults.push(too_long(place, self.loaded.options.max_line));
            return None;
        }
        if (*first, *last) != (b'{', b'}') {
            done.faults.push(self.not_an_object(text, place));
            return None;
        }
        let filter = self.loaded.options.filter && !self.options.strict;
        if filter && !may_match && !is_sample(place.offset, line.len()) {
            done.skipped += 1;
            if self.limits.hosts.are_missing() {
                self.look_for_host(text, done);
            }
            return None;
        }
        Some(text)
    }

    /// Of a line that no rule can match, whose event it is.
    fn look_for_host(&mut self, text: &str, done: &mut Done) {
        let mut event =
            std::mem::take(&mut self.passed).unwrap_or_else(|| Event::new(self.loaded.projection.width)).recycle();
        if Scanner::new(&self.loaded.projection).scan(text, &mut event).is_ok() {
            self.limits.hosts.allow(&event, &self.loaded.extra, &mut done.others);
        }
        self.passed = Some(event.recycle());
    }

    fn not_an_object(&self, text: &str, place: Place) -> Fault {
        let mut event = Event::new(self.loaded.projection.width);
        match Scanner::new(&self.loaded.projection).scan(text, &mut event) {
            Err(broken) => fault(&broken, place),
            Ok(_) => Fault { kind: "no JSON object", message: "an event is a JSON object".into(), place },
        }
    }

    fn read<'a, 'b>(
        &mut self,
        text: &'a str,
        place: Place,
        relative: bool,
        path: &str,
        mut event: Event<'a>,
        done: &mut Done,
    ) -> Event<'b> {
        let loaded = self.loaded;
        let scanner = Scanner::new(&loaded.projection);
        match scanner.scan(text, &mut event) {
            Ok(extent) => {
                done.parsed += 1;
                self.event(&text[extent.start..extent.end], &mut event, place, relative, path, done);
            }
            Err(broken) if broken.kind == BrokenKind::DuplicateKey => {
                done.faults.push(fault(&broken, place));
                if let Ok(clean) = without_duplicates(text) {
                    let mut event = Event::new(loaded.projection.width);
                    if let Ok(extent) = scanner.scan(&clean, &mut event) {
                        done.parsed += 1;
                        self.event(&clean[extent.start..extent.end], &mut event, place, relative, path, done);
                    }
                }
            }
            Err(broken) => done.faults.push(fault(&broken, place)),
        }
        event.recycle()
    }

    fn event(
        &mut self,
        document: &str,
        event: &mut Event<'_>,
        place: Place,
        relative: bool,
        path: &str,
        done: &mut Done,
    ) {
        if !self.limits.allow(self.loaded, event, &mut done.others) {
            return;
        }
        let telling: Telling<'_> = self.loaded.extra.telling.map(|field| event.first(field).map(Raw::as_text));
        let route = self.memo.route(&self.loaded.router, &telling);
        done.offered(&route, &telling, place);
        let os = imply(self.loaded, &route, event);
        let mut hits = std::mem::take(&mut self.hits);
        hits.clear();
        self.evaluator.evaluate(event, route.rules.as_deref(), &mut hits);
        self.hits(document, event, os, &mut hits, Spot { place, relative, path }, done);
        self.hits = hits;
    }

    /// `os`: the system that is to be added to the document.
    fn hits(
        &mut self,
        document: &str,
        event: &Event<'_>,
        os: Option<&str>,
        hits: &mut Vec<Hit>,
        spot: Spot<'_>,
        done: &mut Done,
    ) {
        hits.retain(|hit| {
            let failed = hit.outcome == Outcome::Failed;
            if failed {
                *done.failed.entry(hit.rule).or_default() += 1;
            }
            !failed
        });
        if hits.is_empty() {
            return;
        }
        let extra = self.loaded.extra;
        let first = |field: u32| event.first(field).map(Raw::as_text);
        let identity = alert::identity(first(extra.id), first(extra.event_id), document);
        let whole = os.map(|os| with_os(document, os));
        let document = whole.as_deref().unwrap_or(document);
        let origin =
            Origin { path: spot.path, record: spot.place.record, relative: spot.relative, offset: spot.place.offset };
        let shapes = self.loaded.program.shapes();
        let writes = self.options.output == Output::Alerts
            && hits.iter().any(|hit| shapes[hit.rule as usize].kind == Kind::Event);
        let installation = if writes { Installation::of(event, &extra.installation) } else { Installation::default() };
        let time = first(extra.time);
        let subject = Subject { event, document, identity: &identity, time, origin, installation: &installation };
        let mut kept = Kept {
            document: "".into(),
            identity: String::new(),
            time: None,
            record: spot.place.record,
            offset: spot.place.offset,
            candidates: Vec::new(),
            order: None,
            shown: false,
            arrival: done.records - 1,
            after: 0,
        };
        self.orders.clear();
        for group in hits.chunk_by(|one, two| one.rule == two.rule) {
            self.group(group, event, &subject, &mut kept, done);
        }
        if !kept.candidates.is_empty() || kept.order.is_some() {
            if kept.shown {
                kept.document = document.into();
                kept.time = subject.time.map(str::to_owned);
                kept.identity.clone_from(&identity);
            }
            kept.after = done.alerts.bytes.len();
            done.kept.push(kept);
        }
    }

    /// Where the event stands in the order of the rule's query. Most rules order by the same fields: `orders` has what was found out.
    fn order(&mut self, event: &Event<'_>, rule: u32, arrival: u64) -> Order {
        let shape = &self.loaded.program.shapes()[rule as usize];
        let by = (shape.timestamp, shape.tiebreaker);
        if let Some((_, order)) = self.orders.iter().find(|(known, _)| *known == by) {
            return order.clone();
        }
        let order = self.evaluator.order(event, rule, arrival);
        self.orders.push((by, order.clone()));
        order
    }

    /// The hits of one rule.
    fn group(&mut self, hits: &[Hit], event: &Event<'_>, subject: &Subject<'_, '_>, kept: &mut Kept, done: &mut Done) {
        let rule = hits[0].rule;
        let shape = &self.loaded.program.shapes()[rule as usize];
        let kind = shape.kind;
        let alerts = self.options.output == Output::Alerts;
        if alerts && self.loaded.has_exceptions[rule as usize] && self.evaluator.excepted(event, rule) {
            *done.excepted.entry(rule).or_default() += 1;
            return;
        }
        if kind == Kind::Event && alerts {
            *done.counts.entry(rule).or_default() += 1;
            if done.alerts.bytes.capacity() == 0 {
                done.alerts.bytes = self.pool.take();
            }
            alert::event(&self.loaded.alerts[rule as usize], subject, &mut done.alerts);
            return;
        }
        let order = self.order(event, rule, kept.arrival);
        if kind == Kind::Event {
            kept.order = Some(order);
            kept.shown = true;
            return;
        }
        if order.time.is_none() && kind == Kind::Sequence {
            done.without_time += 1;
            return;
        }
        let mut stages = Vec::new();
        for hit in hits {
            let (keys, cut) = self.evaluator.keys(event, rule, hit.stage);
            if cut {
                let place = Place { record: subject.origin.record, offset: subject.origin.offset };
                done.faults.push(too_many_keys(place, &self.loaded.ids[rule as usize]));
            }
            if !keys.is_empty() {
                kept.shown |= shape.shows(hit.stage);
                stages.push((hit.stage, keys));
            }
        }
        if !stages.is_empty() {
            kept.candidates.push(Candidate { rule, order, stages });
        }
    }
}

#[derive(Clone, Copy)]
struct Spot<'p> {
    place: Place,
    relative: bool,
    path: &'p str,
}

/// The system that the source implies, where the event does not name it: it has it from here on.
fn imply(loaded: &Loaded, route: &Route, event: &mut Event<'_>) -> Option<&'static str> {
    let field = loaded.extra.host_os;
    let os = route.os.filter(|_| loaded.options.enrich && !event.has(field))?.as_str();
    event.push(field, Raw::Text(os.into()));
    Some(os)
}

/// Lines that are read although no rule can match them, so that the summary can say what a file holds and which rules could see
/// any of it: those at its beginning, and one in a while after that. Chosen by offset, so that no chunk size changes it.
fn is_sample(offset: u64, length: usize) -> bool {
    const BEGINNING: u64 = 64 << 10;
    const EVERY: u64 = 256 << 10;
    offset < BEGINNING || offset / EVERY != (offset + length as u64) / EVERY
}

fn fault(broken: &Broken, place: Place) -> Fault {
    let message = format!("{} (byte {} of the record)", broken.kind.message(), broken.at);
    Fault { kind: broken.kind.name(), message, place }
}

fn too_many_keys(place: Place, rule: &str) -> Fault {
    let message = format!("the event has more than {MOST_KEYS} join keys for rule {rule}: the others are left out");
    Fault { kind: "too many join keys", message, place }
}

pub(super) fn too_long(place: Place, limit: usize) -> Fault {
    Fault { kind: "line too long", message: format!("a record is at most {limit} bytes long"), place }
}

/// Cuts a stream into chunks of whole lines.
pub(super) fn line_reader(reader: Box<dyn std::io::Read + Send>, loaded: &Loaded) -> LineReader {
    LineReader::new(reader, loaded.options.read_size, loaded.options.max_line)
}
