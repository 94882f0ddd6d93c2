//! Writes one ECS document as JSON, member by member, without building a tree: decoders write hundreds of thousands a
//! second. It knows no field.

use super::digits::{decimal, is_plain, signed};
use std::sync::Arc;

use crate::json::{Node, Projection, ROOT, Seen, Sought, write_string};
use crate::value::{Extent, Picked};

/// A document under construction. Objects that stay empty are not written.
///
/// Told which fields are wanted, it writes nothing, and picks the values of these fields out instead.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    out: Vec<u8>,
    open: Vec<Open>,
    picking: Option<Picking>,
    /// The text of a number.
    numeral: String,
}

#[derive(Debug)]
struct Open {
    /// Length before the object's key (and comma) was written: an empty object is cut back to it.
    before: usize,
    /// Length after `{`: nothing was written since if the document still has it.
    start: usize,
}

/// The wanted values, as the document comes by them.
#[derive(Debug)]
struct Picking {
    wanted: Arc<Projection>,
    picked: Picked,
    /// Where the values of this document begin.
    begin: u32,
    /// The open objects and lists: where each lies among the wanted fields, if any of them lies below it.
    open: Vec<(Option<Node>, Seen)>,
    /// Whether an object had a key twice: the document has to say what counts.
    doubtful: bool,
}

impl Picking {
    /// Where a key of the innermost object leads.
    #[inline]
    fn find(&mut self, key: &Sought<'_>) -> Option<Node> {
        let (node, seen) = self.open.last_mut()?;
        let entry = self.wanted.look_up((*node)?, key)?;
        self.doubtful |= seen.twice(entry.ordinal);
        Some(entry.node)
    }

    fn enter(&mut self, key: &Sought<'_>) {
        let node = self.find(key);
        self.open.push((node, Seen::default()));
    }

    fn text(&mut self, key: &Sought<'_>, text: &str) {
        if let Some(node) = self.find(key) {
            self.picked.text(self.wanted.slots(node), text);
        }
    }

    fn numeral(&mut self, key: &Sought<'_>, text: &str) {
        if let Some(node) = self.find(key) {
            self.picked.number(self.wanted.slots(node), text);
        }
    }

    fn number(&mut self, key: &Sought<'_>, number: i64, buffer: &mut String) {
        if let Some(node) = self.find(key) {
            buffer.clear();
            signed(buffer, number);
            self.picked.number(self.wanted.slots(node), buffer);
        }
    }

    fn texts<T: AsRef<str>>(&mut self, key: &Sought<'_>, texts: impl IntoIterator<Item = T>) {
        if let Some(node) = self.find(key) {
            let slots = self.wanted.slots(node);
            texts.into_iter().for_each(|text| self.picked.text(slots, text.as_ref()));
        }
    }

    fn wants(&self, key: &Sought<'_>) -> bool {
        let node = self.open.last().and_then(|(node, _)| *node);
        node.is_some_and(|node| self.wanted.look_up(node, key).is_some())
    }
}

// What takes a key is inlined into the decoders, where nearly all keys are written here and there: the compiler prepares these.

/// A key, prepared.
#[allow(clippy::inline_always)]
#[inline(always)]
fn sought(key: &str) -> Sought<'_> {
    Sought::of(key.as_bytes())
}

impl Writer {
    /// A writer that picks out the values of the wanted fields.
    pub fn picking(wanted: Arc<Projection>) -> Self {
        let picking = Picking { wanted, picked: Picked::default(), begin: 0, open: Vec::new(), doubtful: false };
        Self { picking: Some(picking), ..Self::default() }
    }

    /// Makes room for so many values, and for so many bytes of them.
    pub fn reserve(&mut self, values: usize, bytes: usize) {
        if let Some(picking) = &mut self.picking {
            picking.picked.reserve(values, bytes);
        }
    }

    /// The values that were picked out so far, for whoever knows where more of them go.
    pub fn values(&mut self) -> Option<&mut Picked> {
        self.picking.as_mut().map(|picking| &mut picking.picked)
    }

