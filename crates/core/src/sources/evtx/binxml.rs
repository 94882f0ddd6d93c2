//! Binary XML of the Windows event log ([MS-EVEN6] 2.2.12): templates are read once a chunk, records are replayed through
//! them into a [`Tree`]. Every read is checked; depth and work per record are bounded.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::rc::Rc;

use super::super::digits::{CAPITAL, SMALL, decimal, hexadecimal, signed};
use super::super::winlog::{Name, Record, Selection, Tree, push_filetime};
use super::shape::{Shape, Source, Target};
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
struct Value {
    kind: u8,
    at: usize,
    size: usize,
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
    shapes: [HashMap<usize, Option<Rc<Shape>>, RandomState>; 2],
    names: HashMap<usize, (Rc<str>, Name), RandomState>,
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
    pub fn read_selected(&mut self, at: usize, size: usize, mut selection: Selection<'_>, record: &mut Record) -> bool {
        record.clear();
        let Some(outer) = self.instance_at(at, size, false) else { return false };
        let inside = |number: &u16| outer.value(*number).filter(|value| value.kind == BINARY_XML);
        let mut inner = Vec::new();
        for value in outer.shape.inside.iter().filter_map(inside) {
            let Some(instance) = self.instance_at(value.at, value.size, true) else { return false };
            if instance
                .shape
                .inside
                .iter()
                .any(|number| instance.value(*number).is_some_and(|value| value.kind == BINARY_XML))
            {
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

    /// The template instance that a stream is, if its template has a shape and all of it is there.
    fn instance_at(&mut self, at: usize, size: usize, inside_event: bool) -> Option<Instance> {
        let mut cursor = Cursor::new(self.bytes, at, at.saturating_add(size));
        if self.bytes.get(at) == Some(&0x0f) {
            cursor.take(4).ok()?;
        }
        if cursor.u8().ok()? != 0x0c {
            return None;
        }
        let (definition, values) = self.definition_and_values(&mut cursor).ok()?;
        let known = self.shapes[usize::from(inside_event)].get(&definition);
        let shape = if let Some(shape) = known {
            shape.clone()
        } else {
            let tokens = self.template(definition).ok()?;
            let shape = Shape::of(&tokens, inside_event).map(Rc::new);
            self.shapes[usize::from(inside_event)].insert(definition, shape.clone());
            shape
        };
        Some(Instance { shape: shape?, values })
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
        let (definition, values) = self.definition_and_values(cursor)?;
        let template = self.template(definition)?;
        self.replay(&template, &values, depth, tree, budget)
    }

    /// Where a template instance has its template, and its values.
    fn definition_and_values(&self, cursor: &mut Cursor<'c>) -> Result<(usize, Vec<Value>)> {
        cursor.take(1 + 4)?;
        let definition = cursor.u32()?;
        if definition == cursor.at {
            cursor.take(20)?;
            let size = cursor.u32()?;
            cursor.take(size)?;
        }
        let count = cursor.u32()?;
        let descriptors = cursor.take(count.saturating_mul(4))?;
        let mut values = Vec::with_capacity(descriptors.len() / 4);
        for descriptor in descriptors.chunks_exact(4) {
            let size = usize::from(u16::from_le_bytes([descriptor[0], descriptor[1]]));
            values.push(Value { kind: descriptor[2], at: cursor.at, size });
            cursor.take(size)?;
        }
        Ok((definition, values))
    }

    fn template(&mut self, at: usize) -> Result<Rc<[Token]>> {
        if let Some(template) = self.templates.get(&at) {
            return Ok(Rc::clone(template));
        }
        let mut cursor = Cursor::new(self.bytes, at, self.bytes.len());
        cursor.take(20)?;
        let size = cursor.u32()?;
        cursor.end = cursor.at.saturating_add(size).min(self.bytes.len());
        if self.bytes.get(cursor.at) == Some(&0x0f) {
            cursor.take(4)?;
        }
        let tokens: Rc<[Token]> = self.tokens(&mut cursor, true)?.into();
        self.templates.insert(at, Rc::clone(&tokens));
        Ok(tokens)
    }

    /// Reads tokens up to the end. Elements of templates carry a dependency, others do not.
    fn tokens(&mut self, cursor: &mut Cursor<'c>, in_template: bool) -> Result<Vec<Token>> {
        let mut tokens = Vec::new();
        while cursor.at < cursor.end {
            let at = cursor.at;
            match cursor.u8()? {
                0x00 => break,
                token @ (0x01 | 0x41) => {
                    cursor.take(if in_template { 6 } else { 4 })?;
                    let (text, name) = self.name(cursor)?;
                    if token == 0x41 {
                        cursor.take(4)?;
                    }
                    tokens.push(Token::Start(text, name));
                }
                0x02 => tokens.push(Token::Content),
                0x03 | 0x04 => tokens.push(Token::End),
                0x05 | 0x45 => {
                    let kind = cursor.u8()?;
                    let size = usize::from(cursor.u16()?).saturating_mul(2);
                    if kind != 1 {
                        return Err(Damage { what: "a literal value is no text", at });
                    }
                    tokens.push(Token::Text(utf16(cursor.take(size)?)));
                }
                0x06 | 0x46 => {
                    let (_, name) = self.name(cursor)?;
                    tokens.push(Token::Attribute(name));
                }
                0x07 | 0x47 => {
                    let size = usize::from(cursor.u16()?).saturating_mul(2);
                    tokens.push(Token::Text(utf16(cursor.take(size)?)));
                }
                0x08 | 0x48 => {
                    let unit = cursor.u16()?;
                    tokens.push(Token::Text(char::from_u32(u32::from(unit)).map_or(String::new(), String::from)));
                }
                0x09 | 0x49 => {
                    let (text, _) = self.name(cursor)?;
                    tokens.push(Token::Text(entity(&text).to_owned()));
                }
                0x0a => {
                    self.name(cursor)?;
                }
                0x0b => {
                    let size = usize::from(cursor.u16()?).saturating_mul(2);
                    cursor.take(size)?;
                }
                0x0d | 0x0e => {
                    let index = cursor.u16()?;
                    cursor.take(1)?;
                    tokens.push(Token::Value(index));
                }
                0x0f => {
                    cursor.take(3)?;
                }
                _ => return Err(Damage { what: "no token of binary XML", at }),
            }
        }
        Ok(tokens)
    }

    /// A name, which lies elsewhere in the chunk or right here.
    fn name(&mut self, cursor: &mut Cursor<'c>) -> Result<(Rc<str>, Name)> {
        let offset = cursor.u32()?;
        if offset == cursor.at {
            cursor.take(6)?;
            let size = usize::from(cursor.u16()?).saturating_mul(2);
            cursor.take(size.saturating_add(2))?;
        }
        if let Some((text, name)) = self.names.get(&offset) {
            return Ok((Rc::clone(text), *name));
        }
        let mut stored = Cursor::new(self.bytes, offset, self.bytes.len());
        stored.take(6)?;
        let size = usize::from(stored.u16()?).saturating_mul(2);
        let text: Rc<str> = utf16(stored.take(size)?).into();
        let name = Name::of(&text);
        self.names.insert(offset, (Rc::clone(&text), name));
        Ok((text, name))
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
            let at = values.first().map_or(0, |value| value.at);
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
        if value.kind == BINARY_XML {
            return self.stream(value.at, value.size, depth + 1, tree, budget);
        }
        let bytes = Cursor::new(self.bytes, value.at, self.bytes.len()).take(value.size)?;
        if let Some(out) = tree.text() {
            if out.len() > MAX_TEXT {
                return Err(Damage { what: "the record grows without end", at: value.at });
            }
            write_value(out, value.kind, bytes);
        }
        Ok(())
    }
}

/// A template and the values of one record.
struct Instance {
    shape: Rc<Shape>,
    values: Vec<Value>,
}

impl Instance {
    fn value(&self, number: u16) -> Option<Value> {
        self.values.get(usize::from(number)).copied()
    }

    fn sources(&self) -> impl Iterator<Item = Value> {
        self.shape.texts.iter().filter_map(|(_, source)| match source {
            Source::Value(number) => self.value(*number),
            Source::Text(_) => None,
        })
    }

    /// Bytes of all its texts, at most: each may become three times as long.
    fn size(&self) -> usize {
        self.sources().map(|value| 4 * value.size).sum()
    }

    /// Whether a text is binary XML itself.
    fn nests(&self) -> bool {
        self.sources().any(|value| value.kind == BINARY_XML)
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
                let value = self.value(*number);
                let bytes = value.and_then(|value| chunk.get(value.at..)?.get(..value.size));
                if let Some((value, bytes)) = value.zip(bytes) {
                    write_value(out, value.kind, bytes);
                }
            }
        }
    }
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

fn utf16(bytes: &[u8]) -> String {
    let mut out = String::new();
    push_utf16(&mut out, bytes);
    out
}

/// Appends UTF-16; what is none becomes U+FFFD, and a NUL ends it.
fn push_utf16(out: &mut String, bytes: &[u8]) {
    let mut rest = bytes;
    let mut buffer = [0; 128];
    let mut used = 0;
    // Sixteen units of ASCII at a time, as far as there are only such.
    while let Some((units, after)) = rest.split_first_chunk::<32>()
        && let Some(ascii) = ascii(units)
    {
        if used == buffer.len() {
            out.push_str(std::str::from_utf8(&buffer).expect("ASCII is UTF-8"));
            used = 0;
        }
        buffer[used..used + 16].copy_from_slice(&ascii);
        used += 16;
        rest = after;
    }
    out.push_str(std::str::from_utf8(&buffer[..used]).expect("ASCII is UTF-8"));
    used = 0;
    // The end of a text is seldom that long.
    while let Some(([low @ 1..=0x7f, 0], after)) = rest.split_first_chunk::<2>()
        && used < buffer.len()
    {
        buffer[used] = *low;
        used += 1;
        rest = after;
    }
    out.push_str(std::str::from_utf8(&buffer[..used]).expect("ASCII is UTF-8"));
    if rest.len() > 1 {
        let units =
            rest.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]])).take_while(|&unit| unit != 0);
        out.reserve(rest.len() / 2);
        out.extend(char::decode_utf16(units).map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER)));
    }
}

