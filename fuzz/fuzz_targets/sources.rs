//! Each raw format's reader: the first byte chooses it, the second the size of the pieces; the rest is the file.
#![no_main]

use contraband_core::sources::{FORMATS, Fault, Place, Reading, Settings, Sink};
use libfuzzer_sys::fuzz_target;

#[derive(Default)]
struct Bounded {
    bytes: usize,
}

impl Sink for Bounded {
    fn document(&mut self, json: &[u8], _place: Place) {
        assert!(std::str::from_utf8(json).is_ok(), "a document is UTF-8");
        assert!(!json.contains(&b'\n'), "a document is one line");
        self.bytes += json.len();
    }

    fn fault(&mut self, fault: Fault) {
        assert!(!fault.message.is_empty());
    }
}

fuzz_target!(|data: &[u8]| {
    let [format, piece, file @ ..] = data else { return };
    let format = FORMATS[usize::from(*format) % FORMATS.len()];
    let _ = (format.recognise)(file);
    let mut sink = Bounded::default();
    match format.reading {
        Reading::Bytes(decoder) => {
            let mut decoder = decoder(&Settings::default());
            for piece in file.chunks(usize::from(*piece) + 1) {
                decoder.push(piece, &mut sink);
            }
            decoder.finish(&mut sink);
        }
        Reading::Documents(mapper) => {
            let mut mapper = mapper(&Settings::default());
            for (number, line) in file.split(|byte| *byte == b'\n').enumerate() {
                mapper.document(line, Place { record: number as u64 + 1, offset: 0 }, &mut sink);
            }
            mapper.finish(&mut sink);
        }
    }
});
