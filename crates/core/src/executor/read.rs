//! From inputs to chunks, in order: opens, recognises and cuts every file.

use super::engine::Loaded;
use super::marks::{first_to_enrich, needs_context};
use super::options::ScanOptions;
use super::range::{self, Marks, Range, Ranged};
use super::summary::FileSummary;
use super::work::{Chunk, Content, line_reader, too_long};
use crate::enrich::{Document, Enricher, Ready, Records, enricher};
use crate::input::{
    Found, Input, Layout, LineReader, Lines, Opened, Patient, Shape, Splitter, Table, members, open, open_stream,
    order, recognise, same_log, unread, walk,
};
use crate::sources::{Decoder, Fault, Mapper, Place, Reading, Settings, Sink, Unwritten};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// What the reader tells as it goes.
pub(super) enum Told {
    /// A file begins; its number is the count of files before it.
    File(FileSummary),
    /// A piece of the latest file.
    Chunk(Chunk),
    /// Something is wrong with a file.
    Fault(usize, Fault),
    /// A file ended before its end.
    Error(usize, String),
}

/// So many ranges a file has at least that is read in ranges although the process table is on.
const MANY: u64 = 16;

/// Takes what is read; `false` means that nobody wants more.
pub(super) type Tell<'t> = dyn FnMut(Told) -> bool + 't;

pub(super) struct Reader<'l> {
    loaded: &'l Loaded,
    options: &'l ScanOptions,
    stop: &'l Arc<AtomicBool>,
    done: Arc<AtomicU64>,
    total: &'l AtomicU64,
    files: usize,
    enricher: Option<Box<dyn Enricher>>,
    /// Whether the next file continues the one that is read: both are pieces of one rotated log.
    continued: bool,
    /// The format's name, and what the file before has left open.
    carried: Option<(&'static str, Box<dyn Decoder>)>,
    /// The folder of the archive's file that is read.
    inside: Option<PathBuf>,
    /// The folders that hosts are named after, by name.
    named: HashMap<String, PathBuf>,
}

impl<'l> Reader<'l> {
    pub(super) fn new(
        loaded: &'l Loaded,
        options: &'l ScanOptions,
        stop: &'l Arc<AtomicBool>,
        done: Arc<AtomicU64>,
        total: &'l AtomicU64,
    ) -> Self {
        let enricher = loaded.options.enrich.then(|| enricher(loaded.wanted.clone()));
        let (inside, named) = (None, HashMap::new());
        Self { loaded, options, stop, done, total, files: 0, enricher, continued: false, carried: None, inside, named }
    }

    /// Reads everything.
    pub(super) fn run(&mut self, inputs: &[Input], tell: &mut Tell<'_>) {
        let mut found: Vec<(usize, Found)> = Vec::new();
        for (number, input) in inputs.iter().enumerate() {
            if let Input::Path(path) = input
                && path != "-"
            {
                let mut files = Vec::new();
                walk(Path::new(path), &mut files);
                found.extend(files.into_iter().map(|file| (number, file)));
            }
        }
        order(&mut found, |(_, file)| match file {
            Found::File(path, _) => Some(path),
            Found::Unreadable(..) => None,
        });
        let size = |file: &Found| if let Found::File(_, size) = file { *size } else { 0 };
        let memory = |input: &Input| if let Input::Bytes(bytes) = input { bytes.len() as u64 } else { 0 };
        let total = found.iter().map(|(_, file)| size(file)).sum::<u64>() + inputs.iter().map(memory).sum::<u64>();
        self.total.store(total, Ordering::Relaxed);
        let mut found = found.into_iter().peekable();
        for (number, input) in inputs.iter().enumerate() {
            match input {
                Input::Bytes(bytes) => {
                    let reader = Box::new(Cursor::new(bytes.clone()));
                    self.opened("<memory>", open_stream(reader, 0), tell);
                }
                Input::Path(path) if path == "-" => {
                    self.opened(
                        "<stdin>",
                        open_stream(Box::new(Patient::new(|| Ok(io::stdin()), Arc::clone(self.stop))), 0),
                        tell,
                    );
                }
                Input::Path(_) => {
                    while let Some((_, file)) = found.next_if(|(of, _)| *of == number) {
                        if self.stopped() {
                            return;
                        }
                        match file {
                            Found::File(path, _) => {
                                let next = found.peek().map(|(_, file)| file);
                                self.continued = matches!(next, Some(Found::File(next, _)) if same_log(&path, next));
                                self.opened(&path.to_string_lossy(), open(&path, self.stop), tell);
                            }
                            Found::Unreadable(path, why) => {
                                let file = self.file(&path.to_string_lossy(), "unreadable", Some(why));
                                tell(Told::File(file));
                            }
                        }
                    }
                }
            }
        }
        self.leave(tell);
    }