/// Sixteen units as bytes, if they are ASCII; a NUL is none. The compiler makes a few vector instructions of it.
#[inline]
fn ascii(units: &[u8; 32]) -> Option<[u8; 16]> {
    let mut low = [0; 16];
    let (mut others, mut none) = (0, 0);
    for (place, byte) in low.iter_mut().enumerate() {
        *byte = units[2 * place];
        others |= units[2 * place + 1] | *byte & 0x80;
        none |= u8::from(*byte == 0);
    }
    (others | none == 0).then_some(low)
}

/// Appends a value as Windows renders it. A value shorter than its type is rendered as the bytes that it is.
fn write_value(out: &mut String, kind: u8, bytes: &[u8]) {
    if kind & 0x80 != 0 {
        return write_array(out, kind & 0x7f, bytes);
    }
    let unsigned = match bytes.len() {
        1 | 2 | 4 | 8 => bytes.iter().rev().fold(0_u64, |all, &byte| all << 8 | u64::from(byte)),
        _ => 0,
    };
    let result = match (kind, bytes.len()) {
        (0x00, _) => Ok(()),
        (0x01, _) => {
            push_utf16(out, bytes);
            Ok(())
        }
        (0x02, _) => {
            let text = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
            out.push_str(&encoding_rs::WINDOWS_1252.decode_without_bom_handling(text).0);
            Ok(())
        }
        (0x03, 1) => number(out, i64::from(unsigned as i8)),
        (0x05, 2) => number(out, i64::from(unsigned as i16)),
        (0x07, 4) => number(out, i64::from(unsigned as i32)),
        (0x09, 8) => number(out, unsigned as i64),
        (0x04, 1) | (0x06, 2) | (0x08, 4) | (0x0a, 8) => {
            decimal(out, unsigned, 1);
            Ok(())
        }
        (0x0b, 4) => write!(out, "{}", f32::from_bits(unsigned as u32)),
        (0x0c, 8) => write!(out, "{}", f64::from_bits(unsigned)),
        (0x0d, 4) => match unsigned {
            0 => write!(out, "false"),
            1 => write!(out, "true"),
            other => write!(out, "{other}"),
        },
        (0x0f, 16) => {
            write_guid(out, bytes);
            Ok(())
        }
        (0x10 | 0x14 | 0x15, 4 | 8) => write!(out, "{unsigned:#x}"),
        (0x11, 8) => {
            push_filetime(out, unsigned);
            Ok(())
        }
        (0x12, 16) => write_systemtime(out, bytes),
        (0x13, 8..) => write_sid(out, bytes),
        _ => {
            bytes.iter().for_each(|byte| hexadecimal(out, *byte, CAPITAL));
            Ok(())
        }
    };
    debug_assert!(result.is_ok(), "writing to a string cannot fail");
}

