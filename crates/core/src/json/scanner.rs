//! The walk that fills an event: every byte of the line is checked, wanted values are decoded, the rest is passed over.

use super::cursor::{Cursor, StringSpan};
use super::projection::{Entry, Node, Projection, ROOT};
use super::{Broken, BrokenKind, MAX_DEPTH, unescape};
use crate::value::{Event, Raw};

/// Where in the line the event's document lies: the whole of it, or the `_source` of a search hit, or its `fields`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Its opening brace.
    pub start: usize,
    /// After its closing brace.
    pub end: usize,
}

/// Fills events from lines.
#[derive(Clone, Copy, Debug)]
pub struct Scanner<'p> {
    projection: &'p Projection,
}

struct Walk<'p, 'a, 'e> {
    cursor: Cursor<'a>,
    projection: &'p Projection,
    event: &'e mut Event<'a>,
    source: Option<Extent>,
    /// Whether the line has the members of a search hit.
    hit: bool,
    /// Where its `fields` begin.
    fields: Option<usize>,
}

impl<'p> Scanner<'p> {
    /// Picks out the fields of a projection.
    pub fn new(projection: &'p Projection) -> Self {
        Self { projection }
    }

    /// Empties the event (made for [`Projection::width`] fields) and fills it from one line. The fields of a search hit are those of its `_source`, with `_id` and
    /// `_index` beside them; those of a hit without one, as Kibana shows them, are its `fields`.
    pub fn scan<'a>(&self, line: &'a str, event: &mut Event<'a>) -> Result<Extent, Broken> {
        event.clear();
        let mut walk = Walk::new(line, self.projection, event);
        walk.cursor.blank();
        let start = walk.cursor.at;
        if walk.cursor.peek() != Some(b'{') {
            walk.cursor.skip(0)?;
            return Err(Broken { kind: BrokenKind::NoObject, at: start });
        }
        walk.object(ROOT, 0)?;
        let whole = Extent { start, end: walk.cursor.at };
        walk.cursor.end()?;
        if let (true, None, Some(start)) = (walk.hit, walk.source, walk.fields) {
            walk.cursor.at = start;
            walk.object(ROOT, 1)?;
            return Ok(Extent { start, end: walk.cursor.at });
        }
        Ok(walk.source.unwrap_or(whole))
    }
}

impl Scanner<'_> {
    /// Adds to the event what one value holds that lies at a node of the projection.
    pub fn value<'a>(&self, text: &'a str, node: Node, event: &mut Event<'a>) -> Result<(), Broken> {
        let mut walk = Walk::new(text, self.projection, event);
        walk.value(node, 1)?;
        walk.cursor.end()
    }
}

impl<'p, 'a, 'e> Walk<'p, 'a, 'e> {
    fn new(text: &'a str, projection: &'p Projection, event: &'e mut Event<'a>) -> Self {
        Self { cursor: Cursor::new(text), projection, event, source: None, hit: false, fields: None }
    }
}