    /// What was kept for a next piece of a log that was none: it comes out with the latest file.
    fn leave(&mut self, tell: &mut Tell<'_>) {
        if let Some((_, mut decoder)) = self.carried.take() {
            let mut gather = self.gather("", tell);
            decoder.finish(&mut gather);
            gather.flush();
            self.enricher = gather.enricher.take();
        }
    }

    /// The host of records that name none: what the caller says, else the folder that the file lies in. Two folders of one name are two
    /// hosts: the second has so much of its path before its name that they differ.
    fn host(&mut self, path: &str) -> String {
        if let Some(name) = &self.options.host_name {
            return name.clone();
        }
        let folder =
            self.inside.clone().unwrap_or_else(|| Path::new(path).parent().unwrap_or(Path::new("")).to_owned());
        let folder = host_folder(&folder).to_owned();
        for parts in 1.. {
            let (name, whole) = last_parts(&folder, parts);
            let known = self.named.entry(name.clone()).or_insert_with(|| folder.clone());
            if whole || *known == folder {
                return name;
            }
        }
        unreachable!("a path has an end")
    }

    /// Gathers for the latest file.
    fn gather<'g, 't>(&mut self, path: &str, tell: &'g mut Tell<'t>) -> Gather<'g, 't> {
        Gather {
            file: self.files.saturating_sub(1),
            path: Arc::from(path),
            limit: self.loaded.options.chunk_size,
            bytes: Vec::new(),
            places: Vec::new(),
            stream: self.host(path),
            enricher: self.enricher.take(),
            ready: Vec::new(),
            open: true,
            tell,
        }
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn file(&mut self, path: &str, recognised: &str, error: Option<String>) -> FileSummary {
        self.files += 1;
        FileSummary { path: path.to_owned(), recognised: recognised.to_owned(), error, ..FileSummary::default() }
    }

    fn opened(&mut self, path: &str, opened: io::Result<Opened>, tell: &mut Tell<'_>) {
        match opened {
            Err(error) => {
                let file = self.file(path, "unreadable", Some(error.to_string()));
                tell(Told::File(file));
            }
            Ok(Opened::Archive(file)) => match members(&file) {
                Err(error) => {
                    let file = self.file(path, "zip", Some(error.to_string()));
                    tell(Told::File(file));
                }
                Ok(members) => {
                    let mut members = members.into_iter().peekable();
                    while let Some(member) = members.next() {
                        let after = members.peek().map(|next| Path::new(&next.name));
                        self.continued = after.is_some_and(|next| same_log(Path::new(&member.name), next));
                        self.inside = Some(folder_in(path, &member.name));
                        let opened = member.reader.map_err(io::Error::other).and_then(|reader| open_stream(reader, 0));
                        self.opened(&format!("{path}!{}", member.name), opened, tell);
                    }
                    self.inside = None;
                }
            },
            Ok(Opened::Seekable { file, size, start, head }) => self.seekable(path, file, start..size, &head, tell),
            Ok(Opened::Stream { reader, head, .. }) => self.text(path, reader, None, &head, tell),
        }
    }

    /// A plain file. One that grows while it is read ends where it ended when it was opened.
    fn seekable(&mut self, path: &str, mut file: File, text: std::ops::Range<u64>, head: &[u8], tell: &mut Tell<'_>) {
        let length = text.end.saturating_sub(text.start);
        let opened = file.seek(SeekFrom::Start(text.start)).and_then(|_| file.try_clone());
        match opened {
            Ok(other) => {
                let ranged = Ranged {
                    file: other,
                    start: text.start,
                    length,
                    max_line: self.loaded.options.max_line,
                    count: Arc::clone(&self.done),
                    stop: Arc::clone(self.stop),
                    long: Mutex::default(),
                    marks: self.enricher.is_some().then(Marks::default),
                };
                self.text(path, Box::new(file.take(length)), Some(ranged), head, tell);
            }
            Err(error) => {
                let file = self.file(path, "unreadable", Some(error.to_string()));
                tell(Told::File(file));
            }
        }
    }

    /// `ranged` is the same text where any part of it can be read at any time.
    fn text(
        &mut self,
        path: &str,
        reader: Box<dyn Read + Send>,
        ranged: Option<Ranged>,
        head: &[u8],
        tell: &mut Tell<'_>,
    ) {
        let shape = recognise(head, self.options.source.as_deref());
        let summary = self.file(path, shape.name(), None);
        if !tell(Told::File(summary)) {
            return;
        }
        let reader = self.counted(reader);
        let settings = Settings {
            host_name: self.options.host_name.clone(),
            wanted: Some(Arc::clone(&self.loaded.wanted.projection)),
            threads: self.loaded.options.threads,
        };
        let mut gather = self.gather(path, tell);
        let carries =
            matches!(shape, Shape::Raw(format) if self.carried.as_ref().is_some_and(|(name, _)| *name == format.name));
        if !carries && let Some((_, mut decoder)) = self.carried.take() {
            decoder.finish(&mut gather);
        }
        match shape {
            Shape::Empty => {}
            Shape::Unknown => {
                gather.error(unread(head).map_or_else(
                    || "neither JSON nor a format that is known; --source NAME says what it is".to_owned(),
                    |name| match name {
                        "Parquet" => "Parquet is written by `convert`, and not read: its column `document` has the events".to_owned(),
                        name => format!("{name} is not unpacked here: unpack it first (zip, gzip and Zstandard are read as they are)"),
                    },
                ));
            }
            Shape::Lines => match ranged {
                // After a file that may turn out to need the table, reading waits until that is known: not worth it for short ones.
                Some(ranged) if gather.enricher.is_none() || ranged.length >= MANY * self.step() => {
                    self.ranges(ranged, &mut gather);
                }
                _ => self.lines(reader, &mut gather),
            },
            Shape::Documents => self.pump(reader, &mut Splitter::new(false, self.loaded.options.max_line), &mut gather),
            Shape::Response => self.pump(reader, &mut Splitter::new(true, self.loaded.options.max_line), &mut gather),
            Shape::Raw(format) => {
                if let Reading::Bytes(new) = format.reading {
                    let mut decoder = self.carried.take().map_or_else(|| new(&settings), |(_, decoder)| decoder);
                    self.fill(reader, &mut *decoder, &mut gather);
                    if !self.continued {
                        decoder.finish(&mut gather);
                    } else if decoder.carry(&mut gather) {
                        self.carried = Some((format.name, decoder));
                    }
                }
            }
            Shape::Rows => self.pump(reader, &mut Table::new(self.loaded.options.max_line), &mut gather),
            Shape::RawDocuments(format, layout) => {
                if let Reading::Documents(mapper) = format.reading {
                    let mut mapped = Mapped { mapper: mapper(&settings), inner: &mut gather };
                    if layout == Layout::Lines {
                        self.each_line(reader, &mut mapped);
                    } else {
                        let response = layout == Layout::Response;
                        let mut splitter = Splitter::new(response, self.loaded.options.max_line);
                        self.pump(reader, &mut splitter, &mut mapped);
                    }
                    mapped.finish();
                }
            }
        }
        gather.flush();
        self.enricher = gather.enricher.take();
    }

    fn pump(&mut self, reader: Box<dyn Read + Send>, decoder: &mut dyn Decoder, sink: &mut dyn Gathering) {
        self.fill(reader, decoder, sink);
        decoder.finish(sink.as_sink());
    }

    fn fill(&mut self, mut reader: Box<dyn Read + Send>, decoder: &mut dyn Decoder, sink: &mut dyn Gathering) {
        let size = self.loaded.options.read_size.max(1);
        let mut buffer = Vec::new();
        while sink.is_open() {
            let (result, pushed) = if let Some(room) = decoder.room() {
                let most = room.len().min(size);
                (reader.read(&mut room[..most]), false)
            } else {
                buffer.resize(size, 0);
                (reader.read(&mut buffer), true)
            };
            match result {
                Ok(0) => break,
                Ok(got) if pushed => decoder.push(&buffer[..got], sink.as_sink()),
                Ok(got) => decoder.took(got, sink.as_sink()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    sink.error(error.to_string());
                    break;
                }
            }
        }
    }

    /// Bytes of a range.
    fn step(&self) -> u64 {
        (self.loaded.options.chunk_size as u64).clamp(1, range::LENGTH)
    }

    /// Lines of a plain file: threads read them from it themselves. What the process table adds depends on the order of lines, and
    /// any of them may be the first that needs it: from that one on, lines are taken one by one, and what threads made of it is dropped.
    fn ranges(&mut self, ranged: Ranged, gather: &mut Gather<'_, '_>) {
        let (length, step) = (ranged.length, self.step());
        let file = Arc::new(ranged);
        let mut from = 0;
        while from < length && gather.open && !self.stopped() && !file.is_marked() {
            let to = (from + step).min(length);
            gather.piece(Content::Range(Range::new(&file, from, to)));
            from = to;
        }
        if gather.enricher.is_none() {
            return;
        }
        let Some(mark) = file.mark_when_known(|| self.stopped()).filter(|_| gather.open) else { return };
        let read_twice = from.saturating_sub(mark.offset);
        let _ =
            self.done.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |done| Some(done.saturating_sub(read_twice)));
        let reader = self.counted(Box::new(file.reader(mark.offset)));
        let mut lines = line_reader(reader, self.loaded).at(mark.offset);
        self.one_by_one(&mut lines, None, mark.records, &mut Marked { inner: gather });
    }

