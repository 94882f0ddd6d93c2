//! Binary XML of the Windows event log ([MS-EVEN6] 2.2.12): templates are read once a chunk, records are replayed through
//! them into a [`Tree`]. Every read is checked; depth and work per record are bounded.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use super::super::winlog::{Name, Record, Selection, Stored, Tree};
use super::library::Library;
use super::shape::{Shape, Source, Target};
use super::values::{utf16, write_value};
use foldhash::fast::RandomState;

/// Streams inside streams inside streams: real records have two.
const MAX_NESTING: usize = 8;
/// Tokens that one record may replay: real ones need a few hundred.
const MAX_TOKENS: usize = 1 << 16;
/// Text that one record may become: a value may be placed several times.
const MAX_TEXT: usize = 1 << 22;
/// The type of a value that is binary XML itself.
const BINARY_XML: u8 = 0x21;

/// Why a record cannot be read, and where in its chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    pub what: &'static str,
    pub at: usize,
}

type Result<T> = std::result::Result<T, Damage>;

/// One step of a template.
#[derive(Debug)]
pub(super) enum Token {
    Start(Rc<str>, Name),
    Attribute(Name),
    Content,
    Text(String),
    Value(u16),
    End,
}

/// One value of a record: its type and where in the chunk it lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value {
    pub kind: u8,
    at: u32,
    size: u16,
}

impl Value {
    fn at(self) -> usize {
        self.at as usize
    }

    fn size(self) -> usize {
        usize::from(self.size)
    }

    /// Whether it is binary XML itself.
    pub fn nests(self) -> bool {
        self.kind == BINARY_XML
    }

    /// Its type and its bytes.
    pub fn raw(self, chunk: &[u8]) -> Option<(u8, &[u8])> {
        Some((self.kind, chunk.get(self.at()..)?.get(..self.size())?))
    }

    /// Where it lies.
    pub fn stored(self) -> Stored {
        Stored { kind: self.kind, at: self.at, size: self.size }
    }
}

/// A part of a template, as it is stored.
enum Part<'c> {
    Start(StoredName<'c>),
    Attribute(StoredName<'c>),
    Content,
    Text(&'c [u8]),
    Unit(u16),
    Entity(StoredName<'c>),
    Value(u16),
    End,
}

/// A name: where it lies in the chunk, and its text.
#[derive(Clone, Copy)]
struct StoredName<'c> {
    offset: usize,
    text: &'c [u8],
}

/// Reads numbers from a chunk, without ever leaving it.
#[derive(Clone, Copy)]
struct Cursor<'c> {
    chunk: &'c [u8],
    at: usize,
    end: usize,
}

impl<'c> Cursor<'c> {
    fn new(chunk: &'c [u8], at: usize, end: usize) -> Self {
        Self { chunk, at, end: end.min(chunk.len()) }
    }

    fn take(&mut self, size: usize) -> Result<&'c [u8]> {
        let damage = Damage { what: "a value reaches beyond its record", at: self.at };
        let stop = self.at.checked_add(size).filter(|&stop| stop <= self.end).ok_or(damage)?;
        let bytes = self.chunk.get(self.at..stop).ok_or(damage)?;
        self.at = stop;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let bytes = self.take(N)?;
        Ok(bytes.try_into().expect("take gives as many bytes as asked"))
    }

    fn u8(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    fn u16(&mut self) -> Result<u16> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Result<usize> {
        self.array().map(|bytes| u32::from_le_bytes(bytes) as usize)
    }
}

/// What is known of one chunk: its bytes, and the names and templates read so far.
pub struct Chunk<'c> {
    bytes: &'c [u8],
    templates: HashMap<usize, Rc<[Token]>, RandomState>,
    /// Of templates of whole events, and of children of `Event`.
    shapes: [HashMap<usize, Option<Arc<Shape>>, RandomState>; 2],
    names: HashMap<usize, (Rc<str>, Name), RandomState>,
}

