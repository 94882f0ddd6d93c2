//! Tables as Kibana's Discover exports them: comma-separated, the first row names the fields. Rows become documents with dotted
//! names. Kibana writes values as it shows them, so they are read back: dates, numbers with separators, several values in one cell.

use crate::json::write_string;
use crate::sources::{Decoder, Fault, Place, Sink};
use crate::value::Time;

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
    /// Cells of the row that is being read; the last may still grow.
    cells: Vec<Vec<u8>>,
    size: usize,
    quoted: bool,
    /// The last byte was a quotation mark inside a quoted cell: the cell's end, or the first of two that mean one.
    quote: bool,
    records: u64,
    /// Where the row begins.
    begun: u64,
    offset: u64,
}

impl Table {
    /// Rows of more than `max_row` bytes are faults.
    pub fn new(max_row: usize) -> Self {
        Self {
            max_row,
            names: Vec::new(),
            cells: vec![Vec::new()],
            size: 0,
            quoted: false,
            quote: false,
            records: 0,
            begun: 0,
            offset: 0,
        }
    }

    fn byte(&mut self, byte: u8, sink: &mut dyn Sink) {
        if self.quoted {
            if byte == b'\n' && self.size > self.max_row {
                // The quotation mark that ends the cell is lost.
                self.row(sink);
            } else if byte == b'"' {
                (self.quoted, self.quote) = (false, true);
            } else {
                self.keep(byte);
            }
            return;
        }
        match byte {
            b'"' => {
                if std::mem::take(&mut self.quote) {
                    self.keep(b'"');
                }
                self.quoted = true;
            }
            b',' => {
                self.size += 1;
                if self.size <= self.max_row {
                    self.cells.push(Vec::new());
                }
            }
            b'\n' => return self.row(sink),
            b'\r' => {}
            _ => self.keep(byte),
        }
        self.quote = false;
    }

    fn keep(&mut self, byte: u8) {
        self.size += 1;
        if self.size <= self.max_row
            && let Some(cell) = self.cells.last_mut()
        {
            cell.push(byte);
        }
    }

    fn row(&mut self, sink: &mut dyn Sink) {
        let cells = std::mem::replace(&mut self.cells, vec![Vec::new()]);
        let place = Place { record: self.records.max(1), offset: self.begun };
        let too_long = std::mem::take(&mut self.size) > self.max_row;
        (self.quoted, self.quote) = (false, false);
        let cells: Vec<_> = cells.iter().map(|cell| String::from_utf8_lossy(cell)).collect();
        if self.names.is_empty() {
            let names = cells.iter().map(|name| name.trim_start_matches('\u{feff}').to_owned());
            self.names = names.collect();
        } else if too_long {
            sink.fault(Fault {
                kind: "too long",
                message: format!("a row of more than {} bytes", self.max_row),
                place,
            });
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
        } else if cells.len() > 1 || cells.iter().any(|cell| !cell.trim().is_empty()) {
            let message = format!("a row of {} cells, where {} are named", cells.len(), self.names.len());
            sink.fault(Fault { kind: "damaged row", message, place });
        }
        self.records += 1;
    }
}

impl Decoder for Table {
    fn push(&mut self, bytes: &[u8], sink: &mut dyn Sink) {
        for byte in bytes {
            self.offset += 1;
            self.byte(*byte, sink);
            if *byte == b'\n' && !self.quoted {
                self.begun = self.offset;
            }
        }
    }

    fn finish(&mut self, sink: &mut dyn Sink) {
        if self.quoted {
            let place = Place { record: self.records.max(1), offset: self.begun };
            let message = "the file ends inside a quoted cell".to_owned();
            sink.fault(Fault { kind: "truncated row", message, place });
        } else if self.cells.len() > 1 || self.size > 0 {
            self.row(sink);
        }
    }
}

fn write_value(name: &str, cell: &str, json: &mut Vec<u8>) {
    let digits = || cell.replace(',', "");
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
    } else if NUMBERS.iter().any(|end| name.ends_with(end)) && digits().parse::<u64>().is_ok_and(|_| cell.len() < 24) {
        json.extend_from_slice(digits().parse::<u64>().unwrap_or_default().to_string().as_bytes());
    } else {
        write_string(cell, json);
    }
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
    use super::*;

    #[derive(Default)]
    struct Kept {
        documents: Vec<(String, u64, u64)>,
        faults: Vec<(&'static str, u64)>,
    }

    impl Sink for Kept {
        fn document(&mut self, json: &[u8], place: Place) {
            self.documents.push((String::from_utf8(json.to_vec()).unwrap(), place.record, place.offset));
        }

        fn fault(&mut self, fault: Fault) {
            self.faults.push((fault.kind, fault.place.offset));
        }
    }

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
    fn a_table_is_told_by_its_names() {
        for text in ["\"@timestamp\",process.name\n", "\u{feff}host.name,\"@timestamp\",_id\r\n"] {
            assert!(is_table(text.as_bytes()), "{text}");
        }
        for text in ["@timestamp,message\n", "a.b,c\n1,2\n", "{\"@timestamp\": 1, \"a.b\": 2}\n", "@timestamp,a.b"] {
            assert!(!is_table(text.as_bytes()), "{text}");
        }
    }
}