    fn counted(&self, inner: Box<dyn Read + Send>) -> Box<dyn Read + Send> {
        Box::new(Counted { inner, count: Arc::clone(&self.done), stop: Arc::clone(self.stop), after_stop: 0 })
    }

    /// Lines as they are: threads read them. From the first line on that needs context, lines are taken one by one.
    fn lines(&mut self, reader: Box<dyn Read + Send>, gather: &mut Gather<'_, '_>) {
        let mut lines = line_reader(reader, self.loaded);
        let mut record = 0;
        loop {
            if !gather.open {
                return;
            }
            match lines.next(self.loaded.options.chunk_size) {
                Ok(None) => return,
                Ok(Some(mut piece)) => {
                    if self.stopped() {
                        // The last line may have been cut short by stopping: that is no fault of the file.
                        piece.bytes.truncate(memchr::memrchr(b'\n', &piece.bytes).map_or(0, |at| at + 1));
                        piece.too_long = false;
                    }
                    if gather.enricher.is_some() {
                        let plain = first_to_enrich(&piece.bytes);
                        record += memchr::memchr_iter(b'\n', &piece.bytes[..plain]).count() as u64;
                        if plain < piece.bytes.len() {
                            let rest = piece.bytes.split_off(plain);
                            let offset = piece.offset + plain as u64;
                            gather.lines(piece.bytes, piece.offset, false);
                            let mut marked = Marked { inner: gather };
                            let rest = Lines { bytes: rest, offset, too_long: piece.too_long };
                            self.one_by_one(&mut lines, Some(rest), record, &mut marked);
                            return;
                        }
                        record += u64::from(piece.too_long);
                    }
                    gather.lines(piece.bytes, piece.offset, piece.too_long);
                }
                Err(error) => {
                    if let Some(piece) = lines.rest() {
                        gather.lines(piece.bytes, piece.offset, piece.too_long);
                    }
                    gather.error(error.to_string());
                    return;
                }
            }
        }
    }