    /// What was picked out since [`Writer::begin`], and whether a key came twice.
    pub fn picked(&self) -> (Extent, bool) {
        let picking = self.picking.as_ref();
        picking.map(|picking| (picking.picked.since(picking.begin), picking.doubtful)).unwrap_or_default()
    }

    /// Takes all values that were picked out, and leaves room for as many.
    pub fn take(&mut self) -> Picked {
        self.picking.as_mut().map(|picking| picking.picked.take()).unwrap_or_default()
    }

    /// Begins a new document, reusing the room of the last.
    pub fn begin(&mut self) {
        if let Some(picking) = &mut self.picking {
            picking.begin = picking.picked.mark();
            picking.open.clear();
            picking.open.push((Some(ROOT), Seen::default()));
            picking.doubtful = false;
            return;
        }
        self.out.clear();
        self.open.clear();
        self.out.push(b'{');
        self.open.push(Open { before: 0, start: 1 });
    }

    /// Ends the document and gives its bytes.
    pub fn end(&mut self) -> &[u8] {
        if self.picking.is_some() {
            return &[];
        }
        while self.open.len() > 1 {
            self.close();
        }
        self.out.push(b'}');
        &self.out
    }

    /// Whether it picks values out instead of writing.
    pub fn picks(&self) -> bool {
        self.picking.is_some()
    }

    /// Whether anything that is written below a key of the innermost object matters.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    pub fn wants(&self, key: &str) -> bool {
        self.picking.as_ref().is_none_or(|picking| picking.wants(&sought(key)))
    }

    /// Opens an object: `"key":{`.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    pub fn object(&mut self, key: &str) {
        match &mut self.picking {
            Some(picking) => picking.enter(&sought(key)),
            None => self.open_object(key),
        }
    }

    fn open_object(&mut self, key: &str) {
        let before = self.out.len();
        self.key(key);
        self.out.push(b'{');
        self.open.push(Open { before, start: self.out.len() });
    }

    /// Closes the innermost object; an empty one is taken back.
    pub fn close(&mut self) {
        if let Some(picking) = &mut self.picking {
            picking.open.pop();
        } else if let Some(open) = self.open.pop() {
            if self.out.len() == open.start {
                self.out.truncate(open.before);
            } else {
                self.out.push(b'}');
            }
        }
    }

    /// `"key":"text"`.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    pub fn text(&mut self, key: &str, text: &str) {
        match &mut self.picking {
            Some(picking) => picking.text(&sought(key), text),
            None => self.write_text(key, text),
        }
    }

    fn write_text(&mut self, key: &str, text: &str) {
        self.key(key);
        write_string(text, &mut self.out);
    }

    /// `"key":"text"`, if there is one that is not empty.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    pub fn maybe(&mut self, key: &str, text: Option<&str>) {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.text(key, text);
        }
    }

    /// `"key":5`.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    pub fn number(&mut self, key: &str, number: i64) {
        match &mut self.picking {
            Some(picking) => picking.number(&sought(key), number, &mut self.numeral),
            None => self.write_number(key, number),
        }
    }

    fn write_number(&mut self, key: &str, number: i64) {
        let mut text = std::mem::take(&mut self.numeral);
        text.clear();
        signed(&mut text, number);
        self.numeral(key, &text);
        self.numeral = text;
    }

    /// `"key":5`, of the number's text.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    fn numeral(&mut self, key: &str, text: &str) {
        if let Some(picking) = &mut self.picking {
            return picking.numeral(&sought(key), text);
        }
        self.write_numeral(key, text);
    }

    fn write_numeral(&mut self, key: &str, text: &str) {
        self.key(key);
        self.out.extend_from_slice(text.as_bytes());
    }

    /// `"key":5` for a text of digits, else the text itself.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    pub fn digits(&mut self, key: &str, text: &str) {
        if is_plain(text) {
            return self.numeral(key, text);
        }
        match text.parse::<i64>() {
            Ok(number) => self.number(key, number),
            Err(_) => self.text(key, text),
        }
    }

    /// `"key":["a","b"]`; nothing for no texts.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    pub fn texts<T: AsRef<str>>(&mut self, key: &str, texts: impl IntoIterator<Item = T>) {
        match &mut self.picking {
            Some(picking) => picking.texts(&sought(key), texts),
            None => self.write_texts(key, texts),
        }
    }

    fn write_texts<T: AsRef<str>>(&mut self, key: &str, texts: impl IntoIterator<Item = T>) {
        let before = self.out.len();
        self.key(key);
        self.out.push(b'[');
        let start = self.out.len();
        for text in texts {
            if self.out.len() > start {
                self.out.push(b',');
            }
            write_string(text.as_ref(), &mut self.out);
        }
        if self.out.len() == start {
            self.out.truncate(before);
        } else {
            self.out.push(b']');
        }
    }

    /// Opens a list of objects: `"key":[`. Each is written between [`Writer::item`] and [`Writer::close`].
    pub fn list(&mut self, key: &str) {
        if let Some(picking) = &mut self.picking {
            return picking.enter(&sought(key));
        }
        self.key(key);
        self.out.push(b'[');
    }

    /// Opens the next object of the list.
    pub fn item(&mut self) {
        if let Some(picking) = &mut self.picking {
            let node = picking.open.last().and_then(|(node, _)| *node);
            return picking.open.push((node, Seen::default()));
        }
        if self.out.last() != Some(&b'[') {
            self.out.push(b',');
        }
        self.out.push(b'{');
        // An empty item keeps its place in the list.
        self.open.push(Open { before: self.out.len(), start: usize::MAX });
    }

    /// Closes the list.
    pub fn end_list(&mut self) {
        if let Some(picking) = &mut self.picking {
            picking.open.pop();
            return;
        }
        self.out.push(b']');
    }

    fn key(&mut self, key: &str) {
        if self.out.last() != Some(&b'{') {
            self.out.push(b',');
        }
        write_string(key, &mut self.out);
        self.out.push(b':');
    }
}

