//! Tables as Kibana's Discover exports them: comma-separated, the first row names the fields. Rows become documents with dotted
//! names. Kibana writes values as it shows them, so they are read back: dates, numbers with separators, several values in one cell.

use crate::json::write_string;
use crate::sources::{Decoder, Fault, Place, Sink};
use crate::value::Time;
use csv_core::{ReadRecordResult, Reader};
use std::borrow::Cow;

/// Fields that hold several values, which Kibana joins with a comma and a blank.
const LISTS: [&str; 8] = [
    "event.category",
    "event.type",
    "process.args",
    "process.parent.args",
    "process.Ext.ancestry",
    "registry.data.strings",
    "tags",
    "Persistence.args",
];

/// The ends of names of fields that are numbers.
const NUMBERS: [&str; 9] =
    [".pid", ".port", ".bytes", ".size", ".exit_code", ".args_count", ".sequence", ".thread.id", "process.ppid"];

/// What stands where a document has no value.
const NOTHING: [&str; 3] = ["", "-", "(empty)"];

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Whether a text begins with a row of field names, the time among them.
pub fn is_table(head: &[u8]) -> bool {
    let head = head.strip_prefix(BOM).unwrap_or(head);
    let Some(end) = memchr::memchr(b'\n', head) else { return false };
    let Ok(line) = std::str::from_utf8(&head[..end]) else { return false };
    let names: Vec<&str> = line.trim_end().split(',').map(|name| name.trim_matches('"')).collect();
    let is_name = |name: &&str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"@._-".contains(&byte))
    };
    names.contains(&"@timestamp") && names.iter().any(|name| name.contains('.')) && names.iter().all(is_name)
}

const BOM: &[u8] = b"\xef\xbb\xbf";

/// Reads rows.
pub struct Table {
    max_row: usize,
    names: Vec<String>,
    reader: Reader,
    row: Row,
    records: u64,
    offset: u64,
}

/// The row that is being read.
#[derive(Default)]
struct Row {
    /// Where it begins.
    begun: u64,
    /// How much of it was read.
    size: usize,
    /// Its cells, one behind the other, and how much of the room is filled.
    text: Vec<u8>,
    filled: usize,
    /// Where each cell ends, and how many have ended.
    ends: Vec<usize>,
    ended: usize,
    /// Quotation marks so far: where their number is odd, a cell is open.
    quotes: usize,
}

impl Row {
    fn clear(&mut self) {
        (self.size, self.filled, self.ended, self.quotes) = (0, 0, 0, 0);
    }

    fn cells(&self) -> Vec<Cow<'_, str>> {
        let ends = self.ends.get(..self.ended).unwrap_or_default();
        let starts = std::iter::once(&0).chain(ends);
        let cells = starts.zip(ends).map(|(start, end)| self.text.get(*start..*end).unwrap_or_default());
        cells.map(String::from_utf8_lossy).collect()
    }
}

impl Table {
    /// Rows of more than `max_row` bytes are faults.
    pub fn new(max_row: usize) -> Self {
        Self { max_row, names: Vec::new(), reader: Reader::new(), row: Row::default(), records: 0, offset: 0 }
    }

    fn place(&self) -> Place {
        Place { record: self.records.max(1), offset: self.row.begun }
    }

    /// Gives bytes to the reader, none at the end of the file: how many it took, and whether a row has ended.
    fn read(&mut self, bytes: &[u8], sink: &mut dyn Sink) -> (usize, bool) {
        let row = &mut self.row;
        let (result, read, written, ended) =
            self.reader.read_record(bytes, &mut row.text[row.filled..], &mut row.ends[row.ended..]);
        row.size += read;
        row.quotes += memchr::memchr_iter(b'"', &bytes[..read]).count();
        row.filled += written;
        row.ended += ended;
        self.offset += read as u64;
        match result {
            ReadRecordResult::InputEmpty => {}
            ReadRecordResult::OutputFull => row.text.resize(row.text.len() * 2 + 1024, 0),
            ReadRecordResult::OutputEndsFull => row.ends.resize(row.ends.len() * 2 + 64, 0),
            ReadRecordResult::Record => {
                self.end(sink);
                return (read, true);
            }
            ReadRecordResult::End => return (read, true),
        }
        (read, false)
    }