    /// Lines one by one, for what must see them in order.
    fn each_line(&mut self, reader: Box<dyn Read + Send>, sink: &mut dyn Gathering) {
        self.one_by_one(&mut line_reader(reader, self.loaded), None, 0, sink);
    }

    fn one_by_one(
        &mut self,
        lines: &mut LineReader,
        mut first: Option<Lines>,
        mut record: u64,
        sink: &mut dyn Gathering,
    ) {
        loop {
            let (piece, error) = match first.take() {
                Some(piece) => (Some(piece), None),
                None => match lines.next(self.loaded.options.chunk_size) {
                    Ok(piece) => (piece, None),
                    Err(error) => (lines.rest(), Some(error.to_string())),
                },
            };
            if let Some(piece) = piece {
                let mut offset = piece.offset;
                for line in piece.bytes.split_inclusive(|byte| *byte == b'\n') {
                    record += 1;
                    let trimmed = line.trim_ascii();
                    if !trimmed.is_empty() {
                        sink.as_sink().document(trimmed, Place { record, offset });
                    }
                    offset += line.len() as u64;
                }
                if piece.too_long {
                    record += 1;
                    sink.as_sink().fault(too_long(Place { record, offset }, self.loaded.options.max_line));
                }
            } else if error.is_none() {
                return;
            }
            if let Some(error) = error {
                sink.error(error);
                return;
            }
            if !sink.is_open() {
                return;
            }
        }
    }
}