fn write_array(out: &mut String, kind: u8, bytes: &[u8]) {
    let size = match kind {
        0x01 => {
            let mut rest = bytes;
            while rest.len() >= 2 {
                let end = rest.chunks_exact(2).position(|unit| unit == [0, 0]).unwrap_or(rest.len() / 2) * 2;
                if rest.len() != bytes.len() && !rest[..end].is_empty() {
                    out.push(',');
                }
                push_utf16(out, &rest[..end]);
                rest = rest.get(end + 2..).unwrap_or_default();
            }
            return;
        }
        0x03 | 0x04 => 1,
        0x05 | 0x06 => 2,
        0x07 | 0x08 | 0x0b | 0x0d | 0x14 => 4,
        0x09 | 0x0a | 0x0c | 0x11 | 0x15 => 8,
        0x0f | 0x12 => 16,
        _ => return write_value(out, 0x0e, bytes),
    };
    for (index, item) in bytes.chunks_exact(size).enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_value(out, kind, item);
    }
}

fn number(out: &mut String, value: i64) -> std::fmt::Result {
    signed(out, value);
    Ok(())
}

fn write_guid(out: &mut String, bytes: &[u8]) {
    const ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    /// Where the digits of each byte begin.
    const PLACES: [usize; 16] = [1, 3, 5, 7, 10, 12, 15, 17, 20, 22, 25, 27, 29, 31, 33, 35];
    let mut text = *b"{00000000-0000-0000-0000-000000000000}";
    for (from, place) in ORDER.into_iter().zip(PLACES) {
        text[place] = SMALL[usize::from(bytes[from] >> 4)];
        text[place + 1] = SMALL[usize::from(bytes[from] & 15)];
    }
    out.push_str(std::str::from_utf8(&text).expect("digits are ASCII"));
}

