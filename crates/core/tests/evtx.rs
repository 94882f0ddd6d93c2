//! The EVTX reader against the `evtx` crate, on recordings that lie outside the project. Skips without them.

use std::io::Read;
use std::path::PathBuf;

use contraband_core::sources::{Fault, Place, Settings, Sink, evtx as reader};

#[derive(Default)]
struct Collected {
    documents: Vec<(Vec<u8>, Place)>,
    faults: Vec<Fault>,
}

impl Sink for Collected {
    fn document(&mut self, json: &[u8], place: Place) {
        self.documents.push((json.to_vec(), place));
    }
    fn fault(&mut self, fault: Fault) {
        self.faults.push(fault);
    }
}

fn decode(bytes: &[u8], piece: usize) -> Collected {
    let mut collected = Collected::default();
    let mut decoder = reader::decoder(&Settings::default());
    for part in bytes.chunks(piece) {
        decoder.push(part, &mut collected);
    }
    decoder.finish(&mut collected);
    collected
}

fn shared() -> Option<PathBuf> {
    let root = std::env::var_os("CONTRABAND_SHARED")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")), PathBuf::from);
    let folder = root.join("telemetry/public");
    folder.is_dir().then_some(folder)
}

/// Every EVTX of the shared archives, with its name.
fn recordings() -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for archive in shared().into_iter().flat_map(|folder| std::fs::read_dir(folder).expect("a readable folder")) {
        let path = archive.expect("a readable entry").path();
        if path.extension().is_none_or(|extension| extension != "zip") {
            continue;
        }
        let mut zip = zip::ZipArchive::new(std::fs::File::open(&path).expect("readable")).expect("a zip file");
        for index in 0..zip.len() {
            let mut entry = zip.by_index(index).expect("an entry");
            let name = entry.name().expect("a name").into_owned();
            if PathBuf::from(&name).extension().is_some_and(|extension| extension == "evtx") {
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes).expect("a readable entry");
                found.push((name, bytes));
            }
        }
    }
    found
}

#[test]
fn counts_equal_those_of_the_evtx_crate() {
    let recordings = recordings();
    assert!(shared().is_none() || recordings.len() > 150, "{} files", recordings.len());
    let mut records = 0;
    for (name, bytes) in recordings {
        let ours = decode(&bytes, 1 << 20);
        let mut parser = evtx::EvtxParser::from_buffer(bytes.clone()).expect("the crate opens it");
        let (mut theirs, mut failed) = (0, 0);
        for record in parser.records_json() {
            if record.is_ok() { theirs += 1 } else { failed += 1 }
        }
        let kinds: Vec<_> = ours.faults.iter().map(|fault| (fault.kind, &fault.message, fault.place.offset)).collect();
        if !kinds.is_empty() || failed > 0 {
            println!("{name}: {theirs} records, {failed} failed there; {kinds:?}");
        }
        assert_eq!(ours.documents.len(), theirs, "{name}: {kinds:?}");
        for (json, _) in &ours.documents {
            let document: serde_json::Value = serde_json::from_slice(json).expect("documents are JSON");
            assert!(
                document["@timestamp"].is_string() && document["winlog"]["channel"].is_string(),
                "{name}: {document}"
            );
        }
        let in_pieces = decode(&bytes, 70_001);
        assert_eq!(in_pieces.documents, ours.documents, "{name}: pieces change nothing");
        records += theirs;
    }
    println!("{records} records");
}