/// The folder that a member of an archive lies in; the archive is a folder itself.
fn folder_in(archive: &str, member: &str) -> PathBuf {
    let mut folder = Path::new(archive).with_extension("");
    folder.extend(Path::new(member).parent());
    folder
}

/// Where systems keep their logs: such a folder names no host, the one that these lie in does.
const LOG_FOLDERS: [&str; 4] = ["var/log/audit", "var/log", "log/audit", "audit"];

/// The folder that names the host of a file's folder.
fn host_folder(folder: &Path) -> &Path {
    LOG_FOLDERS
        .iter()
        .filter(|log| folder.ends_with(log))
        .filter_map(|log| folder.ancestors().nth(names(Path::new(log)).len()))
        .find(|host| !names(host).is_empty())
        .unwrap_or(folder)
}

/// The names in a path.
fn names(path: &Path) -> Vec<Cow<'_, str>> {
    let normal = path.components().filter(|part| matches!(part, Component::Normal(_)));
    normal.map(|part| part.as_os_str().to_string_lossy()).collect()
}

/// The last names of a path, and whether there are no more than these.
fn last_parts(path: &Path, parts: usize) -> (String, bool) {
    let names = names(path);
    if names.is_empty() {
        return ("localhost".to_owned(), true);
    }
    (names[names.len().saturating_sub(parts)..].join("/"), parts >= names.len())
}

/// Bytes that are still read when a scan is stopped: what had come from a stream by then.
const AFTER_STOP: usize = 2 << 20;

/// Counts what is read, and ends soon when the scan is stopped: one line may be as long as the file.
struct Counted {
    inner: Box<dyn Read + Send>,
    count: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    after_stop: usize,
}

impl Read for Counted {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.stop.load(Ordering::Relaxed) {
            let left = AFTER_STOP - self.after_stop;
            let wanted = out.len().min(left);
            let got = self.inner.read(&mut out[..wanted])?;
            self.after_stop += got;
            return Ok(got);
        }
        let got = self.inner.read(out)?;
        self.count.fetch_add(got as u64, Ordering::Relaxed);
        Ok(got)
    }
}

/// A sink that also takes the end of a file.
trait Gathering {
    fn as_sink(&mut self) -> &mut dyn Sink;
    fn error(&mut self, message: String);
    fn is_open(&self) -> bool;
}

/// Gathers the documents of one file into chunks, past the process table.
struct Gather<'g, 't> {
    file: usize,
    path: Arc<str>,
    limit: usize,
    bytes: Vec<u8>,
    places: Vec<Place>,
    stream: String,
    enricher: Option<Box<dyn Enricher>>,
    ready: Vec<Ready>,
    open: bool,
    tell: &'g mut Tell<'t>,
}

impl Gather<'_, '_> {
    fn say(&mut self, told: Told) {
        self.open &= (self.tell)(told);
    }

    fn piece(&mut self, text: Content) {
        self.say(Told::Chunk(Chunk { file: self.file, path: Arc::clone(&self.path), text }));
    }

    fn lines(&mut self, bytes: Vec<u8>, offset: u64, too_long: bool) {
        if !bytes.is_empty() || too_long {
            self.piece(Content::Lines { bytes, offset, too_long });
        }
    }

    fn put(&mut self, ready: Ready) {
        match ready {
            Ready::Document(document) => self.keep(&document.json, document.place),
            Ready::Records(records) => {
                self.send();
                self.piece(Content::Unwritten(records));
            }
        }
    }

    fn keep(&mut self, json: &[u8], place: Place) {
        self.bytes.extend_from_slice(json);
        self.bytes.push(b'\n');
        self.places.push(place);
        if self.bytes.len() >= self.limit {
            self.send();
        }
    }

    fn send(&mut self) {
        if self.places.is_empty() {
            return;
        }
        let text =
            Content::Documents { bytes: std::mem::take(&mut self.bytes), places: std::mem::take(&mut self.places) };
        self.say(Told::Chunk(Chunk { file: self.file, path: Arc::clone(&self.path), text }));
    }

    /// The end of the file. Documents that the process table still holds belong to it as well.
    fn flush(&mut self) {
        if let Some(enricher) = &mut self.enricher {
            enricher.finish(&mut self.ready);
        }
        self.drain();
        self.send();
    }