/// `2026-11-24T03:34:24.740Z` of milliseconds since 1970; a year before 0 has its sign and three digits at least.
pub(crate) fn timestamp(milliseconds: i64) -> String {
    let days = milliseconds.div_euclid(86_400_000);
    let of_day = milliseconds.rem_euclid(86_400_000);
    let (year, month, day) = civil(days);
    let mut text = *b"-00-00T00:00:00.000Z";
    for (place, value) in
        [(1, month), (4, day), (7, of_day / 3_600_000), (10, of_day / 60_000 % 60), (13, of_day / 1000 % 60)]
    {
        text[place] += (value / 10) as u8;
        text[place + 1] += (value % 10) as u8;
    }
    let thousandth = of_day % 1000;
    text[16] += (thousandth / 100) as u8;
    text[17] += (thousandth / 10 % 10) as u8;
    text[18] += (thousandth % 10) as u8;
    let mut out = String::with_capacity(24);
    if year < 0 {
        out.push('-');
    }
    decimal(&mut out, year.unsigned_abs(), if year < 0 { 3 } else { 4 });
    out.push_str(std::str::from_utf8(&text).expect("digits are ASCII"));
    out
}

/// Year, month and day of the proleptic Gregorian calendar, from days since 1970 (eras of 400 years, beginning in March).
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_that_stay_empty_are_not_written() {
        let mut writer = Writer::default();
        writer.begin();
        writer.object("event");
        writer.object("nothing");
        writer.close();
        writer.texts("none", [] as [&str; 0]);
        writer.text("action", "a\"\\\n\u{1}é");
        writer.close();
        writer.list("paths");
        writer.item();
        writer.close();
        writer.item();
        writer.number("n", -5);
        writer.close();
        writer.end_list();
        let expected = r#"{"event":{"action":"a\"\\\n\u0001é"},"paths":[{},{"n":-5}]}"#;
        assert_eq!(std::str::from_utf8(writer.end()), Ok(expected));
    }

    #[test]
    fn times_are_written_to_the_millisecond() {
        assert_eq!(timestamp(1_795_491_264_740), "2026-11-24T03:34:24.740Z");
        assert_eq!(timestamp(-1), "1969-12-31T23:59:59.999Z");
        assert_eq!(timestamp(951_782_400_000), "2000-02-29T00:00:00.000Z");
        assert_eq!(timestamp(-62_198_755_200_000), "-001-01-01T00:00:00.000Z");
    }
}