/// A template and the values of one record.
#[derive(Debug, Default)]
pub(super) struct Instance {
    pub shape: Arc<Shape>,
    values: Vec<Value>,
}

impl<'c> Chunk<'c> {
    /// A chunk of which nothing is read yet.
    pub fn new(bytes: &'c [u8]) -> Self {
        Self { bytes, templates: HashMap::default(), shapes: Default::default(), names: HashMap::default() }
    }

    /// Reads the record whose binary XML lies at `at`.
    pub fn read(&mut self, at: usize, size: usize, record: &mut Record) -> Result<()> {
        let mut tree = Tree::new(record);
        let mut budget = MAX_TOKENS;
        self.stream(at, size, 0, &mut tree, &mut budget)
    }

    /// Reads of the record whose binary XML lies at `at` what is selected, without a replay. `false`: its templates have no shape, or
    /// something is wrong with it, and [`Chunk::read`] has to say what it is.
    pub fn read_selected(
        &mut self,
        at: usize,
        size: usize,
        mut selection: Selection<'_>,
        library: &mut Library,
        record: &mut Record,
    ) -> bool {
        record.clear();
        let mut outer = Instance::default();
        if !self.instance_at(at, size, false, library, &mut outer) {
            return false;
        }
        let mut inner = Vec::new();
        for value in outer.children() {
            let mut instance = Instance::default();
            if !self.child(value, library, &mut instance) || instance.children().next().is_some() {
                return false;
            }
            inner.push(instance);
        }
        let instances = || std::iter::once(&outer).chain(&inner);
        let total: usize = instances().map(Instance::size).sum();
        if total > MAX_TEXT || instances().any(Instance::nests) {
            return false;
        }
        for instance in instances() {
            instance.write_system(self.bytes, &selection, record);
        }
        selection.begin(record);
        for instance in instances() {
            instance.write_data(self.bytes, &mut selection, record);
        }
        true
    }

    /// Reads the template instance that a stream is; whether its template has a shape and all of it is there.
    pub(super) fn instance_at(
        &mut self,
        at: usize,
        size: usize,
        inside_event: bool,
        library: &mut Library,
        instance: &mut Instance,
    ) -> bool {
        let found = self.find_instance(at, size, inside_event, library, &mut instance.values);
        found.map(|shape| instance.shape = shape).is_some()
    }

    /// The same for a value that is binary XML of children of `Event`.
    pub(super) fn child(&mut self, value: Value, library: &mut Library, instance: &mut Instance) -> bool {
        self.instance_at(value.at(), value.size(), true, library, instance)
    }

    fn find_instance(
        &mut self,
        at: usize,
        size: usize,
        inside_event: bool,
        library: &mut Library,
        values: &mut Vec<Value>,
    ) -> Option<Arc<Shape>> {
        let mut cursor = Cursor::new(self.bytes, at, at.saturating_add(size));
        if self.bytes.get(at) == Some(&0x0f) {
            cursor.take(4).ok()?;
        }
        if cursor.u8().ok()? != 0x0c {
            return None;
        }
        let definition = self.definition_and_values(&mut cursor, values).ok()?;
        if let Some(shape) = self.shapes[usize::from(inside_event)].get(&definition) {
            return shape.clone();
        }
        let shape = library.shape(self, definition, inside_event);
        self.shapes[usize::from(inside_event)].insert(definition, shape.clone());
        shape
    }