fn write_sid(out: &mut String, bytes: &[u8]) -> std::fmt::Result {
    let authority = bytes[2..8].iter().fold(0_u64, |all, &byte| all << 8 | u64::from(byte));
    write!(out, "S-{}-{authority}", bytes[0])?;
    for part in bytes[8..].chunks_exact(4).take(usize::from(bytes[1])) {
        out.push('-');
        decimal(out, u64::from(u32::from_le_bytes([part[0], part[1], part[2], part[3]])), 1);
    }
    Ok(())
}

fn write_systemtime(out: &mut String, bytes: &[u8]) -> std::fmt::Result {
    let part = |index: usize| u16::from_le_bytes([bytes[2 * index], bytes[2 * index + 1]]);
    let (year, month, day) = (part(0), part(1), part(3));
    let (hour, minute, second, milliseconds) = (part(4), part(5), part(6), part(7));
    write!(out, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milliseconds:03}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_rendered_as_windows_does() {
        let mut out = String::new();
        write_value(&mut out, 0x13, &[1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0]);
        write_value(&mut out, 0x14, &[0xff, 0, 0, 0]);
        write_value(&mut out, 0x81, &[b'a', 0, 0, 0, b'b', 0, 0, 0]);
        write_value(&mut out, 0x14, &[1]);
        assert_eq!(out, "S-1-5-180xffa,b01");
    }

    #[test]
    fn units_of_any_kind_in_any_place_become_text() {
        let words = ["a", "\u{7f}", "é", "\u{ff80}", "😀", "abcd", "\u{80}"];
        for length in [0, 1, 3, 4, 5, 8, 127, 128, 129, 260] {
            for (word, at) in words.iter().zip([0, 1, 2, 3, 4, 7, 130]) {
                let mut text: String = "0123456789".chars().cycle().take(length).collect();
                text.insert_str(at.min(length), word);
                let bytes = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
                assert_eq!(utf16(&bytes(&text)), text);
                assert_eq!(utf16(&bytes(&format!("{text}\0rest of it"))), text);
            }
        }
        assert_eq!(utf16(&[0x00, 0xd8, b'a', 0, 0x41]), "\u{fffd}a");
    }
}
