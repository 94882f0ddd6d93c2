//! Good telemetry, flipped, cut and spliced a few thousand times: no reader panics, what comes out is whole lines of JSON, and a
//! scan finds the same with the raw filter and without. The same mutations every time; `fuzz/` looks further.

use contraband_core::executor::{Engine, Scan};
use contraband_core::input::Input;
use contraband_core::sources::{FORMATS, Fault, Place, Reading, Settings, Sink};
use std::fs;
use std::path::{Path, PathBuf};

/// Mutations of each file.
const ROUNDS: usize = 60;
/// Most bytes of a file: damage to its beginning is damage enough.
const MOST: usize = 48 << 10;

const RULES: &[u8] = include_bytes!("../../../fuzz/fuzz_targets/rules.json");

/// Marsaglia's xorshift: the same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit.max(1) as u64).expect("below a usize")
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(4) {
            if bytes.is_empty() {
                return;
            }
            let at = self.below(bytes.len());
            match self.below(5) {
                0 => bytes[at] ^= 1 << self.below(8),
                1 => bytes[at] = b"\0\n\"\\{}[]<&;%,:\xff\xc0"[self.below(16)],
                2 => bytes.truncate(at),
                3 => {
                    let end = (at + self.below(200)).min(bytes.len());
                    bytes.drain(at..end);
                }
                _ => {
                    let from = self.below(bytes.len());
                    let piece = bytes[from..(from + self.below(400)).min(bytes.len())].to_vec();
                    bytes.splice(at..at, piece);
                }
            }
        }
    }
}

fn corpus() -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus");
    let mut files = Vec::new();
    for format in fs::read_dir(folder).expect("the corpus is there") {
        for file in fs::read_dir(format.expect("a folder").path()).expect("a folder") {
            let path = file.expect("a file").path();
            if path.extension().is_some_and(|extension| extension != "md" && extension != "toml") {
                let mut bytes = fs::read(&path).expect("a readable file");
                bytes.truncate(MOST);
                files.push((path, bytes));
            }
        }
    }
    files.sort();
    assert!(files.len() > 10, "the corpus has files of each format");
    files
}

#[derive(Default)]
struct Checked {
    documents: usize,
}

impl Sink for Checked {
    fn document(&mut self, json: &[u8], _place: Place) {
        let parsed: Result<serde_json::Value, _> = serde_json::from_slice(json);
        assert!(parsed.is_ok_and(|value| value.is_object()), "{}", String::from_utf8_lossy(json));
        assert!(!json.contains(&b'\n'));
        self.documents += 1;
    }

    fn fault(&mut self, fault: Fault) {
        assert!(!fault.message.is_empty() && !fault.kind.is_empty());
    }
}

fn read(format: &contraband_core::sources::Format, bytes: &[u8], piece: usize) -> usize {
    let mut sink = Checked::default();
    match format.reading {
        Reading::Bytes(decoder) => {
            let mut decoder = decoder(&Settings::default());
            for piece in bytes.chunks(piece) {
                decoder.push(piece, &mut sink);
            }
            decoder.finish(&mut sink);
        }
        Reading::Documents(mapper) => {
            let mut mapper = mapper(&Settings::default());
            for (number, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
                mapper.document(line, Place { record: number as u64 + 1, offset: 0 }, &mut sink);
            }
            mapper.finish(&mut sink);
        }
    }
    sink.documents
}

#[test]
fn every_reader_survives_damage_to_every_file() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut documents = 0;
    for (_, good) in corpus() {
        for _ in 0..ROUNDS {
            let mut bytes = good.clone();
            random.mutate(&mut bytes);
            let own = FORMATS.iter().find(|format| (format.recognise)(&bytes));
            let other = &FORMATS[random.below(FORMATS.len())];
            let piece = 1 + random.below(5000);
            documents += own.map_or(0, |format| read(format, &bytes, piece));
            read(other, &bytes, piece);
        }
    }
    assert!(documents > 1000, "damage leaves most records readable: {documents}");
}

fn scan(bytes: &[u8], options: &[u8]) -> Vec<u8> {
    let engine = Engine::new(RULES, options).expect("the rules are valid");
    let inputs = vec![Input::Bytes(bytes.to_vec())];
    let mut scan = Scan::start(&engine, inputs, br#"{"output":"events"}"#).expect("the options are valid");
    let mut out = Vec::new();
    while let Some(block) = scan.next() {
        out.extend_from_slice(&block);
    }
    out
}

#[test]
fn a_scan_of_damaged_telemetry_finds_the_same_however_it_is_read() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut found = 0;
    for (path, good) in corpus() {
        for _ in 0..4 {
            let mut bytes = good.clone();
            random.mutate(&mut bytes);
            let filtered = scan(&bytes, br#"{"threads":2,"chunk_size":3000}"#);
            let whole = scan(&bytes, br#"{"threads":1,"filter":false,"read_size":7}"#);
            assert_eq!(filtered, whole, "{}", path.display());
            found += filtered.split(|byte| *byte == b'\n').count() - 1;
        }
    }
    assert!(found > 0, "the query finds something in what is left");
}