    /// The chunk's bytes.
    pub(super) fn bytes(&self) -> &'c [u8] {
        self.bytes
    }

    /// Appends all that a template's tokens come from, the same for the same template of another chunk. Whether they can be read.
    pub(super) fn outline(&self, definition: usize, out: &mut Vec<u8>) -> bool {
        let Ok(mut cursor) = self.template_at(definition) else { return false };
        let mut sized = |kind: u8, bytes: &[u8]| {
            out.push(kind);
            out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
            out.extend_from_slice(bytes);
        };
        let read = walk(&mut cursor, true, |part| match part {
            Part::Start(name) => sized(1, name.text),
            Part::Attribute(name) => sized(2, name.text),
            Part::Content => sized(3, &[]),
            Part::Text(text) => sized(4, text),
            Part::Unit(unit) => sized(5, &unit.to_le_bytes()),
            Part::Entity(name) => sized(6, name.text),
            Part::Value(number) => sized(7, &number.to_le_bytes()),
            Part::End => sized(8, &[]),
        });
        read.is_ok()
    }

    /// A stream: a template instance (as Windows writes it), or elements.
    fn stream(&mut self, at: usize, size: usize, depth: usize, tree: &mut Tree<'_>, budget: &mut usize) -> Result<()> {
        if depth > MAX_NESTING {
            return Err(Damage { what: "binary XML is nested too deeply", at });
        }
        let mut cursor = Cursor::new(self.bytes, at, at.saturating_add(size));
        if self.bytes.get(at) == Some(&0x0f) {
            cursor.take(4)?;
        }
        if self.bytes.get(cursor.at) == Some(&0x0c) {
            cursor.take(1)?;
            return self.instance(&mut cursor, depth, tree, budget);
        }
        let tokens = self.tokens(&mut cursor, false)?;
        self.replay(&tokens, &[], depth, tree, budget)
    }

    fn instance(
        &mut self,
        cursor: &mut Cursor<'c>,
        depth: usize,
        tree: &mut Tree<'_>,
        budget: &mut usize,
    ) -> Result<()> {
        let mut values = Vec::new();
        let definition = self.definition_and_values(cursor, &mut values)?;
        let template = self.template(definition)?;
        self.replay(&template, &values, depth, tree, budget)
    }

    /// Where a template instance has its template; its values go to `values`.
    fn definition_and_values(&self, cursor: &mut Cursor<'c>, values: &mut Vec<Value>) -> Result<usize> {
        cursor.take(1 + 4)?;
        let definition = cursor.u32()?;
        if definition == cursor.at {
            cursor.take(20)?;
            let size = cursor.u32()?;
            cursor.take(size)?;
        }
        let count = cursor.u32()?;
        let descriptors = cursor.take(count.saturating_mul(4))?;
        let mut at = cursor.at as u32;
        values.clear();
        values.extend(descriptors.chunks_exact(4).map(|descriptor| {
            let size = u16::from_le_bytes([descriptor[0], descriptor[1]]);
            let value = Value { kind: descriptor[2], at, size };
            at += u32::from(size);
            value
        }));
        if at as usize > cursor.end {
            // One after the other, for the place of the first that is not there.
            values.iter().try_for_each(|value| cursor.take(value.size()).map(|_| ()))?;
        }
        cursor.at = at as usize;
        Ok(definition)
    }

    fn template(&mut self, at: usize) -> Result<Rc<[Token]>> {
        if let Some(template) = self.templates.get(&at) {
            return Ok(Rc::clone(template));
        }
        let mut cursor = self.template_at(at)?;
        let tokens: Rc<[Token]> = self.tokens(&mut cursor, true)?.into();
        self.templates.insert(at, Rc::clone(&tokens));
        Ok(tokens)
    }

    /// Where the tokens of a template begin and end.
    fn template_at(&self, at: usize) -> Result<Cursor<'c>> {
        let mut cursor = Cursor::new(self.bytes, at, self.bytes.len());
        cursor.take(20)?;
        let size = cursor.u32()?;
        cursor.end = cursor.at.saturating_add(size).min(self.bytes.len());
        if self.bytes.get(cursor.at) == Some(&0x0f) {
            cursor.take(4)?;
        }
        Ok(cursor)
    }

    /// The shape of a template.
    pub(super) fn shape(&mut self, definition: usize, inside_event: bool) -> Option<Shape> {
        Shape::of(&self.template(definition).ok()?, inside_event)
    }

    /// Reads tokens up to the end. Elements of templates carry a dependency, others do not.
    fn tokens(&mut self, cursor: &mut Cursor<'c>, in_template: bool) -> Result<Vec<Token>> {
        let mut tokens = Vec::new();
        walk(cursor, in_template, |part| {
            tokens.push(match part {
                Part::Start(stored) => {
                    let (text, name) = self.name(stored);
                    Token::Start(text, name)
                }
                Part::Attribute(stored) => Token::Attribute(self.name(stored).1),
                Part::Content => Token::Content,
                Part::Text(text) => Token::Text(utf16(text)),
                Part::Unit(unit) => Token::Text(char::from_u32(u32::from(unit)).map_or(String::new(), String::from)),
                Part::Entity(stored) => Token::Text(entity(&self.name(stored).0).to_owned()),
                Part::Value(number) => Token::Value(number),
                Part::End => Token::End,
            });
        })?;
        Ok(tokens)
    }

    fn name(&mut self, stored: StoredName<'c>) -> (Rc<str>, Name) {
        let (text, name) = self.names.entry(stored.offset).or_insert_with(|| {
            let text: Rc<str> = utf16(stored.text).into();
            let name = Name::of(&text);
            (text, name)
        });
        (Rc::clone(text), *name)
    }

    fn replay(
        &mut self,
        tokens: &[Token],
        values: &[Value],
        depth: usize,
        tree: &mut Tree<'_>,
        budget: &mut usize,
    ) -> Result<()> {
        for token in tokens {
            let at = values.first().map_or(0, |value| value.at());
            *budget = budget.checked_sub(1).ok_or(Damage { what: "the record grows without end", at })?;
            // A number without a value is an empty one, as Windows has it.
            if let Some(number) = step(token, tree)
                && let Some(value) = values.get(usize::from(number))
            {
                self.value(*value, depth, tree, budget)?;
            }
        }
        Ok(())
    }

    fn value(&mut self, value: Value, depth: usize, tree: &mut Tree<'_>, budget: &mut usize) -> Result<()> {
        if value.nests() {
            return self.stream(value.at(), value.size(), depth + 1, tree, budget);
        }
        let bytes = Cursor::new(self.bytes, value.at(), self.bytes.len()).take(value.size())?;
        if let Some(out) = tree.text() {
            if out.len() > MAX_TEXT {
                return Err(Damage { what: "the record grows without end", at: value.at() });
            }
            write_value(out, value.kind, bytes);
        }
        Ok(())
    }
}

