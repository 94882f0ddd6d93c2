//! Decodes EVTX files to ECS and, in the same run, to JSON with the `evtx` crate on as many threads as its own
//! `evtx_dump -t 2`: `evtx_speed FILE…`. Prints the best of five rounds of each.

use std::time::{Duration, Instant};

use contraband_core::sources::{Fault, Place, Settings, Sink, evtx as reader};

#[derive(Default)]
struct Count(usize, usize);

impl Sink for Count {
    fn document(&mut self, json: &[u8], _place: Place) {
        self.0 += 1;
        self.1 += json.len();
    }
    fn fault(&mut self, _fault: Fault) {}
}

fn ours(files: &[Vec<u8>]) -> Count {
    let mut count = Count::default();
    for bytes in files {
        let mut decoder = reader::decoder(&Settings::default());
        decoder.push(bytes, &mut count);
        decoder.finish(&mut count);
    }
    count
}

fn theirs(files: &[Vec<u8>]) -> Count {
    let mut count = Count::default();
    for bytes in files {
        let settings = evtx::ParserSettings::new().num_threads(2).indent(false);
        let parser = evtx::EvtxParser::from_buffer(bytes.clone()).expect("an EVTX file");
        for record in parser.with_configuration(settings).chunks_json_bytes(false) {
            count.0 += record.items.len();
            count.1 += record.data.len();
        }
    }
    count
}

fn best(run: impl Fn() -> Count) -> (Duration, Count) {
    let rounds = (0..5).map(|_| {
        let start = Instant::now();
        let count = run();
        (start.elapsed(), count)
    });
    rounds.min_by_key(|(elapsed, _)| *elapsed).expect("there are rounds")
}

fn main() {
    let files: Vec<Vec<u8>> =
        std::env::args().skip(1).map(|path| std::fs::read(path).expect("a readable file")).collect();
    let size: usize = files.iter().map(Vec::len).sum();
    for (name, (elapsed, count)) in
        [("ECS, contraband", best(|| ours(&files))), ("JSON, evtx crate", best(|| theirs(&files)))]
    {
        let rate = size as f64 / elapsed.as_secs_f64() / 1e6;
        println!("{name}: {} records, {} bytes out, {elapsed:?}, {rate:.0} MB/s of EVTX", count.0, count.1);
    }
}