impl Walk<'_, '_, '_> {
    /// An object whose names start at `node`; the next byte is its brace.
    fn object(&mut self, node: Node, depth: usize) -> Result<(), Broken> {
        if depth >= MAX_DEPTH {
            return Err(self.cursor.broken(BrokenKind::TooDeep));
        }
        self.cursor.at += 1;
        self.cursor.blank();
        if self.cursor.peek() == Some(b'}') {
            self.cursor.at += 1;
            return Ok(());
        }
        let mut seen = Seen::default();
        loop {
            let key = self.cursor.member()?;
            if depth == 0 {
                self.outermost(key);
            }
            match self.find(node, key) {
                Some(entry) => {
                    if seen.twice(entry.ordinal) {
                        return Err(Broken { kind: BrokenKind::DuplicateKey, at: key.start });
                    }
                    self.value(entry.node, depth + 1)?;
                }
                None if depth == 0 && &self.cursor.text[key.start..key.end] == "_source" => self.hit()?,
                None => self.cursor.skip(depth + 1)?,
            }
            self.cursor.blank();
            match self.cursor.peek() {
                Some(b',') => self.cursor.at += 1,
                Some(b'}') => {
                    self.cursor.at += 1;
                    return Ok(());
                }
                _ => return Err(self.cursor.broken(BrokenKind::Unexpected)),
            }
        }
    }

    fn find(&self, node: Node, key: StringSpan) -> Option<Entry> {
        let content = &self.cursor.text[key.start..key.end];
        if key.escaped {
            self.projection.find(node, unescape(content).as_bytes())
        } else {
            self.projection.find(node, content.as_bytes())
        }
    }

    /// Notes what tells that the line is a search hit.
    fn outermost(&mut self, key: StringSpan) {
        match &self.cursor.text.as_bytes()[key.start..key.end] {
            b"_index" | b"_id" => self.hit = true,
            b"fields" => {
                self.cursor.blank();
                self.fields = (self.cursor.peek() == Some(b'{')).then_some(self.cursor.at);
            }
            _ => {}
        }
    }

    /// The `_source` of a search hit: the event's document.
    fn hit(&mut self) -> Result<(), Broken> {
        self.cursor.blank();
        if self.cursor.peek() != Some(b'{') {
            return self.cursor.skip(1);
        }
        if self.source.is_some() {
            return Err(self.cursor.broken(BrokenKind::DuplicateKey));
        }
        let start = self.cursor.at;
        self.object(ROOT, 1)?;
        self.source = Some(Extent { start, end: self.cursor.at });
        Ok(())
    }

    fn value(&mut self, node: Node, depth: usize) -> Result<(), Broken> {
        self.cursor.blank();
        match self.cursor.peek() {
            Some(b'{') if self.projection.has_children(node) => self.object(node, depth),
            Some(b'[') => self.array(node, depth),
            _ if self.projection.slots(node).is_empty() => self.cursor.skip(depth),
            _ => self.scalar(node, depth),
        }
    }

    fn array(&mut self, node: Node, depth: usize) -> Result<(), Broken> {
        if depth >= MAX_DEPTH {
            return Err(self.cursor.broken(BrokenKind::TooDeep));
        }
        self.cursor.at += 1;
        self.cursor.blank();
        if self.cursor.peek() == Some(b']') {
            self.cursor.at += 1;
            return Ok(());
        }
        loop {
            self.value(node, depth + 1)?;
            self.cursor.blank();
            match self.cursor.peek() {
                Some(b',') => self.cursor.at += 1,
                Some(b']') => {
                    self.cursor.at += 1;
                    return Ok(());
                }
                _ => return Err(self.cursor.broken(BrokenKind::Unexpected)),
            }
        }
    }

    fn scalar(&mut self, node: Node, depth: usize) -> Result<(), Broken> {
        let raw = match self.cursor.peek() {
            Some(b'"') => {
                let span = self.cursor.string()?;
                let content = &self.cursor.text[span.start..span.end];
                Raw::Text(if span.escaped { unescape(content) } else { content.into() })
            }
            Some(b't') => {
                self.cursor.word("true")?;
                Raw::Bool(true)
            }
            Some(b'f') => {
                self.cursor.word("false")?;
                Raw::Bool(false)
            }
            Some(b'-' | b'0'..=b'9') => Raw::Number(self.cursor.number()?.into()),
            _ => return self.cursor.skip(depth),
        };
        if let [first, others @ ..] = self.projection.slots(node) {
            for slot in others {
                self.event.push(*slot, raw.clone());
            }
            self.event.push(*first, raw);
        }
        Ok(())
    }
}

/// The keys that an object has had.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    first: u64,
    others: Vec<usize>,
}