impl Instance {
    /// The value of a number, if there is one.
    pub fn value(&self, number: u16) -> Option<Value> {
        self.values.get(usize::from(number)).copied()
    }

    /// The values that are binary XML of children of `Event`.
    pub fn children(&self) -> impl Iterator<Item = Value> {
        self.shape.inside.iter().filter_map(|number| self.value(*number)).filter(|value| value.nests())
    }

    /// How many values are binary XML.
    pub fn nested(&self) -> usize {
        self.values.iter().filter(|value| value.nests()).count()
    }

    fn sources(&self) -> impl Iterator<Item = Value> {
        self.shape.texts.iter().filter_map(|(_, source)| match source {
            Source::Value(number) => self.value(*number),
            Source::Text(_) => None,
        })
    }

    /// Bytes of all its texts, at most: each may become three times as long.
    fn size(&self) -> usize {
        self.sources().map(|value| 4 * value.size()).sum()
    }

    /// Whether a text is binary XML itself.
    fn nests(&self) -> bool {
        self.sources().any(Value::nests)
    }

    /// Adds the common values that are selected to a record.
    fn write_system(&self, chunk: &[u8], selection: &Selection<'_>, record: &mut Record) {
        let (texts, _) = self.shape.texts.split_at(self.shape.system);
        for (target, source) in texts {
            if let Target::System(field) = target
                && selection.takes(*field)
            {
                let start = record.mark();
                self.write(chunk, source, record.text());
                record.set_from(*field, start);
            }
        }
    }