    fn drain(&mut self) {
        let mut ready = std::mem::take(&mut self.ready);
        ready.drain(..).for_each(|ready| self.put(ready));
        self.ready = ready;
    }
}

impl Sink for Gather<'_, '_> {
    fn document(&mut self, json: &[u8], place: Place) {
        let Some(enricher) = &mut self.enricher else {
            self.keep(json, place);
            return;
        };
        enricher.document(&self.stream, Document { json: json.to_vec(), place }, &mut self.ready);
        self.drain();
    }

    fn unwritten(&mut self, records: Unwritten) {
        match &mut self.enricher {
            Some(enricher) => {
                enricher.records(&self.stream, records, &mut self.ready);
                self.drain();
            }
            None => self.put(Ready::Records(Box::new(Records::new(records)))),
        }
    }

    fn fault(&mut self, fault: Fault) {
        let file = self.file;
        self.say(Told::Fault(file, fault));
    }
}

impl Gathering for Gather<'_, '_> {
    fn as_sink(&mut self) -> &mut dyn Sink {
        self
    }

    fn error(&mut self, message: String) {
        let file = self.file;
        self.say(Told::Error(file, message));
    }

    fn is_open(&self) -> bool {
        self.open
    }
}

/// Documents of a file that holds those that need context and others.
struct Marked<'m, 'g, 't> {
    inner: &'m mut Gather<'g, 't>,
}

impl Sink for Marked<'_, '_, '_> {
    fn document(&mut self, json: &[u8], place: Place) {
        if needs_context(json) {
            self.inner.document(json, place);
        } else {
            self.inner.keep(json, place);
        }
    }

    fn fault(&mut self, fault: Fault) {
        self.inner.fault(fault);
    }
}

impl Gathering for Marked<'_, '_, '_> {
    fn as_sink(&mut self) -> &mut dyn Sink {
        self
    }

    fn error(&mut self, message: String) {
        self.inner.error(message);
    }

    fn is_open(&self) -> bool {
        self.inner.is_open()
    }
}

/// Documents of a raw format on their way through its mapper.
struct Mapped<'m, 'g, 't> {
    mapper: Box<dyn Mapper>,
    inner: &'m mut Gather<'g, 't>,
}

impl Mapped<'_, '_, '_> {
    fn finish(&mut self) {
        self.mapper.finish(self.inner);
    }
}

impl Sink for Mapped<'_, '_, '_> {
    fn document(&mut self, json: &[u8], place: Place) {
        self.mapper.document(json, place, self.inner);
    }

    fn fault(&mut self, fault: Fault) {
        self.inner.fault(fault);
    }
}

impl Gathering for Mapped<'_, '_, '_> {
    fn as_sink(&mut self) -> &mut dyn Sink {
        self
    }

    fn error(&mut self, message: String) {
        self.inner.error(message);
    }

    fn is_open(&self) -> bool {
        self.inner.open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_logs_name_no_host() {
        let cases = [
            ("/evidence/web1/var/log/audit", "/evidence/web1"),
            ("/evidence/web1/var/log", "/evidence/web1"),
            ("web1/log/audit", "web1"),
            ("web1/audit", "web1"),
            ("web1/./var/log", "web1"),
            ("../web1/audit", "../web1"),
            // Nothing is left to be named after: these are of this machine.
            ("/var/log/audit", "/var"),
            ("/var/log", "/var/log"),
            ("../audit", "../audit"),
            ("audit", "audit"),
            ("", ""),
            ("/", "/"),
            // Not the whole name of a folder, or not the last one.
            ("web1/old-audit", "web1/old-audit"),
            ("web1/var/log/apt", "web1/var/log/apt"),
        ];
        for (folder, host) in cases {
            assert_eq!(host_folder(Path::new(folder)), Path::new(host), "{folder}");
        }
    }

    #[test]
    fn the_last_names_of_a_path() {
        let last = |path, parts| last_parts(Path::new(path), parts);
        assert_eq!(last("/a/b/c", 2), ("b/c".to_owned(), false));
        assert_eq!(last("/a/b/c", 3), ("a/b/c".to_owned(), true));
        assert_eq!(last("../a", 2), ("a".to_owned(), true));
        assert_eq!(last("/", 1), ("localhost".to_owned(), true));
    }
}