impl Seen {
    /// Notes a key; whether the object had it before.
    #[inline]
    pub(crate) fn twice(&mut self, ordinal: usize) -> bool {
        if ordinal < 64 {
            let bit = 1 << ordinal;
            let twice = self.first & bit != 0;
            self.first |= bit;
            return twice;
        }
        let twice = self.others.contains(&ordinal);
        self.others.push(ordinal);
        twice
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(paths: &[&str], line: &str) -> Result<Vec<Vec<String>>, Broken> {
        let projection = Projection::new(paths.iter().copied());
        let mut event = Event::new(projection.width);
        Scanner::new(&projection).scan(line, &mut event)?;
        let texts = |field| event.values(field).map(|raw| raw.as_text().to_owned()).collect();
        Ok((0..paths.len() as u32).map(texts).collect())
    }

    #[test]
    fn dotted_and_nested_names_are_the_same() {
        let paths = ["process.parent.name", "process.pid"];
        for line in [
            r#"{"process":{"parent":{"name":"a"},"pid":1}}"#,
            r#"{"process.parent":{"name":"a"},"process.pid":1}"#,
            r#"{"process":{"parent.name":"a"},"process":{"pid":1}}"#,
            r#"{"process.parent.name":"a","other":[{"x":[1,{}]}],"process":{"pid":1}}"#,
            r#"{"pro\u0063ess":{"pid":1,"parent":[{"name":["a"]}]}}"#,
        ] {
            match values(&paths, line) {
                Ok(found) => assert_eq!(found, [["a"], ["1"]], "{line}"),
                Err(broken) => assert_eq!(broken.kind, BrokenKind::DuplicateKey, "{line}"),
            }
        }
    }

    #[test]
    fn arrays_are_flattened_and_nulls_dropped() {
        let found = values(&["a.b", "a"], r#"{"a":[{"b":[1,null,[true,"x"]]},null,{"b":2.5e3},7]}"#).unwrap();
        assert_eq!(found, [vec!["1", "true", "x", "2.5e3"], vec!["7"]]);
    }

    #[test]
    fn a_search_hit_is_its_source() {
        let line = r#"{"_index":"i","_id":"7","_score":1,"_source":{"a":1},"sort":[3]}"#;
        assert_eq!(values(&["a", "_id", "_index"], line).unwrap(), [["1"], ["7"], ["i"]]);
    }

    #[test]
    fn a_search_hit_without_source_is_its_fields() {
        let line = r#"{"fields":{"a.b":["1","2"]},"_index":"i","_id":"7"}"#;
        assert_eq!(values(&["a.b", "_id"], line).unwrap(), [vec!["1", "2"], vec!["7"]]);
        // Beside a `_source` they say the same again, and in an event of Beats they are the user's own.
        let line = r#"{"_id":"7","fields":{"a":["1"]},"_source":{"a":1}}"#;
        assert_eq!(values(&["a"], line).unwrap(), [["1"]]);
        let line = r#"{"fields":{"a":"1"},"b":"2"}"#;
        assert_eq!(values(&["a", "b", "fields.a"], line).unwrap(), [vec![], vec!["2"], vec!["1"]]);
    }

    #[test]
    fn faults_are_named_with_their_place() {
        let deep = format!("{{\"a\":{}", "[".repeat(100_000));
        let unwanted = format!("{{\"z\":{}", "{\"a\":".repeat(100_000));
        for (line, kind, at) in [
            ("{\"a\":1", BrokenKind::Truncated, 6),
            ("{\"a\":\"x", BrokenKind::Truncated, 7),
            ("{\"a\":01}", BrokenKind::Unexpected, 5),
            ("{\"z\":tru}", BrokenKind::Unexpected, 5),
            ("{\"z\":\"\\x\"}", BrokenKind::Escape, 6),
            ("{\"z\":\"\\u12g4\"}", BrokenKind::Escape, 6),
            ("{\"z\":\"a\tb\"}", BrokenKind::ControlCharacter, 7),
            ("{\"a\":1} x", BrokenKind::Trailing, 8),
            ("{\"a\":1,}", BrokenKind::Unexpected, 7),
            ("{\"z\":[1,]}", BrokenKind::Unexpected, 8),
            ("{\"z\":[1 2]}", BrokenKind::Unexpected, 8),
            ("{\"z\":{\"y\" 1}}", BrokenKind::Unexpected, 10),
            ("{\"z\":[}]}", BrokenKind::Unexpected, 6),
            ("[1]", BrokenKind::NoObject, 0),
            ("5", BrokenKind::NoObject, 0),
            ("", BrokenKind::Truncated, 0),
            (&deep, BrokenKind::TooDeep, 5 + 999),
            (&unwanted, BrokenKind::TooDeep, 5 + 999 * 5),
            ("{\"a\":1,\"a\":2}", BrokenKind::DuplicateKey, 8),
        ] {
            let broken = values(&["a"], line).unwrap_err();
            assert_eq!((broken.kind, broken.at), (kind, at), "{}", &line[..line.len().min(40)]);
        }
    }

    #[test]
    fn numbers_follow_the_grammar() {
        for good in ["0", "-0", "10", "1.5", "1e5", "1E+5", "-1.25e-3"] {
            assert_eq!(values(&["a"], &format!("{{\"a\":{good}}}")).unwrap(), [[good]]);
            assert!(values(&["b"], &format!("{{\"a\":{good}}}")).is_ok());
        }
        for bad in ["-", "1.", ".5", "1e", "1e+", "+1", "00", "0x1", "NaN"] {
            assert!(values(&["a"], &format!("{{\"a\":{bad}}}")).is_err(), "{bad}");
            assert!(values(&["b"], &format!("{{\"a\":{bad}}}")).is_err(), "{bad}");
        }
    }
}
