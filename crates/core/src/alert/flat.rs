//! A document as flat dotted keys: objects are opened, everything else is copied as it is written.

use crate::json::Cursor;

/// Deeper objects, and those with longer names, are copied whole: a hostile document must not grow without bound.
const DEEPEST: usize = 32;
const LONGEST: usize = 1024;

/// Writes the members of documents.
pub struct Flat<'o> {
    out: &'o mut Vec<u8>,
    path: String,
    /// Whether a key with a dot and an object were seen: only both together can give one name twice.
    dotted: bool,
    nested: bool,
}

impl<'o> Flat<'o> {
    /// Appends to `out`, which ends in the opening brace or in a member.
    pub fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out, path: String::new(), dotted: false, nested: false }
    }

    /// Writes the members of a valid document, without the brace around them. Names for which `skip` is true are left out;
    /// `event.*` is written a second time as `kibana.alert.original_event.*`.
    pub fn document(&mut self, document: &str, skip: impl Fn(&str) -> bool) {
        let start = self.out.len();
        let mut cursor = Cursor::new(document);
        self.object(&mut cursor, &skip, 0);
        if self.dotted && self.nested {
            merge(self.out, start);
        }
    }

    fn object(&mut self, cursor: &mut Cursor<'_>, skip: &impl Fn(&str) -> bool, depth: usize) {
        if cursor.expect(b'{').is_err() {
            return;
        }
        let parent = self.path.len();
        while let Ok(key) = cursor.member() {
            let name = &cursor.text[key.start..key.end];
            if parent > 0 {
                self.path.push('.');
            }
            self.path.push_str(name);
            self.dotted |= name.bytes().any(|byte| byte == b'.');
            cursor.blank();
            let start = cursor.at;
            let opened =
                cursor.peek() == Some(b'{') && depth < DEEPEST && self.path.len() < LONGEST && !is_empty(cursor);
            if opened {
                self.nested = true;
                self.object(cursor, skip, depth + 1);
            } else if cursor.skip(depth).is_err() {
                return;
            } else {
                self.member(&cursor.text[start..cursor.at], skip);
            }
            self.path.truncate(parent);
            if cursor.expect(b',').is_err() {
                break;
            }
        }
        let _ = cursor.expect(b'}');
    }

    fn member(&mut self, value: &str, skip: &impl Fn(&str) -> bool) {
        if self.path.starts_with("event.") {
            self.comma();
            self.out.extend_from_slice(b"\"kibana.alert.original_");
            self.write(value);
        }
        if !skip(&self.path) {
            self.comma();
            self.out.push(b'"');
            self.write(value);
        }
    }

    fn write(&mut self, value: &str) {
        self.out.extend_from_slice(self.path.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out.extend_from_slice(value.as_bytes());
    }

    fn comma(&mut self) {
        if self.out.last() != Some(&b'{') {
            self.out.push(b',');
        }
    }
}

fn is_empty(cursor: &Cursor<'_>) -> bool {
    let mut inner = *cursor;
    inner.at += 1;
    inner.blank();
    inner.peek() == Some(b'}')
}

/// The members of a flat object text as (name as written, value text).
pub(super) fn members(text: &str) -> Vec<(&str, &str)> {
    let mut members = Vec::new();
    let mut cursor = Cursor::new(text);
    while let Ok(key) = cursor.member() {
        cursor.blank();
        let start = cursor.at;
        if cursor.skip(0).is_err() {
            break;
        }
        members.push((&text[key.start..key.end], &text[start..cursor.at]));
        if cursor.expect(b',').is_err() {
            break;
        }
    }
    members
}

/// Joins members of one name, written from `start` on, to one member with the values of both.
fn merge(out: &mut Vec<u8>, start: usize) {
    let Ok(text) = String::from_utf8(out.split_off(start)) else { return };
    let mut merged: Vec<(&str, String)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for (name, value) in members(text.trim_start_matches(',')) {
        let place = *places.entry(name).or_insert(merged.len());
        match merged.get_mut(place) {
            None => merged.push((name, value.to_owned())),
            Some((_, known)) => *known = format!("[{},{}]", inside(known), inside(value)),
        }
    }
    for (name, value) in merged {
        if out.last() != Some(&b'{') {
            out.push(b',');
        }
        out.extend_from_slice(format!("\"{name}\":{value}").as_bytes());
    }
}

/// The elements of an array that has some, else the value itself.
fn inside(value: &str) -> &str {
    let elements = value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).map(str::trim);
    elements.filter(|elements| !elements.is_empty()).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(document: &str) -> String {
        let mut out = b"{".to_vec();
        Flat::new(&mut out).document(document, |key| key == "event.kind");
        out.push(b'}');
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn objects_are_opened_and_the_rest_copied() {
        assert_eq!(
            flat(r#"{ "a": {"b": {"c": "x\"y"}, "d": [{"e": 1}, 2]}, "f": {}, "g": null}"#),
            r#"{"a.b.c":"x\"y","a.d":[{"e": 1}, 2],"f":{},"g":null}"#
        );
        assert_eq!(
            flat(r#"{"event":{"kind":"event","id":"7"}}"#),
            r#"{"kibana.alert.original_event.kind":"event","kibana.alert.original_event.id":"7","event.id":"7"}"#
        );
        assert_eq!(flat("{}"), "{}");
    }

    #[test]
    fn one_name_written_two_ways_becomes_one_member() {
        assert_eq!(flat(r#"{"a.b":1,"a":{"b":[2,3],"c":4}}"#), r#"{"a.b":[1,2,3],"a.c":4}"#);
    }

    #[test]
    fn depth_and_names_are_bounded() {
        let deep = format!("{}1{}", "{\"a\":".repeat(900), "}".repeat(900));
        assert!(flat(&deep).len() < deep.len() * 2);
        let wide = format!("{{\"{}\":{{{}\"z\":1}}}}", "k".repeat(5000), "\"x\":1,");
        assert!(flat(&wide).len() < wide.len() * 2);
    }
}