    /// The rest of a line whose row is too long, wherever its quotation marks are: one of them may be lost. How many bytes these are.
    fn skip(&mut self, bytes: &[u8], sink: &mut dyn Sink) -> usize {
        let end = memchr::memchr(b'\n', bytes);
        let skipped = end.map_or(bytes.len(), |end| end + 1);
        self.offset += skipped as u64;
        if end.is_some() {
            self.too_long(sink);
        }
        skipped
    }

    fn too_long(&mut self, sink: &mut dyn Sink) {
        let message = format!("a row of more than {} bytes", self.max_row);
        sink.fault(Fault { kind: "too long", message, place: self.place() });
        self.reader.reset();
        self.row.clear();
        self.records += 1;
    }

    fn end(&mut self, sink: &mut dyn Sink) {
        let (cells, place) = (self.row.cells(), self.place());
        if self.names.is_empty() {
            self.names = cells.into_iter().map(Cow::into_owned).collect();
        } else if cells.len() == self.names.len() {
            let mut json = vec![b'{'];
            let filled = self.names.iter().zip(&cells).filter(|(_, cell)| !NOTHING.contains(&cell.trim()));
            for (name, cell) in filled {
                if json.len() > 1 {
                    json.push(b',');
                }
                write_string(name, &mut json);
                json.push(b':');
                write_value(name, cell, &mut json);
            }
            json.push(b'}');
            sink.document(&json, place);
        } else {
            let message = format!("a row of {} cells, where {} are named", cells.len(), self.names.len());
            sink.fault(Fault { kind: "damaged row", message, place });
        }
        self.row.clear();
        self.records += 1;
    }
}

impl Decoder for Table {
    fn push(&mut self, mut bytes: &[u8], sink: &mut dyn Sink) {
        while let Some(first) = bytes.first() {
            let taken = if self.row.size == 0 && matches!(first, b'\n' | b'\r') {
                self.offset += 1;
                1
            } else if self.row.size > self.max_row {
                self.skip(bytes, sink)
            } else {
                if self.row.size == 0 {
                    self.row.begun = self.offset;
                }
                // No more at a time than makes the row too long.
                self.read(&bytes[..bytes.len().min(self.max_row + 1)], sink).0
            };
            bytes = &bytes[taken..];
        }
    }

    fn finish(&mut self, sink: &mut dyn Sink) {
        if self.row.size > self.max_row {
            self.too_long(sink);
        } else if !self.row.quotes.is_multiple_of(2) {
            let message = "the file ends inside a quoted cell".to_owned();
            sink.fault(Fault { kind: "truncated row", message, place: self.place() });
        } else if self.row.size > 0 {
            // The reader may ask for room before it gives the last row.
            while !self.read(&[], sink).1 {}
        }
    }
}

fn write_value(name: &str, cell: &str, json: &mut Vec<u8>) {
    if LISTS.contains(&name) {
        // Some versions write the list as JSON.
        if cell.starts_with('[') && serde_json::from_str::<Vec<String>>(cell).is_ok() {
            json.extend_from_slice(cell.as_bytes());
            return;
        }
        json.push(b'[');
        for (number, value) in cell.split(", ").enumerate() {
            if number > 0 {
                json.push(b',');
            }
            write_string(value, json);
        }
        json.push(b']');
    } else if let Some(time) = shown_time(cell) {
        write_string(&time, json);
    } else if matches!(cell, "true" | "false") {
        json.extend_from_slice(cell.as_bytes());
    } else if let Some(number) = number(name, cell) {
        json.extend_from_slice(number.to_string().as_bytes());
    } else {
        write_string(cell, json);
    }
}

/// A whole number without its separators, where the field is one.
fn number(name: &str, cell: &str) -> Option<u64> {
    let plain = NUMBERS.iter().any(|end| name.ends_with(end)) && cell.len() < 24;
    plain.then(|| cell.replace(',', "").parse().ok()).flatten()
}