    /// Adds the event data that are selected.
    fn write_data(&self, chunk: &[u8], selection: &mut Selection<'_>, record: &mut Record) {
        let (_, texts) = self.shape.texts.split_at(self.shape.system);
        for (target, source) in texts {
            if let Target::Data(name) = target
                && selection.takes_data(name)
            {
                let start = record.mark();
                record.text().push_str(name);
                let value = record.mark();
                self.write(chunk, source, record.text());
                record.push_from(start, value);
            }
        }
    }

    fn write(&self, chunk: &[u8], source: &Source, out: &mut String) {
        match source {
            Source::Text(text) => out.push_str(text),
            Source::Value(number) => {
                if let Some((kind, bytes)) = self.value(*number).and_then(|value| value.raw(chunk)) {
                    write_value(out, kind, bytes);
                }
            }
        }
    }
}

/// Reads the parts of a template, or of elements that are none, up to their end. Elements of templates carry a dependency, others do not.
fn walk<'c>(cursor: &mut Cursor<'c>, in_template: bool, mut take: impl FnMut(Part<'c>)) -> Result<()> {
    while cursor.at < cursor.end {
        let at = cursor.at;
        let part = match cursor.u8()? {
            0x00 => break,
            token @ (0x01 | 0x41) => {
                cursor.take(if in_template { 6 } else { 4 })?;
                let name = name(cursor)?;
                if token == 0x41 {
                    cursor.take(4)?;
                }
                Part::Start(name)
            }
            0x02 => Part::Content,
            0x03 | 0x04 => Part::End,
            0x05 | 0x45 => {
                let kind = cursor.u8()?;
                let size = usize::from(cursor.u16()?).saturating_mul(2);
                if kind != 1 {
                    return Err(Damage { what: "a literal value is no text", at });
                }
                Part::Text(cursor.take(size)?)
            }
            0x06 | 0x46 => Part::Attribute(name(cursor)?),
            0x07 | 0x47 => {
                let size = usize::from(cursor.u16()?).saturating_mul(2);
                Part::Text(cursor.take(size)?)
            }
            0x08 | 0x48 => Part::Unit(cursor.u16()?),
            0x09 | 0x49 => Part::Entity(name(cursor)?),
            0x0a => {
                name(cursor)?;
                continue;
            }
            0x0b => {
                let size = usize::from(cursor.u16()?).saturating_mul(2);
                cursor.take(size)?;
                continue;
            }
            0x0d | 0x0e => {
                let index = cursor.u16()?;
                cursor.take(1)?;
                Part::Value(index)
            }
            0x0f => {
                cursor.take(3)?;
                continue;
            }
            _ => return Err(Damage { what: "no token of binary XML", at }),
        };
        take(part);
    }
    Ok(())
}

/// A name, which lies elsewhere in the chunk or right here.
fn name<'c>(cursor: &mut Cursor<'c>) -> Result<StoredName<'c>> {
    let offset = cursor.u32()?;
    if offset == cursor.at {
        cursor.take(6)?;
        let size = usize::from(cursor.u16()?).saturating_mul(2);
        cursor.take(size.saturating_add(2))?;
    }
    let mut stored = Cursor::new(cursor.chunk, offset, cursor.chunk.len());
    stored.take(6)?;
    let size = usize::from(stored.u16()?).saturating_mul(2);
    Ok(StoredName { offset, text: stored.take(size)? })
}

/// What one token does; the number of the value that it asks for.
pub(super) fn step(token: &Token, tree: &mut Tree<'_>) -> Option<u16> {
    match token {
        Token::Start(text, name) => tree.start(*name, text),
        Token::Attribute(name) => tree.attribute(*name),
        Token::Content => tree.content(),
        Token::Text(text) => {
            if let Some(out) = tree.text() {
                out.push_str(text);
            }
        }
        Token::Value(number) => return Some(*number),
        Token::End => tree.end(),
    }
    None
}

fn entity(name: &str) -> &str {
    match name {
        "lt" => "<",
        "gt" => ">",
        "amp" => "&",
        "quot" => "\"",
        "apos" => "'",
        _ => "",
    }
}
