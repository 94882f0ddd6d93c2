//! Binary XML of the Windows event log ([MS-EVEN6] 2.2.12): templates are read once a chunk, records are replayed through
//! them into a [`Tree`]. Every read is checked; depth and work per record are bounded.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::rc::Rc;

use super::super::digits::{CAPITAL, SMALL, decimal, hexadecimal, signed};
use super::super::winlog::{Name, Record, Tree, push_filetime};

/// Streams inside streams inside streams: real records have two.
const MAX_NESTING: usize = 8;
/// Tokens that one record may replay: real ones need a few hundred.
const MAX_TOKENS: usize = 1 << 16;
/// Text that one record may become: a value may be placed several times.
const MAX_TEXT: usize = 1 << 22;

/// Why a record cannot be read, and where in its chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    pub what: &'static str,
    pub at: usize,
}

type Result<T> = std::result::Result<T, Damage>;

/// One step of a template.
#[derive(Debug)]
enum Token {
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
    templates: HashMap<usize, Rc<[Token]>>,
    names: HashMap<usize, (Rc<str>, Name)>,
}

impl<'c> Chunk<'c> {
    /// A chunk of which nothing is read yet.
    pub fn new(bytes: &'c [u8]) -> Self {
        Self { bytes, templates: HashMap::new(), names: HashMap::new() }
    }

    /// Reads the record whose binary XML lies at `at`.
    pub fn read(&mut self, at: usize, size: usize, record: &mut Record) -> Result<()> {
        let mut tree = Tree::new(record);
        let mut budget = MAX_TOKENS;
        self.stream(at, size, 0, &mut tree, &mut budget)
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
        cursor.take(1 + 4)?;
        let definition = cursor.u32()?;
        if definition == cursor.at {
            cursor.take(20)?;
            let size = cursor.u32()?;
            cursor.take(size)?;
        }
        let template = self.template(definition)?;
        let count = cursor.u32()?;
        let descriptors = cursor.take(count.saturating_mul(4))?;
        let mut values = Vec::with_capacity(count);
        for descriptor in descriptors.chunks_exact(4) {
            let size = usize::from(u16::from_le_bytes([descriptor[0], descriptor[1]]));
            values.push(Value { kind: descriptor[2], at: cursor.at, size });
            cursor.take(size)?;
        }
        self.replay(&template, &values, depth, tree, budget)
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
            match token {
                Token::Start(text, name) => tree.start(*name, text),
                Token::Attribute(name) => tree.attribute(*name),
                Token::Content => tree.content(),
                Token::Text(text) => {
                    if let Some(out) = tree.text() {
                        out.push_str(text);
                    }
                }
                Token::Value(index) => {
                    // An index without a value is an empty one, as Windows has it.
                    if let Some(value) = values.get(usize::from(*index)) {
                        self.value(*value, depth, tree, budget)?;
                    }
                }
                Token::End => tree.end(),
            }
        }
        Ok(())
    }

    fn value(&mut self, value: Value, depth: usize, tree: &mut Tree<'_>, budget: &mut usize) -> Result<()> {
        if value.kind == 0x21 {
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
    /// What no unit of ASCII has, the lowest bit of each of four, and the highest.
    const OTHERS: u64 = 0xff80_ff80_ff80_ff80;
    const LOW: u64 = 0x0001_0001_0001_0001;
    const HIGH: u64 = LOW << 15;
    let mut bytes = bytes;
    let mut buffer = [0; 128];
    let mut used = 0;
    // Four units of ASCII at a time, as far as there are only such; a NUL is none.
    while let Some((four, rest)) = bytes.split_first_chunk::<8>() {
        let units = u64::from_le_bytes(*four);
        if (units & OTHERS) | (units.wrapping_sub(LOW) & !units & HIGH) != 0 {
            break;
        }
        let pairs = (units | units >> 8) & 0x0000_ffff_0000_ffff;
        let packed = (pairs | pairs >> 16) as u32;
        if used == buffer.len() {
            out.push_str(std::str::from_utf8(&buffer).expect("ASCII is UTF-8"));
            used = 0;
        }
        buffer[used..used + 4].copy_from_slice(&packed.to_le_bytes());
        used += 4;
        bytes = rest;
    }
    out.push_str(std::str::from_utf8(&buffer[..used]).expect("ASCII is UTF-8"));
    let units = bytes.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]])).take_while(|&unit| unit != 0);
    out.reserve(bytes.len() / 2);
    out.extend(char::decode_utf16(units).map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER)));
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
    out.push('{');
    for (index, &from) in ORDER.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        hexadecimal(out, bytes[from], SMALL);
    }
    out.push('}');
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