/// `Sep 20, 2015 @ 10:26:48.725` as ISO 8601. The table does not say the zone, which is that of the browser: it is read as UTC.
fn shown_time(cell: &str) -> Option<String> {
    let (date, clock) = cell.split_once(" @ ")?;
    let (day, year) = date.split_once(", ")?;
    let (month, day) = day.split_once(' ')?;
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let time = format!("{year}-{month:02}-{:02}T{clock}Z", day.parse::<u8>().ok()?);
    Time::parse(&time).map(|_| time)
}

#[cfg(test)]
mod tests {
    use super::super::kept::Kept;
    use super::*;

    fn rows(text: &str) -> Kept {
        let mut kept = Kept::default();
        let mut table = Table::new(200);
        text.as_bytes().chunks(3).for_each(|piece| table.push(piece, &mut kept));
        table.finish(&mut kept);
        kept
    }

    #[test]
    fn rows_are_documents_with_values_as_they_were_before_they_were_shown() {
        let kept = rows(
            "\u{feff}\"@timestamp\",process.name,process.pid,process.args,process.code_signature.trusted,message\r\n\
             \"Sep 2, 2015 @ 10:26:48.725\",curl,\"12,345\",\"curl, -s, http://a\",true,\"two\nlines, \"\"quoted\"\"\"\r\n\
             2026-01-01T00:00:00.000Z,-,7,\"[\"\"a, b\"\",\"\"c\"\"]\",false,(empty)",
        );
        assert_eq!(
            kept.documents[0].0,
            r#"{"@timestamp":"2015-09-02T10:26:48.725Z","process.name":"curl","process.pid":12345,"process.args":["curl","-s","http://a"],"process.code_signature.trusted":true,"message":"two\nlines, \"quoted\""}"#
        );
        assert_eq!(
            kept.documents[1].0,
            r#"{"@timestamp":"2026-01-01T00:00:00.000Z","process.pid":7,"process.args":["a, b","c"],"process.code_signature.trusted":false}"#
        );
        assert_eq!(kept.documents.iter().map(|document| document.1).collect::<Vec<_>>(), [1, 2]);
        assert!(kept.faults.is_empty());
    }

    #[test]
    fn damaged_rows_are_faults_and_cost_themselves_only() {
        let long = "x".repeat(300);
        let kept = rows(&format!("@timestamp,host.name\n1,a,b\n2,b\n3,{long}\n\n4,\"d\n"));
        assert_eq!(
            kept.documents.iter().map(|document| document.0.as_str()).collect::<Vec<_>>(),
            [r#"{"@timestamp":"2","host.name":"b"}"#]
        );
        assert_eq!(kept.faults, [("damaged row", 21), ("too long", 31), ("truncated row", 335)]);
    }

    #[test]
    fn rows_are_the_same_however_the_file_is_cut() {
        let text = "@timestamp,a.b,c\r\n1,\"x, \"\"y\"\"\r\nz\",\r\n\r\n2,é,3\n4,5\n6,,\"7\"";
        let whole = |size: usize| {
            let (mut kept, mut table) = (Kept::default(), Table::new(200));
            text.as_bytes().chunks(size).for_each(|piece| table.push(piece, &mut kept));
            table.finish(&mut kept);
            (kept.documents, kept.faults)
        };
        assert_eq!(whole(text.len()).0.len(), 3);
        assert_eq!(whole(text.len()).1, [("damaged row", text.find("4,5").unwrap() as u64)]);
        assert!((1..text.len()).all(|size| whole(size) == whole(text.len())));
    }

    #[test]
    fn a_table_is_told_by_its_names() {
        for text in ["\"@timestamp\",process.name\n", "\u{feff}host.name,\"@timestamp\",_id\r\n"] {
            assert!(is_table(text.as_bytes()), "{text}");
        }
        for text in ["@timestamp,message\n", "a.b,c\n1,2\n", "{\"@timestamp\": 1, \"a.b\": 2}\n", "@timestamp,a.b"] {
            assert!(!is_table(text.as_bytes()), "{text}");
        }
    }
}
