//! The slow way for a document in which an object has a key twice: the same document with only the last of each.

use std::collections::HashMap;

use super::cursor::Cursor;
use super::{Broken, BrokenKind, MAX_DEPTH, unescape};

/// The document without all but the last member of each name. Fails like the scanner where the text is not JSON.
pub fn without_duplicates(line: &str) -> Result<String, Broken> {
    let mut cursor = Cursor::new(line);
    let mut out = String::with_capacity(line.len());
    value(&mut cursor, &mut out, 0)?;
    cursor.end()?;
    Ok(out)
}

fn value(cursor: &mut Cursor<'_>, out: &mut String, depth: usize) -> Result<(), Broken> {
    cursor.blank();
    match cursor.peek() {
        Some(b'{' | b'[') if depth >= MAX_DEPTH => Err(cursor.broken(BrokenKind::TooDeep)),
        Some(b'{') => object(cursor, out, depth),
        Some(b'[') => array(cursor, out, depth),
        _ => {
            let start = cursor.at;
            cursor.skip(depth)?;
            out.push_str(&cursor.text[start..cursor.at]);
            Ok(())
        }
    }
}

fn object(cursor: &mut Cursor<'_>, out: &mut String, depth: usize) -> Result<(), Broken> {
    let text = cursor.text;
    let mut members: Vec<Option<String>> = Vec::new();
    let mut places = HashMap::new();
    cursor.at += 1;
    cursor.blank();
    while cursor.peek() != Some(b'}') {
        if !members.is_empty() {
            cursor.expect(b',')?;
        }
        let key = cursor.member()?;
        let content = &text[key.start..key.end];
        let mut member = format!("\"{content}\":");
        value(cursor, &mut member, depth + 1)?;
        if let Some(earlier) = places.insert(unescape(content).into_owned(), members.len()) {
            members[earlier] = None;
        }
        members.push(Some(member));
        cursor.blank();
    }
    cursor.at += 1;
    out.push('{');
    out.push_str(&members.into_iter().flatten().collect::<Vec<_>>().join(","));
    out.push('}');
    Ok(())
}

fn array(cursor: &mut Cursor<'_>, out: &mut String, depth: usize) -> Result<(), Broken> {
    cursor.at += 1;
    cursor.blank();
    out.push('[');
    let mut first = true;
    while cursor.peek() != Some(b']') {
        if !first {
            cursor.expect(b',')?;
            out.push(',');
        }
        first = false;
        value(cursor, out, depth + 1)?;
        cursor.blank();
    }
    cursor.at += 1;
    out.push(']');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_member_of_each_name_stays() {
        let line = r#"{"a":1,"b":[{"c":1,"\u0063":2}, 3],"a":{"d":null}}"#;
        assert_eq!(without_duplicates(line).unwrap(), r#"{"b":[{"\u0063":2},3],"a":{"d":null}}"#);
    }

    #[test]
    fn broken_text_is_still_broken() {
        for line in ["{\"a\":1", "{\"a\":1,}", "[1,", "{\"a\":1}x", "{\"a\" 1}"] {
            assert!(without_duplicates(line).is_err(), "{line}");
        }
    }
}
